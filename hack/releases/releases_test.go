package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestCopyIntoFollowsLinks(t *testing.T) {
	system := newTree()
	system.addFile("usr/share/app/index.php", []byte("index"))
	system.addFile("usr/share/lib/1.0/lib.js", []byte("lib"))
	system.addFile("etc/app/config", []byte("config"))
	for name, target := range map[string]string{
		"usr/share/lib/current": "1.0",                       // relative, in another package
		"usr/share/app/js":      "../lib/current",            // to a directory, through a link
		"usr/share/app/lib.js":  "../lib/current/lib.js",     // to a file, through a link
		"usr/share/app/config":  "/etc/app/config",           // absolute
		"usr/share/app/up":      "../../../../../etc/app",    // above the root is the root
		"usr/share/app/skipped": "/nowhere/and/never/looked", // left out before it is followed
	} {
		system.addName(name)
		system.links[name] = target
	}
	files := map[string][]byte{}
	if err := system.copyInto(files, "usr/share/app", "", func(name string) bool { return name == "skipped" }); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"index.php": "index", "js/lib.js": "lib", "lib.js": "lib", "config": "config", "up/config": "config"}
	got := map[string]string{}
	for name, content := range files {
		got[name] = string(content)
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCopyIntoRefusesLinksThatLeadNowhere(t *testing.T) {
	for target, want := range map[string]string{"/usr/share/missing/lib.js": "add the package", "b": "circle of links"} {
		system := newTree()
		for name, to := range map[string]string{"app/a": target, "app/b": "a"} {
			system.addName(name)
			system.links[name] = to
		}
		err := system.copyInto(map[string][]byte{}, "app", "", func(name string) bool { return name != "a" })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("link to %s: got %v, want an error with %q", target, err, want)
		}
	}
}

func TestPackIsReproducible(t *testing.T) {
	files := map[string][]byte{"b/c/d.txt": []byte("d"), "a.txt": []byte("a"), "b/" + strings.Repeat("long", 40) + ".txt": []byte("long")}
	first, err := pack(t.Context(), "app", files)
	if err != nil {
		t.Fatal(err)
	}
	second, err := pack(t.Context(), "app", maps.Clone(files))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the same files give different archives")
	}
	names := namesIn(t, first)
	want := []string{"app/", "app/b/", "app/b/c/", "app/a.txt", "app/b/c/d.txt", "app/b/" + strings.Repeat("long", 40) + ".txt"}
	if !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}

func namesIn(t *testing.T, archive []byte) (names []string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		t.Errorf("gzip's header has time %v and name %q", z.ModTime, z.Name)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Uid != 0 || h.Gid != 0 || !h.ModTime.Equal(packed) {
			t.Errorf("%s has owner %d:%d and time %v", h.Name, h.Uid, h.Gid, h.ModTime)
		}
		names = append(names, h.Name)
	}
}

func TestEveryArchiveIsPinned(t *testing.T) {
	pinned := parsePins(pins)
	if len(pinned) != len(archives) {
		t.Errorf("SHA256SUMS has %d archives, the table %d", len(pinned), len(archives))
	}
	for _, a := range archives {
		if len(pinned[a.file()]) != 64 {
			t.Errorf("SHA256SUMS has no checksum of %s", a.file())
		}
		for _, p := range a.packages {
			if len(p.sha256) != 64 {
				t.Errorf("package %s %s of %s has no checksum", p.name, p.version, a.file())
			}
		}
	}
}
