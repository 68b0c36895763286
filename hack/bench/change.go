package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/sitewright/sitewright/internal/mysql"
)

// alter changes one file in a hundred, and one row in a hundred of posts, metadata and options, wherever they are.
func (b *bench) alter(ctx context.Context, s *site) (err error) {
	b.change++
	a := newAuthor(uint64(100 + b.change))
	if err := a.alterFiles(s.uploads(), b.change); err != nil {
		return fmt.Errorf("changing files: %w", err)
	}
	pool, err := mysql.Open(ctx, b.server.login(siteUser, sitePassword, s.plan.Database.Name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, t := range a.altered() {
		if err := t.alterRows(ctx, tx); err != nil {
			return errors.Join(fmt.Errorf("changing %s%s: %w", prefix, t.table, err), tx.Rollback())
		}
	}
	return tx.Commit()
}

// alterFiles replaces one file in a hundred by another of the same kind and size, as an image that was edited.
func (a *author) alterFiles(dir string, change int) error {
	n := uint64(0)
	return filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !a.once(100) {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		n++
		for _, u := range uploads {
			if strings.HasSuffix(path, u.extension) {
				return errors.Join(os.Remove(path), u.write(path, info.Size(), uint64(change)<<32|n, a))
			}
		}
		return nil
	})
}

// altered is a table whose rows change.
type altered struct {
	*author
	table, key string
	first      int
	alter      func(ctx context.Context, tx *sql.Tx, id int) error
}

func (a *author) altered() []altered {
	return []altered{
		{a, "posts", "ID", firstPost, a.alterPost}, {a, "postmeta", "meta_id", firstMeta, a.alterMeta}, {a, "options", "option_id", firstOption, a.alterOption},
	}
}

func (t altered) alterRows(ctx context.Context, tx *sql.Tx) error {
	var last int
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX("+t.key+"),0) FROM "+prefix+t.table).Scan(&last); err != nil {
		return err
	}
	for id := t.first; id <= last; id++ {
		if t.once(100) {
			if err := t.alter(ctx, tx, id); err != nil {
				return fmt.Errorf("row %d: %w", id, err)
			}
		}
	}
	return nil
}

func (a *author) alterPost(ctx context.Context, tx *sql.Tx, id int) error {
	_, err := tx.ExecContext(ctx, "UPDATE "+prefix+"posts SET post_content = CONCAT(post_content, ?), post_modified = NOW() WHERE ID = ?", a.paragraph(), id)
	return err
}

func (a *author) alterMeta(ctx context.Context, tx *sql.Tx, id int) error {
	var key string
	err := tx.QueryRowContext(ctx, "SELECT meta_key FROM "+prefix+"postmeta WHERE meta_id = ?", id).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE "+prefix+"postmeta SET meta_value = ? WHERE meta_id = ?", a.metaValue(key), id)
	return err
}

func (a *author) alterOption(ctx context.Context, tx *sql.Tx, id int) error {
	_, err := tx.ExecContext(ctx, "UPDATE "+prefix+"options SET option_value = ? WHERE option_id = ?", a.optionValue(), id)
	return err
}
