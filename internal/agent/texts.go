package agent

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
)

const (
	// maxText is the size above which a file is taken for data, and textHead where a NUL tells that it is.
	maxText  = 16 << 20
	textHead = 8 << 10
)

// rewriteFiles rewrites the old place in the text files of a directory of the generation.
func (m *move) rewriteFiles(ctx context.Context, dir string) (err error) {
	marks, err := m.marks()
	if err != nil || len(marks) == 0 {
		return err
	}
	root, err := m.volume.OpenDir(m.site.Generation, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	rewriting := m.progress.phase(90, 95, "rewriting addresses in files")
	var done int64
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		done += info.Size()
		rewriting.report(done, m.result.Bytes)
		if info.Size() == 0 || info.Size() > maxText {
			return nil
		}
		if err := m.rewriteFile(root, name, info, marks); err != nil {
			return fmt.Errorf("rewriting %s/%s: %w", dir, name, err)
		}
		return nil
	})
}

// marks are what a file must hold to be looked at: the old host, or the old path.
func (m *move) marks() ([][]byte, error) {
	var marks [][]byte
	if m.from.url != m.to.url {
		u, err := url.Parse(m.from.url)
		if err != nil {
			return nil, invalid("the URL %q of the site that is copied: %v", m.from.url, err)
		}
		marks = append(marks, []byte(strings.ToLower(u.Hostname())))
	}
	if m.from.path != m.to.path {
		marks = append(marks, []byte(m.from.path))
	}
	return marks, nil
}

func (m *move) rewriteFile(root *os.Root, name string, info fs.FileInfo, marks [][]byte) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	head := make([]byte, min(textHead, info.Size()))
	n, err := io.ReadFull(f, head)
	if err != nil || bytes.IndexByte(head[:n], 0) >= 0 {
		return errors.Join(err, f.Close())
	}
	rest, err := io.ReadAll(io.LimitReader(f, maxText))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	content := append(head[:n], rest...)
	mentions := false
	for _, mark := range marks {
		mentions = mentions || bytes.Contains(content, mark)
	}
	if !mentions {
		return nil
	}
	rewritten, changed := m.rewriter.Text(content)
	if changed == 0 {
		return nil
	}
	m.result.Rewritten++
	return writeFile(root, name, rewritten, info.Mode())
}
