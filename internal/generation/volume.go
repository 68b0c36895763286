// Package generation keeps the generations of a site on its volume:
//
//	gen/<n>/www          the release and what the site adds to it
//	gen/<n>/data         data outside it
//	gen/<n>/tmp          the site's own temporary directory
//	gen/<n>/journal.json what a task must know of an earlier run of itself that was killed
//	gen/<n>/seal.json    written and synced last: a generation without it is unfinished
//	staging/             downloads, and generations on their way out
//	.lock                held by the one agent that works on the volume
//
// What is on a volume was written by tenants. Everything goes through os.Root, so that no symbolic link in it leads out.
package generation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The errors of this package, to be matched with errors.Is.
var (
	// ErrBusy means that another agent works on the volume.
	ErrBusy = errors.New("the volume is in use by another task")
	// ErrMissing means that the volume's directory, or a generation, is not there.
	ErrMissing = errors.New("does not exist")
	// ErrSealed means that a generation is finished and must not be made again.
	ErrSealed = errors.New("the generation is sealed")
	// ErrSeal means that a seal is there and cannot be read. Such a generation is neither used nor touched.
	ErrSeal = errors.New("the generation's seal is damaged")
)

const (
	lockName    = ".lock"
	genDir      = "gen"
	stagingDir  = "staging"
	sealName    = "seal.json"
	journalName = "journal.json"

	dirMode   = 0o750
	fileMode  = 0o640
	lockEvery = 250 * time.Millisecond
)

// The directories of a generation.
const (
	WWW  = "www"
	Data = "data"
	Tmp  = "tmp"
)

func directories() []string { return []string{WWW, Data, Tmp} }

// Volume is a site's volume.
type Volume struct {
	path string
	root *os.Root
	lock *os.File
}

// Open opens the volume at path and locks it. It waits for another agent to finish, at most for wait, then returns
// ErrBusy. The lock is the kernel's: it ends with the process that holds it.
func Open(ctx context.Context, path string, wait time.Duration) (*Volume, error) {
	v, err := OpenReader(path)
	if err != nil {
		return nil, err
	}
	v.lock, err = v.root.OpenFile(lockName, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("locking volume %s: %w", path, err), v.Close())
	}
	if err := v.acquire(ctx, wait); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

// OpenReader opens a volume, which may be mounted read-only, to read from it. It takes no lock.
func OpenReader(path string) (*Volume, error) {
	root, err := os.OpenRoot(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("volume %s %w: is it mounted?", path, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("opening volume %s: %w", path, err)
	}
	return &Volume{path: path, root: root}, nil
}

func (v *Volume) acquire(ctx context.Context, wait time.Duration) error {
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	tick := time.NewTicker(lockEvery)
	defer tick.Stop()
	for {
		err := unix.Flock(int(v.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("locking volume %s: %w", v.path, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline.C:
			return fmt.Errorf("volume %s: %w; waited %s", v.path, ErrBusy, wait)
		case <-tick.C:
		}
	}
}

// Close lets the volume go.
func (v *Volume) Close() error {
	var err error
	if v.lock != nil {
		err = v.lock.Close()
	}
	return errors.Join(err, v.root.Close())
}

// Path of the volume's mount point.
func (v *Volume) Path() string { return v.path }

// Dir is the absolute path of generation n, or of what is below it.
func (v *Volume) Dir(n int64, below ...string) string {
	return filepath.Join(append([]string{v.path, dirOf(n)}, below...)...)
}

// OpenDir opens a directory of generation n, from which no name and no symbolic link leads out.
func (v *Volume) OpenDir(n int64, below ...string) (*os.Root, error) {
	name := filepath.Join(append([]string{dirOf(n)}, below...)...)
	root, err := v.root.OpenRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s of volume %s %w", name, v.path, ErrMissing)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s of volume %s: %w", name, v.path, err)
	}
	return root, nil
}

// Staging opens the directory for what is being made. Prepare empties it.
func (v *Volume) Staging() (*os.Root, error) {
	if err := v.root.MkdirAll(stagingDir, dirMode); err != nil {
		return nil, fmt.Errorf("making the staging directory of volume %s: %w", v.path, err)
	}
	root, err := v.root.OpenRoot(stagingDir)
	if err != nil {
		return nil, fmt.Errorf("opening the staging directory of volume %s: %w", v.path, err)
	}
	return root, nil
}

func dirOf(n int64) string { return filepath.Join(genDir, strconv.FormatInt(n, 10)) }
