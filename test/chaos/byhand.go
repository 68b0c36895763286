package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sitewright/sitewright/test/local"
)

// scratch is the database that is loaded by hand.
const scratch = "chaos_load"

// byHand is a load without a cluster: "sitewright data load" of a dump or, where the storage server is to die, "sitewright data restore" of
// the saved snapshot. Run again after it was killed, it begins anew.
type byHand struct {
	*harness
	fromStorage bool
	program     *exec.Cmd
	running     *local.Process
	said        bytes.Buffer
	over        chan error
}

func (h *harness) newLoad(victim string) *byHand {
	return &byHand{harness: h, fromStorage: victim == storage, over: make(chan error, 1)}
}

// place is where files are restored by hand.
func (h *harness) place() string { return filepath.Join(h.scratch, "restored") }

func (b *byHand) begin(ctx context.Context) error {
	target := b.dsn(scratch)
	args := []string{"data", "load", "--clear", "--dir", b.dump, target}
	if b.fromStorage {
		args = []string{"data", "restore", "--clear", "--database", target, "--files", b.place(), b.location, b.saved}
	}
	b.program = exec.CommandContext(ctx, b.sitewright, args...)
	b.program.Env = append(os.Environ(), b.secrets...)
	b.program.Stdout, b.program.Stderr = &b.said, &b.said
	b.program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := b.program.Start(); err != nil {
		return fmt.Errorf("starting sitewright data: %w", err)
	}
	b.running = local.Started(b.program.Process.Pid)
	go func() { b.over <- b.program.Wait() }()
	return nil
}

func (b *byHand) process(context.Context) (*local.Process, error) { return b.running, nil }

func (b *byHand) ended(context.Context) (*outcome, error) {
	select {
	case err := <-b.over:
		lines := strings.Split(strings.TrimSpace(b.said.String()), "\n")
		o := &outcome{ready: err == nil, message: lines[len(lines)-1]}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() < 0 {
			o.message = exit.String()
		}
		return o, nil
	default:
		return nil, nil
	}
}

// judge compares what was loaded with what was dumped, table by table.
func (b *byHand) judge(ctx context.Context, o outcome) error {
	if !o.ready {
		if _, err := os.Lstat(b.place()); err == nil {
			return fmt.Errorf("a restore by hand that failed left files which look whole")
		}
		return nil
	}
	got, err := b.checksums(ctx, scratch)
	if err != nil {
		return err
	}
	if !maps.Equal(got, b.sums) {
		return fmt.Errorf("what was loaded by hand is not what was dumped: %v instead of %v", got, b.sums)
	}
	if !b.fromStorage {
		return nil
	}
	marked, err := filepath.Glob(filepath.Join(b.place(), "wp-content/uploads/chaos/*.txt"))
	if err == nil && len(marked) != markedFiles {
		err = fmt.Errorf("%d of %d files were restored by hand", len(marked), markedFiles)
	}
	return err
}

// remove takes the restored files away; the tables are cleared by the next load. Nothing else may lie beside them.
func (b *byHand) remove(context.Context) error { return os.RemoveAll(b.place()) }

// checksums are what the server says of the contents of a database's tables. Those that WordPress writes to by itself are left out.
func (h *harness) checksums(ctx context.Context, name string) (sums map[string]int64, err error) {
	rows, err := h.db.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", name)
	if err != nil {
		return nil, fmt.Errorf("listing the tables of %s: %w", name, err)
	}
	tables, err := column(rows)
	if err != nil {
		return nil, err
	}
	sums = map[string]int64{}
	for _, t := range tables {
		if strings.HasSuffix(t, "options") {
			continue
		}
		var ignored string
		var sum sql.NullInt64
		if err := h.db.QueryRowContext(ctx, fmt.Sprintf("CHECKSUM TABLE `%s`.`%s`", name, t)).Scan(&ignored, &sum); err != nil {
			return nil, fmt.Errorf("adding up %s.%s: %w", name, t, err)
		}
		sums[t] = sum.Int64
	}
	return sums, nil
}

// column reads the one text that every row is.
func column(rows *sql.Rows) (values []string, err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, rows.Err()
}

// prepareLoad dumps the saved site's database by hand, and makes the database that is loaded.
func (h *harness) prepareLoad(ctx context.Context, serving string) (err error) {
	for _, statement := range []string{"DROP DATABASE IF EXISTS " + scratch, "CREATE DATABASE " + scratch} {
		if _, err := h.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("making the database to load into: %w", err)
		}
	}
	h.dump = filepath.Join(h.scratch, "dump")
	c := exec.CommandContext(ctx, h.sitewright, "data", "dump", "--dir", h.dump, h.dsn(serving))
	c.Env = append(os.Environ(), h.secrets...)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("dumping %s by hand: %w: %s", serving, err, out)
	}
	h.sums, err = h.checksums(ctx, serving)
	return err
}
