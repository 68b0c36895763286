package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// bench is one run: a directory, a server, and the site that everything is measured on.
type bench struct {
	options
	dir     string
	program string // sitewright
	began   time.Time
	server  *server
	site    *site
	change  int // how many changes were made to the site
	serial  int // how many backups were planned
}

// close ends the server. All else is in the directory.
func (b *bench) close() error {
	if b.server == nil {
		return nil
	}
	return b.server.close()
}

func (b *bench) path(elements ...string) string {
	return filepath.Join(append([]string{b.dir}, elements...)...)
}

// prepare builds the program, starts the server and makes the site.
func (b *bench) prepare(ctx context.Context) (err error) {
	for _, d := range []string{"plans", "secrets", "volumes", "locations", "out"} {
		if err := os.Mkdir(b.path(d), 0o700); err != nil {
			return err
		}
	}
	b.program = b.path("sitewright")
	if err := b.step("building sitewright", func() error {
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.program, "./cmd/sitewright")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		_, err := b.do(ctx, build)
		return err
	}); err != nil {
		return err
	}
	if err := b.step("starting MariaDB", func() error {
		b.server, err = startServer(ctx, b.path("server"))
		return err
	}); err != nil {
		return err
	}
	if err := b.secrets(); err != nil {
		return err
	}
	b.site, err = b.makeSite(ctx, "site", b.scale)
	return err
}

// step does something that is not measured and says so.
func (b *bench) step(what string, do func() error) error {
	fmt.Printf("  %s", what)
	began := time.Now()
	if err := do(); err != nil {
		fmt.Println()
		return fmt.Errorf("%s: %w", what, err)
	}
	fmt.Printf(" (%s)\n", time.Since(began).Round(100*time.Millisecond))
	return nil
}

// secrets writes the passwords: to files for us, to an option file for the stock clients.
func (b *bench) secrets() error {
	return errors.Join(
		os.WriteFile(b.path("secrets", "database"), []byte(sitePassword), 0o600),
		os.WriteFile(b.path("secrets", "admin"), []byte("a password for the site's administrator"), 0o600),
		os.WriteFile(b.path("secrets", "repository"), []byte("a password for repositories"), 0o600),
		os.WriteFile(b.path("secrets", "client.cnf"), fmt.Appendf(nil, "[client]\nhost=127.0.0.1\nport=%d\nuser=%s\npassword=%s\n"+
			"default-character-set=utf8mb4\n", b.server.port, siteUser, sitePassword), 0o600),
	)
}

// measure measures everything that was asked for.
func (b *bench) measure(ctx context.Context) (*report, error) {
	r := &report{rounds: b.rounds, scale: b.scale}
	var err error
	if r.machine, err = describeMachine(ctx, b.dir); err != nil {
		return nil, err
	}
	if r.site, err = b.describeSite(ctx, b.site); err != nil {
		return nil, err
	}
	fmt.Printf("%s\n%s\n\n", r.machine, r.site)
	r.header()
	for _, w := range b.works() {
		if !b.only.MatchString(w.name) {
			continue
		}
		line, err := b.compare(ctx, w)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		r.add(line)
	}
	if b.memory {
		if r.peaks, err = b.peaks(ctx); err != nil {
			return nil, fmt.Errorf("peak memory: %w", err)
		}
		r.printPeaks()
	}
	r.took = time.Since(b.began)
	return r, nil
}
