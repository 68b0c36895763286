package repository

import (
	"os"
	"path/filepath"
	"testing"
)

// TestLinkInPlaceOfDirectory puts a link where a directory to back up should be, as a site could whose code is not its owner's any more.
func TestLinkInPlaceOfDirectory(t *testing.T) {
	outside, site := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "password"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"absolute": outside, "relative": "../" + filepath.Base(outside)} {
		link := filepath.Join(site, name)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		if root, err := openBelow(link); err == nil {
			_ = root.Close()
			t.Errorf("a %s link out of the site was followed", name)
		}
	}
	if err := os.Mkdir(filepath.Join(site, "data"), 0o750); err != nil {
		t.Fatal(err)
	}
	root, err := openBelow(filepath.Join(site, "data"))
	if err != nil {
		t.Fatal(err)
	}
	_ = root.Close()
}
