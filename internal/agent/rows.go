package agent

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"

	api "github.com/sitewright/sitewright/api/recipe"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/recipe"
)

// The server's error numbers for what a recipe speaks of and this site does not have.
const (
	noSuchTable  = 1146
	noSuchColumn = 1054
)

// adaptRows changes the rows that carry the table prefix, and runs the recipe's statements for a new site.
func (m *move) adaptRows(ctx context.Context) (err error) {
	db, err := mysql.Open(ctx, m.database.config)
	if err != nil {
		return m.aboutDatabase(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if m.from.prefix != m.to.prefix {
		for _, row := range m.site.Recipe.Move.Prefix {
			if err := m.adaptRow(ctx, db, row); err != nil {
				return err
			}
		}
	}
	if !m.newSite {
		return nil
	}
	for i, source := range m.site.Recipe.Move.Clear {
		statement, err := recipe.Query(source, m.to.prefix)
		if err != nil {
			return invalid("recipe of application %s: move.clear[%d]: %v", m.site.Application, i, err)
		}
		if _, err := m.exec(ctx, db, fmt.Sprintf("move.clear[%d]", i), statement); err != nil {
			return err
		}
	}
	return nil
}

// adaptRow replaces the old prefix in the values that a PrefixRow names. Values are compared as bytes: another site's
// prefix may differ in case only.
func (m *move) adaptRow(ctx context.Context, db *sql.DB, row api.PrefixRow) error {
	source, condition := row.Equals, "= BINARY ?"
	if row.StartsWith != "" {
		source, condition = row.StartsWith, "= BINARY LEFT(?, 255)"
	}
	oldText, err := recipe.PrefixText(source, m.from.prefix)
	if err != nil {
		return invalid("recipe of application %s: move.prefix: %v", m.site.Application, err)
	}
	newText, err := recipe.PrefixText(source, m.to.prefix)
	if err != nil {
		return invalid("recipe of application %s: move.prefix: %v", m.site.Application, err)
	}
	table, column := mysql.QuoteName(m.to.prefix+row.Table), mysql.QuoteName(row.Column)
	left := column
	if row.StartsWith != "" {
		left = "LEFT(" + column + ", CHAR_LENGTH(?))"
	}
	query := fmt.Sprintf("UPDATE %s SET %s = CONCAT(?, SUBSTRING(%s, CHAR_LENGTH(?) + 1)) WHERE BINARY %s %s", table, column, column, left, condition)
	args := []any{newText, oldText, oldText}
	if row.StartsWith != "" {
		args = append(args, oldText)
	}
	n, err := m.exec(ctx, db, "move.prefix of "+row.Table, query, args...)
	m.result.Rewritten += n
	return err
}

// exec runs a statement. A table or column that this site does not have is no failure: recipes speak of what
// applications may have.
func (m *move) exec(ctx context.Context, db *sql.DB, what, query string, args ...any) (int64, error) {
	result, err := db.ExecContext(ctx, query, args...)
	if e, ok := errors.AsType[*driver.MySQLError](err); ok && (e.Number == noSuchTable || e.Number == noSuchColumn) {
		m.warn("%s was passed over: %s", what, e.Message)
		return 0, nil
	}
	if err != nil {
		return 0, m.aboutDatabase(fmt.Errorf("%s: %w", what, mysql.Classify(err)))
	}
	n, err := result.RowsAffected()
	return n, err
}
