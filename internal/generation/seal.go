package generation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/sitewright/sitewright/internal/plan"
)

// maxSeal bounds what is read of a seal or a journal.
const maxSeal = 1 << 20

// Seal says that a generation is complete, and what its task answered. A task that finds its generation sealed answers
// the same again.
type Seal struct {
	// Task that made the generation, and UID of the Install that it was made for.
	Task string `json:"task"`
	UID  string `json:"uid"`
	// Result of the task.
	Result plan.Result `json:"result"`
}

// Seal finishes generation n: everything written to the volume is brought to disk, then the seal.
func (v *Volume) Seal(n int64, s Seal) error {
	d, err := v.root.Open(dirOf(n))
	if err != nil {
		return fmt.Errorf("sealing generation %d of volume %s: %w", n, v.path, err)
	}
	defer d.Close()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return fmt.Errorf("bringing generation %d of volume %s to disk: %w", n, v.path, err)
	}
	return v.writeJSON(n, sealName, s)
}

// Sealed reads the seal of generation n, nil when it has none. A seal that cannot be read is ErrSeal.
func (v *Volume) Sealed(n int64) (*Seal, error) {
	var s Seal
	found, err := v.readJSON(n, sealName, &s)
	if err != nil {
		return nil, fmt.Errorf("generation %d of volume %s: %w: %w", n, v.path, ErrSeal, err)
	}
	if !found {
		return nil, nil
	}
	return &s, nil
}

func (v *Volume) hasSeal(n int64) (bool, error) {
	_, err := v.root.Lstat(path.Join(dirOf(n), sealName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for the seal of generation %d of volume %s: %w", n, v.path, err)
	}
	return true, nil
}

// WriteJournal keeps what a later run of the task must know when this one is killed. It is on disk when this returns.
func (v *Volume) WriteJournal(n int64, journal any) error {
	return v.writeJSON(n, journalName, journal)
}

// ReadJournal reads what an earlier run left, and reports whether there was one.
func (v *Volume) ReadJournal(n int64, journal any) (bool, error) {
	found, err := v.readJSON(n, journalName, journal)
	if err != nil {
		return false, fmt.Errorf("journal of generation %d of volume %s: %w", n, v.path, err)
	}
	return found, nil
}

// RemoveJournal removes the journal of generation n.
func (v *Volume) RemoveJournal(n int64) error {
	err := v.root.Remove(path.Join(dirOf(n), journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (v *Volume) readJSON(n int64, name string, into any) (bool, error) {
	f, err := v.root.OpenFile(path.Join(dirOf(n), name), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSeal))
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal(b, into)
}

// writeJSON writes a file so that it is there whole or not at all, whenever the machine stops.
func (v *Volume) writeJSON(n int64, name string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	dir, temp := dirOf(n), path.Join(dirOf(n), name+".part")
	if err := v.writeSynced(temp, b); err != nil {
		return fmt.Errorf("writing %s of generation %d of volume %s: %w", name, n, v.path, err)
	}
	if err := v.root.Rename(temp, path.Join(dir, name)); err != nil {
		return fmt.Errorf("writing %s of generation %d of volume %s: %w", name, n, v.path, err)
	}
	for _, d := range []string{dir, genDir, "."} {
		if err := v.syncDir(d); err != nil {
			return fmt.Errorf("bringing %s of volume %s to disk: %w", d, v.path, err)
		}
	}
	return nil
}

func (v *Volume) writeSynced(name string, b []byte) error {
	if err := v.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := v.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (v *Volume) syncDir(name string) error {
	f, err := v.root.Open(name)
	if err != nil {
		return err
	}
	// Network file systems answer EINVAL when a directory cannot be synced; the server did it with the rename.
	if err = f.Sync(); errors.Is(err, unix.EINVAL) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
