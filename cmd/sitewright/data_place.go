package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// placing is a directory that is filled beside its place and moved there when everything is done: whoever sees it there
// sees all of it. The one beside it that a killed run left is taken over by the next run.
type placing struct {
	target, temp string
	// dir is locked, so that two runs do not fill the same directory. Whoever ends, dead or alive, lets go of it.
	dir *os.File
}

// place prepares the directory. target must not exist or be empty.
func place(target string) (p *placing, err error) {
	target, err = filepath.Abs(target)
	if err != nil {
		return nil, err
	}
	if err := checkPlace(target); err != nil {
		return nil, err
	}
	parent, name := filepath.Split(target)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, err
	}
	p = &placing{target: target, temp: filepath.Join(parent, "."+name+".incomplete")}
	if err := os.Mkdir(p.temp, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	if p.dir, err = os.OpenFile(p.temp, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0); err != nil {
		return nil, err
	}
	if err := p.lock(); err != nil {
		return nil, errors.Join(err, p.dir.Close())
	}
	return p, nil
}

// checkPlace sees that nothing is there that somebody wants to keep.
func checkPlace(target string) error {
	info, err := os.Lstat(target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return invalid("%s is there and is no directory: name another one", target)
	}
	if err := makeEmpty(target); err != nil {
		return err
	}
	above, err := os.Stat(filepath.Dir(target))
	if err != nil {
		return err
	}
	if device(info) != device(above) || os.SameFile(info, above) {
		return invalid("%s is where something is mounted, and cannot be replaced at once: name a directory in it", target)
	}
	return nil
}

func device(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev) //nolint:unconvert // Its type differs between architectures.
	}
	return 0
}

// lock makes the directory this run's own, and empties it.
func (p *placing) lock() error {
	if err := syscall.Flock(int(p.dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("%s: another run is filling it: %w", p.temp, err)
	}
	mine, err := p.dir.Stat()
	if err != nil {
		return err
	}
	if is, err := os.Lstat(p.temp); err != nil || !os.SameFile(mine, is) {
		return fmt.Errorf("%s: another run has just filled it: %w", p.target, errors.Join(err, fs.ErrExist))
	}
	entries, err := os.ReadDir(p.temp)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(p.temp, e.Name())))
	}
	return err
}

// commit moves the directory to its place, in the place of an empty one. A power failure after it leaves it there.
func (p *placing) commit() error {
	// Not os.Rename, which refuses to replace an empty directory.
	if err := syscall.Rename(p.temp, p.target); err != nil {
		return &os.LinkError{Op: "rename", Old: p.temp, New: p.target, Err: err}
	}
	p.temp = ""
	parent, err := os.Open(filepath.Dir(p.target))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// end removes what was not committed.
func (p *placing) end() error {
	var err error
	if p.temp != "" {
		err = os.RemoveAll(p.temp)
	}
	return errors.Join(err, p.dir.Close())
}

// checkApart refuses directories of which one lies in the other: the one that comes first would fill the other's place.
func checkApart(a, b string) error {
	if a == "" || b == "" {
		return nil
	}
	first, err := filepath.Abs(a)
	if err != nil {
		return err
	}
	second, err := filepath.Abs(b)
	if err != nil {
		return err
	}
	if strings.HasPrefix(first+"/", second+"/") || strings.HasPrefix(second+"/", first+"/") {
		return invalid("--files and --data lie in one another: name two directories that do not")
	}
	return nil
}
