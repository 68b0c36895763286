package generation

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// Info is one generation of a volume.
type Info struct {
	// N is its number, from 1.
	N int64
	// Sealed says that it is complete.
	Sealed bool
}

// Make makes the directories of generation n where they are missing, so that they can be mounted, and changes nothing
// of what is there.
func (v *Volume) Make(n int64) error {
	if n < 1 {
		return fmt.Errorf("generation %d: the first one is 1", n)
	}
	for _, d := range directories() {
		if err := v.root.MkdirAll(filepath.Join(dirOf(n), d), dirMode); err != nil {
			return fmt.Errorf("making generation %d of volume %s: %w", n, v.path, err)
		}
	}
	return nil
}

// Prepare makes generation n empty and ready to be filled, and empties the staging directory. What an earlier run left
// of n is removed, except for its journal; the directories themselves stay, since they may be mounted. A sealed
// generation is refused with ErrSealed.
func (v *Volume) Prepare(n int64) error {
	sealed, err := v.hasSeal(n)
	if err != nil {
		return err
	}
	if sealed {
		return fmt.Errorf("generation %d of volume %s: %w", n, v.path, ErrSealed)
	}
	if err := v.clearStaging(); err != nil {
		return err
	}
	if err := v.wipe(n); err != nil {
		return fmt.Errorf("emptying generation %d of volume %s: %w", n, v.path, err)
	}
	return v.Make(n)
}

func (v *Volume) wipe(n int64) error {
	dir, err := v.root.OpenRoot(dirOf(n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case e.Name() == journalName:
		case e.IsDir() && slices.Contains(directories(), e.Name()):
			err = Empty(dir, e.Name())
		default:
			err = RemoveAll(dir, e.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *Volume) clearStaging() error {
	if err := v.root.MkdirAll(stagingDir, dirMode); err != nil {
		return fmt.Errorf("making the staging directory of volume %s: %w", v.path, err)
	}
	if err := Empty(v.root, stagingDir); err != nil {
		return fmt.Errorf("emptying the staging directory of volume %s: %w", v.path, err)
	}
	return nil
}

// List returns the volume's generations by number.
func (v *Volume) List() ([]Info, error) {
	entries, err := fs.ReadDir(v.root.FS(), genDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing the generations of volume %s: %w", v.path, err)
	}
	var list []Info
	for _, e := range entries {
		n, err := strconv.ParseInt(e.Name(), 10, 64)
		if err != nil || n < 1 || strconv.FormatInt(n, 10) != e.Name() {
			continue
		}
		sealed, err := v.hasSeal(n)
		if err != nil {
			return nil, err
		}
		list = append(list, Info{N: n, Sealed: sealed})
	}
	slices.SortFunc(list, func(a, b Info) int { return cmp.Compare(a.N, b.N) })
	return list, nil
}

// Remove removes generation n. It is first renamed out of the way, so that a kill never leaves a half-removed
// generation which still has its seal. Removing what is not there is success.
func (v *Volume) Remove(n int64) error {
	if err := v.root.MkdirAll(stagingDir, dirMode); err != nil {
		return fmt.Errorf("making the staging directory of volume %s: %w", v.path, err)
	}
	away := path.Join(stagingDir, "removed-"+strconv.FormatInt(n, 10)+"-"+rand.Text())
	if err := v.root.Rename(dirOf(n), away); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("removing generation %d of volume %s: %w", n, v.path, err)
	}
	if err := RemoveAll(v.root, away); err != nil {
		return fmt.Errorf("removing generation %d of volume %s: %w", n, v.path, err)
	}
	return nil
}

// Prune removes generation n, and what lies in the staging directory.
func (v *Volume) Prune(n int64) error {
	return errors.Join(v.Remove(n), v.clearStaging())
}

// Empty removes everything in a directory and keeps the directory.
func Empty(root *os.Root, dir string) error {
	entries, err := readDir(root, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := RemoveAll(root, path.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root.FS(), dir)
	if errors.Is(err, fs.ErrPermission) && root.Chmod(dir, 0o700) == nil {
		entries, err = fs.ReadDir(root.FS(), dir)
	}
	return entries, err
}

// RemoveAll removes a path with all below it, also directories that their owner may not write to.
func RemoveAll(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	if err := Empty(root, name); err != nil {
		return err
	}
	if err := root.Chmod(name, 0o700); err != nil {
		return err
	}
	return root.RemoveAll(name)
}
