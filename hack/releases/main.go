// Releases fills a folder with release archives of applications for the local mirror, put together from Debian's
// packages: the vendors' own archives cannot be had everywhere, and tests need releases that never change.
//
//	go run ./hack/releases [--out DIR] [--pin]
//
// A package spreads an application over /usr/share, /etc and /var, with links into other packages. The archives have it
// in the vendor's layout again, each in one leading directory. The same packages always give the same bytes, so that
// test/catalogue can pin the checksums. An archive that is there already, with the pinned checksum, is kept.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// pins are the archives' checksums, in the format of sha256sum.
//
//go:embed SHA256SUMS
var pins string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	out := flag.String("out", "", "folder for the archives (default: sitewright/releases in the user's cache)")
	pin := flag.Bool("pin", false, "make every archive anew and print its checksum, whatever is pinned")
	flag.Parse()
	if err := run(ctx, *out, *pin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "releases:", err)
		stop()
		os.Exit(1)
	}
}

// run makes what is missing in dir, writes SHA256SUMS beside it, and prints a line "sha256  name" for each archive.
func run(ctx context.Context, dir string, pin bool, stdout io.Writer) error {
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("finding the folder for the archives: %w; name one with --out", err)
		}
		dir = filepath.Join(cache, "sitewright", "releases")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder for the archives: %w", err)
	}
	pinned := parsePins(pins)
	source := &debian{}
	defer source.close()
	var sums bytes.Buffer
	for _, a := range archives {
		var sum string
		var err error
		if pin {
			sum, err = a.make(ctx, source, dir, "")
		} else {
			sum, err = a.ensure(ctx, source, dir, pinned[a.file()])
		}
		if err != nil {
			return fmt.Errorf("archive %s: %w", a.file(), err)
		}
		fmt.Fprintf(&sums, "%s  %s\n", sum, a.file())
	}
	if err := writeFile(filepath.Join(dir, "SHA256SUMS"), sums.Bytes()); err != nil {
		return err
	}
	_, err := stdout.Write(sums.Bytes())
	return err
}

func parsePins(s string) map[string]string {
	pinned := map[string]string{}
	for line := range strings.Lines(s) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			pinned[name] = sum
		}
	}
	return pinned
}

// file is the archive's name, the same as the vendor's.
func (a archive) file() string { return a.application + "-" + a.version + ".tar.gz" }

// ensure makes the archive unless it is there with the checksum that is pinned for it, and returns its checksum.
func (a archive) ensure(ctx context.Context, source *debian, dir, want string) (string, error) {
	sum, err := fileSum(filepath.Join(dir, a.file()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if want == "" {
		return "", errors.New("no checksum is pinned for it: write the one that --pin prints to hack/releases/SHA256SUMS")
	}
	if err == nil && sum == want {
		return sum, nil
	}
	return a.make(ctx, source, dir, want)
}

// make makes the archive, which must come out with the checksum want unless that is empty.
func (a archive) make(ctx context.Context, source *debian, dir, want string) (string, error) {
	files, err := a.tree(ctx, source)
	if err != nil {
		return "", err
	}
	content, err := pack(ctx, a.application, files)
	if err != nil {
		return "", err
	}
	sum := hexSum(content)
	if want != "" && sum != want {
		return "", fmt.Errorf("its packages give %s, and hack/releases/SHA256SUMS pins %s: if that is meant, write the new checksum there and in test/catalogue",
			sum, want)
	}
	return sum, writeFile(filepath.Join(dir, a.file()), content)
}

// tree is the archive's content, in the vendor's layout.
func (a archive) tree(ctx context.Context, source *debian) (map[string][]byte, error) {
	system := newTree()
	for _, p := range a.packages {
		content, err := source.fetch(ctx, p)
		if err != nil {
			return nil, err
		}
		if err := system.addPackage(ctx, content); err != nil {
			return nil, fmt.Errorf("package %s %s: %w", p.name, p.version, err)
		}
	}
	return a.layout(system)
}

// writeFile writes beside the place and renames, so that a file with its final name is always whole.
func writeFile(path string, content []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Chmod(0o644) // The mirror runs as another user.
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
