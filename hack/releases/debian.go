package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// keyring verifies every suite of Debian.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// debian fetches packages from the mirror that the machine's own APT configuration names, with APT's own transport. The
// machine's APT is only asked, never changed: lists of its own are in a private folder.
type debian struct {
	// dir is private, and made when it is first needed.
	dir string
	// main and security are the roots of Debian's two archives, each with a slash at its end.
	main, security string
	// fetched are packages by checksum: releases of one suite share some.
	fetched map[string][]byte
}

func (d *debian) close() {
	if d.dir != "" {
		_ = os.RemoveAll(d.dir) // Nothing in it is needed.
	}
}

// fetch returns a package with the pinned checksum. It asks the pool itself, not the suite: a version stays in the pool for a
// while after the suite has a newer one.
func (d *debian) fetch(ctx context.Context, p pkg) ([]byte, error) {
	if content, ok := d.fetched[p.sha256]; ok {
		return content, nil
	}
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	initial := p.source[:1]
	if strings.HasPrefix(p.source, "lib") {
		initial = p.source[:4]
	}
	name := fmt.Sprintf("%s_%s_all.deb", p.name, p.version)
	path := filepath.Join(d.dir, name)
	var errs []error
	for _, pool := range []string{d.main + "pool/main/", d.security + "pool/updates/main/"} {
		err := command(ctx, nil, io.Discard, "/usr/lib/apt/apt-helper", "download-file", pool+initial+"/"+p.source+"/"+name, path, "SHA256:"+p.sha256)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		content, err := os.ReadFile(path)
		if err == nil && hexSum(content) != p.sha256 {
			err = fmt.Errorf("package %s has checksum %s, not %s as pinned", name, hexSum(content), p.sha256)
		}
		if err != nil {
			return nil, err
		}
		d.fetched[p.sha256] = content
		return content, os.Remove(path)
	}
	return nil, errors.Join(append([]error{d.gone(ctx, p)}, errs...)...)
}

// gone says which versions can be pinned instead of one that is not to be had.
func (d *debian) gone(ctx context.Context, p pkg) error {
	there, err := d.versions(ctx, p)
	if err != nil {
		return fmt.Errorf("package %s %s cannot be had, and what Debian %s has instead is not known: %w", p.name, p.version, p.suite, err)
	}
	if len(there) == 0 {
		return fmt.Errorf("package %s %s cannot be had, and Debian %s has no other version: take its archive out of hack/releases/table.go and test/catalogue",
			p.name, p.version, p.suite)
	}
	return fmt.Errorf("package %s %s cannot be had: Debian %s has %s; pin that in hack/releases/table.go",
		p.name, p.version, p.suite, strings.Join(there, " and "))
}

// versions are those in the suite's indexes, each with its checksum.
func (d *debian) versions(ctx context.Context, p pkg) ([]string, error) {
	source := func(uri string, suites ...string) string {
		return fmt.Sprintf("Types: deb\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n\n", uri, strings.Join(suites, " "), keyring)
	}
	path := filepath.Join(d.dir, p.suite+".sources")
	content := source(d.main, p.suite) + source(d.security, p.suite+"-security")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return nil, err
	}
	options := append(d.private(), "-o", "Dir::Etc::SourceList="+path, "-o", "Dir::Etc::SourceParts=-")
	if err := command(ctx, nil, io.Discard, "apt-get", append(options, "-q", "update")...); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	// It fails when there is no such package.
	_ = command(ctx, nil, &out, "apt-cache", append(options, "show", p.name)...)
	var versions []string
	for line := range strings.Lines(out.String()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "Version":
			versions = append(versions, value)
		case "SHA256":
			versions[len(versions)-1] += " (" + value + ")"
		}
	}
	return versions, nil
}

// open finds the mirror and makes the private folder.
func (d *debian) open(ctx context.Context) error {
	if d.main != "" {
		return nil
	}
	dir, err := os.MkdirTemp("", "sitewright-releases-")
	if err != nil {
		return err
	}
	d.dir, d.fetched = dir, map[string][]byte{}
	// APT downloads as a user of its own.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	if d.mirrors(ctx, nil); d.main == "" {
		// A fresh machine has no lists, and APT tells what an archive is only by them.
		if err := command(ctx, nil, io.Discard, "apt-get", append(d.private(), "-q", "update")...); err != nil {
			return err
		}
		d.mirrors(ctx, d.private())
	}
	if d.main == "" {
		return errors.New("APT on this machine knows no Debian archive: add one under /etc/apt/sources.list.d")
	}
	if d.security == "" {
		d.security = strings.TrimSuffix(d.main, "/") + "-security/"
	}
	return nil
}

// private keeps APT away from the machine's lists, caches and packages.
func (d *debian) private() []string {
	return []string{
		"-o", "Dir::State::Lists=" + filepath.Join(d.dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(d.dir, "cache"),
		"-o", "Dir::State::Status=/dev/null", "-o", "Acquire::Languages=none",
		"-o", "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
	}
}

func (d *debian) mirrors(ctx context.Context, options []string) {
	var out bytes.Buffer
	// It fails when APT has no configuration at all, which is the same as none of Debian.
	_ = command(ctx, nil, &out, "apt-get", append(options, "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages")...)
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSpace(line)
		if uri, ok := strings.CutPrefix(line, "Debian|Debian|"); ok && d.main == "" {
			d.main = strings.TrimSuffix(uri, "/") + "/"
		}
		if uri, ok := strings.CutPrefix(line, "Debian|Debian-Security|"); ok && d.security == "" {
			d.security = strings.TrimSuffix(uri, "/") + "/"
		}
	}
}

// command runs a program; when it fails, the error has the end of what it said.
func command(ctx context.Context, stdin io.Reader, stdout io.Writer, name string, args ...string) error {
	c := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	c.Env = append(os.Environ(), "LC_ALL=C")
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, &stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(stderr.String()[max(0, stderr.Len()-500):]))
	}
	return nil
}
