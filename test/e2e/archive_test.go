package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// entry is an entry of an archive; a file without a text has as many zeros as it is long.
type entry struct {
	tar.Header
	text string
}

// tarball makes an archive of these entries.
func tarball(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, e := range entries {
		content := []byte(e.text)
		if e.text == "" {
			content = make([]byte, e.Size)
		}
		e.Mode, e.Size = 0o644, int64(len(content))
		if err := w.WriteHeader(&e.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestBadArchives imports what nobody should: each is refused, with a sentence that says why.
func TestBadArchives(t *testing.T) {
	k := newCluster(t, "e2e-archives")
	k.locations()
	k.ready(&api.BackupLocation{}, "s3")
	store, err := k.Store(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	file := func(name, text string) entry { return entry{tar.Header{Name: name, Typeflag: tar.TypeReg}, text} }
	version := file("site/wp-includes/version.php", "<?php\n$wp_version = '6.8.7';\n")
	configuration := file("site/wp-config.php", "<?php\ndefine('DB_NAME', 'x');\ndefine('DB_USER', 'x');\ndefine('DB_PASSWORD', 'x');\ndefine('DB_HOST', 'x');\n$table_prefix = 'wp_';\n")
	dump := file("dump.sql", "CREATE TABLE `wp_options` (`option_id` int, `option_name` text, `option_value` text);\n"+
		"INSERT INTO `wp_options` VALUES (1, 'siteurl', 'http://old.example'), (2, 'home', 'http://old.example');\n")
	whole := tarball(t, version, entry{tar.Header{Name: "site/big", Typeflag: tar.TypeReg, Size: 1 << 20}, ""})
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"missing":   {nil, "has no archive"},
		"truncated": {whole[:len(whole)/2], "the archive ends in the middle"},
		"no-site":   {tarball(t, file("readme.txt", "read me")), "no application of the catalogue recognizes"},
		"no-tar":    {[]byte(strings.Repeat("hello ", 1000)), "it is no .tar.gz"},
		"above":     {tarball(t, version, file("../../etc/passwd", "x")), "climbs out of its directory"},
		"link":      {tarball(t, version, configuration, dump, entry{tar.Header{Name: "site/out", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, ""}), "site/out"},
		"device":    {tarball(t, version, entry{tar.Header{Name: "site/null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, ""}), "site/null"},
	} {
		if c.content != nil {
			if err := store.Put(t.Context(), "old/"+name+".tar.gz", bytes.NewReader(c.content), int64(len(c.content))); err != nil {
				t.Fatal(err)
			}
		}
		k.apply(fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Backup
metadata: {name: %s}
spec: {archive: {path: old/%s.tar.gz}, locationRef: {name: s3}}
`, name, name))
		ready, message := k.ended(&api.Backup{}, name)
		t.Logf("%s: %s", name, message)
		if ready || !strings.Contains(message, c.says) {
			t.Errorf("%s: it says %q, and not %q", name, message, c.says)
		}
	}
	k.mustKubectl("", "delete", "backups", "--all", "--timeout=3m")
}
