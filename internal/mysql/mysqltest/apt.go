package mysqltest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// keyring verifies every suite of Debian.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// privateAPT downloads packages of any suite from the mirrors of the machine's own APT configuration. The machine's lists,
// cache and packages are left alone.
type privateAPT struct{ dir string }

// download fetches a package and everything that it depends on, as for an empty machine.
func (a privateAPT) download(suite string, names ...string) error {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(a.dir, sub), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o644); err != nil {
		return err
	}
	mirror, err := a.mirror()
	if err != nil {
		return err
	}
	list := filepath.Join(a.dir, "suite.sources")
	source := fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n", mirror, suite, keyring)
	if err := os.WriteFile(list, []byte(source), 0o644); err != nil {
		return err
	}
	own := []string{"-q", "-o", "Dir::Etc::SourceList=" + list, "-o", "Dir::Etc::SourceParts=-"}
	if err := a.get(append(own, "update")...); err != nil {
		return err
	}
	return a.get(slices.Concat(own, []string{"-y", "--no-install-recommends", "--download-only", "install"}, names)...)
}

func (a privateAPT) get(args ...string) error {
	return command(nil, io.Discard, "apt-get", append(a.options(), args...)...)
}

func (a privateAPT) options() []string {
	options := []string{
		"-o", "Dir::State::Lists=" + filepath.Join(a.dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(a.dir, "cache"),
		"-o", "Dir::State::Status=" + filepath.Join(a.dir, "status"), "-o", "Acquire::Languages=none",
	}
	if os.Geteuid() == 0 { // the directory is nobody else's
		options = append(options, "-o", "APT::Sandbox::User=root")
	}
	return options
}

// mirror is the archive that the machine uses. APT knows what an archive is only by its lists, which a fresh machine does
// not have.
func (a privateAPT) mirror() (string, error) {
	for _, options := range [][]string{nil, a.options()} {
		if options != nil {
			if err := a.get("-q", "update"); err != nil {
				return "", err
			}
		}
		var out bytes.Buffer
		// It fails when APT has no configuration at all, which is the same as none of Debian.
		_ = command(nil, &out, "apt-get", append(options, "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages")...)
		for line := range strings.Lines(out.String()) {
			if uri, ok := strings.CutPrefix(strings.TrimSpace(line), "Debian|Debian|"); ok {
				return uri, nil
			}
		}
	}
	return "", errors.New("APT on this machine knows no Debian archive: add one under /etc/apt/sources.list.d")
}
