package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// A result that is wrong is not fast.

// checkBackup restores our newest backup and compares.
func (b *bench) checkBackup(ctx context.Context) (err error) {
	defer func() {
		err = errors.Join(err, b.resetRestored(context.WithoutCancel(ctx)), b.server.drop(context.WithoutCancel(ctx), oursDB))
	}()
	if err := b.resetRestored(ctx); err != nil {
		return err
	}
	if _, err := b.agent(ctx, b.restorePlan()); err != nil {
		return err
	}
	return b.checkRestored(ctx)
}

// checkPeerBackup does the same with the peer's.
func (b *bench) checkPeerBackup(ctx context.Context) (err error) {
	defer func() {
		err = errors.Join(err, b.resetTheirs(context.WithoutCancel(ctx)), b.server.drop(context.WithoutCancel(ctx), theirsDB))
	}()
	if err := b.resetTheirs(ctx); err != nil {
		return err
	}
	if _, err := b.script(ctx, peerRestore, b.variables()); err != nil {
		return err
	}
	return b.checkPeerRestored(ctx)
}

func (b *bench) checkRestored(ctx context.Context) error {
	p := b.restored()
	return errors.Join(sameFiles(b.site.www(), generationDir(&p)), b.sameTables(ctx, oursDB))
}

func (b *bench) checkPeerRestored(ctx context.Context) error {
	return errors.Join(sameFiles(b.site.www(), filepath.Join(b.path("out", "theirs"), b.site.www())), b.sameTables(ctx, theirsDB))
}

func (b *bench) checkCloned(ctx context.Context) error {
	p := b.cloned()
	return errors.Join(sameFiles(b.site.www(), generationDir(&p)), b.moved(ctx, oursDB))
}

// checkPeerCloned compares the files alone: the peer breaks serialized values.
func (b *bench) checkPeerCloned(context.Context) error {
	return sameFiles(b.site.www(), b.path("out", "theirs"))
}

func (b *bench) checkTables(database string) func(context.Context) error {
	return func(ctx context.Context) error { return b.sameTables(ctx, database) }
}

// checkScript loads a script with the stock client and compares.
func (b *bench) checkScript(file string) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := b.loadScratch(ctx, file); err != nil {
			return err
		}
		return errors.Join(b.sameTables(ctx, scratchDB), b.server.drop(ctx, scratchDB))
	}
}

func (b *bench) loadScratch(ctx context.Context, file string) error {
	if err := b.server.fresh(ctx, scratchDB); err != nil {
		return err
	}
	_, err := b.script(ctx, peerLoad, b.variables("INTO", scratchDB, "IN", b.path("out", file)))
	return err
}

// checkParts loads the parts of a dump, one after the other, with the stock client.
func (b *bench) checkParts(ctx context.Context) error {
	if err := b.server.fresh(ctx, scratchDB); err != nil {
		return err
	}
	if _, err := b.script(ctx, `cat "$IN"/*.sql | mariadb $OPTIONS "$INTO"`, b.variables("INTO", scratchDB, "IN", b.path("out", oursParts))); err != nil {
		return err
	}
	return errors.Join(b.sameTables(ctx, scratchDB), b.server.drop(ctx, scratchDB))
}

func (b *bench) checkRewritten(ctx context.Context) error {
	if err := b.loadScratch(ctx, oursSQL); err != nil {
		return err
	}
	return errors.Join(b.moved(ctx, scratchDB), b.server.drop(ctx, scratchDB))
}

// sameTables compares every table's rows with the site's.
func (b *bench) sameTables(ctx context.Context, database string) error {
	want, err := b.server.checksums(ctx, b.site.plan.Database.Name)
	if err != nil {
		return err
	}
	got, err := b.server.checksums(ctx, database)
	if err != nil {
		return err
	}
	if len(want) == 0 || !maps.Equal(got, want) {
		return fmt.Errorf("the tables of %s are not those of the site: %v, want %v", database, got, want)
	}
	return nil
}

// checksums are the server's own, with the number of rows.
func (s *server) checksums(ctx context.Context, database string) (map[string]string, error) {
	rows, err := s.pool.QueryContext(ctx, "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ?", database)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []string
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	sums := map[string]string{}
	for _, table := range tables {
		name := "`" + database + "`.`" + table + "`"
		var shown, sum string
		var count int
		if err := s.pool.QueryRowContext(ctx, "CHECKSUM TABLE "+name).Scan(&shown, &sum); err != nil {
			return nil, err
		}
		if err := s.pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+name).Scan(&count); err != nil {
			return nil, err
		}
		sums[table] = fmt.Sprintf("%d rows, %s", count, sum)
	}
	return sums, rows.Err()
}

//go:embed moved.php
var movedScript []byte

// moved has PHP itself tell whether a database is the site's at its new URL, serialized values and all.
func (b *bench) moved(ctx context.Context, database string) error {
	cmd := exec.Command("php", "-d", "memory_limit=1G", "--", "127.0.0.1", fmt.Sprint(b.server.port), b.site.plan.Database.Name, database, siteURL, cloneURL)
	cmd.Stdin = bytes.NewReader(movedScript)
	cmd.Env = append(os.Environ(), "BENCH_USER="+siteUser, "BENCH_PASSWORD="+sitePassword)
	_, err := b.do(ctx, cmd)
	return err
}

// sameFiles compares two directories, but for the configuration, which names the database.
func sameFiles(want, got string) error {
	a, err := digests(want)
	if err != nil {
		return err
	}
	c, err := digests(got)
	if err != nil {
		return err
	}
	if len(a) == 0 {
		return fmt.Errorf("%s has no files", want)
	}
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] != c[name] {
			return fmt.Errorf("%s of %s is another or is not there", name, got)
		}
	}
	if len(a) != len(c) {
		return fmt.Errorf("%s has %d files, want %d", got, len(c), len(a))
	}
	return nil
}

func digests(dir string) (map[string][sha256.Size]byte, error) {
	found := map[string][sha256.Size]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == "wp-config.php" {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		found[name] = [sha256.Size]byte(h.Sum(nil))
		return err
	})
	return found, err
}
