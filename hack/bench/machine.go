package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// tmpfs is the magic number of a file system in memory.
const tmpfs = 0x01021994

var packages = []string{"restic", "mariadb-server", "mariadb-client", "php-cli", "php-mysql"}

// installPackages installs what is missing of Debian's packages, where this runs as root.
func installPackages(ctx context.Context) error {
	var missing []string
	for program, name := range map[string]string{
		"restic": "restic", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server", "mariadb-dump": "mariadb-client", "php": "php-cli php-mysql",
	} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("programs are missing: install the Debian packages %s, or run this as root", strings.Join(missing, " "))
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./hack/cluster", "packages"}, packages...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// checkDisk sees that there is room, on a disk.
func checkDisk(o options) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(o.dir, &fs); err != nil {
		return fmt.Errorf("looking at %s: %w", o.dir, err)
	}
	if fs.Type == tmpfs {
		return fmt.Errorf("%s is in memory: name a directory on a disk with -dir", o.dir)
	}
	// The site, its copy, repositories, dumps; the large site has no peer beside it.
	need := o.scale * 4e9
	if o.memory {
		need = o.scale * large * 2.6e9
	}
	if room := float64(fs.Bavail) * float64(fs.Bsize); room < need+1e9 {
		return fmt.Errorf("%s has %.1f GB of room, and %.1f are needed: name another directory with -dir, or give a smaller -scale or -memory=false",
			o.dir, room/1e9, need/1e9+1)
	}
	return nil
}

// describeMachine says what it was measured on.
func describeMachine(ctx context.Context, dir string) (string, error) {
	cpu := match("/proc/cpuinfo", `(?m)^model name\s*:\s*(.*)$`)
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	memory, _ := strconv.ParseFloat(match("/proc/meminfo", `(?m)^MemTotal:\s*(\d+) kB$`), 64) // 0 where it is unknown
	release := match("/proc/sys/kernel/osrelease", `(?m)^(.*)$`)
	disk, err := said(ctx, "findmnt", "-n", "-o", "SOURCE,FSTYPE,SIZE", "-T", dir)
	var errs []error
	version := func(pattern, name string, args ...string) string {
		text, err := said(ctx, name, args...)
		found := regexp.MustCompile(pattern).FindStringSubmatch(text)
		if err == nil && found == nil {
			err = fmt.Errorf("%s does not tell its version: %q", name, text)
		}
		if err != nil {
			errs = append(errs, err)
			return ""
		}
		return found[1]
	}
	mariadb := version(`Ver (\S+)`, "mariadbd", "--no-defaults", "--version")
	restic := version(`restic (\S+)`, "restic", "version")
	sed := version(`sed \(GNU sed\) (\S+)`, "sed", "--version")
	if err := errors.Join(append(errs, err)...); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d processors, %.0f GiB of memory; disk %s; Linux %s; MariaDB %s, restic %s, GNU sed %s, %s",
		cpu, runtime.NumCPU(), memory/(1<<20), strings.Join(strings.Fields(disk), " "), release, mariadb, restic, sed, runtime.Version()), nil
}

func match(file, pattern string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	found := regexp.MustCompile(pattern).FindSubmatch(content)
	if found == nil {
		return ""
	}
	return strings.TrimSpace(string(found[1]))
}

func said(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}

// describeSite says what it was measured with.
func (b *bench) describeSite(ctx context.Context, s *site) (string, error) {
	var tables, size int64
	row := b.server.pool.QueryRowContext(ctx, "SELECT COUNT(*), SUM(DATA_LENGTH+INDEX_LENGTH) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = ?",
		s.plan.Database.Name)
	if err := row.Scan(&tables, &size); err != nil {
		return "", err
	}
	var rows int64
	sums, err := b.server.checksums(ctx, s.plan.Database.Name)
	if err != nil {
		return "", err
	}
	for _, sum := range sums {
		count, _ := strconv.ParseInt(strings.Fields(sum)[0], 10, 64) // it was printed as a number
		rows += count
	}
	return fmt.Sprintf("WordPress %s with %d uploads of %.0f MB, and a database of %.0f MB in %d rows of %d tables, which take %.0f MB on the server",
		wordpress, int(uploadFiles*s.scale), uploadBytes*s.scale/1e6, databaseBytes*s.scale/1e6, rows, tables, float64(size)/1e6), nil
}
