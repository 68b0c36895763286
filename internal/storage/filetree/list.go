package filetree

import (
	"context"
	"errors"
	"iter"
	"path"
	"strings"

	"github.com/sitewright/sitewright/internal/storage"
)

// maxDepth bounds a listing: names have at most 900 bytes, and a server's links may lead in circles.
const maxDepth = 450

// List implements storage.Store. It reads only directories that can hold a match, and never the temporary one. A
// directory is read whole before its entries are yielded, so no session is held while the consumer works.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		dir := "."
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			dir = prefix[:i]
		}
		if dir != "." && storage.CheckName(dir) != nil {
			return // No object can have such a name.
		}
		if _, err := s.walk(ctx, dir, prefix, 0, yield); err != nil {
			yield(storage.Info{}, err)
		}
	}
}

// walk yields the matches below dir; it returns false when the consumer wants no more.
func (s *Store) walk(ctx context.Context, dir, prefix string, depth int, yield func(storage.Info, error) bool) (bool, error) {
	var entries []Entry
	err := s.do(ctx, "list", prefix, func(ctx context.Context, c Session) (err error) {
		entries, err = c.ReadDir(ctx, dir)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) && dir != "." {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		name := path.Join(dir, e.Name)
		if storage.CheckName(name) != nil {
			continue // Not ours, or a name made to lead elsewhere.
		}
		if e.Mode.IsDir() {
			reachable := strings.HasPrefix(name+"/", prefix) || strings.HasPrefix(prefix, name+"/")
			if !reachable || name == tempDir || depth == maxDepth {
				continue
			}
			if more, err := s.walk(ctx, name, prefix, depth+1, yield); err != nil || !more {
				return false, err
			}
			continue
		}
		if !strings.HasPrefix(name, prefix) || !e.Mode.IsRegular() {
			continue
		}
		if !yield(storage.Info{Name: name, Size: e.Size, ModTime: e.ModTime}, nil) {
			return false, nil
		}
	}
	return true, nil
}
