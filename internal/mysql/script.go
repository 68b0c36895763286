package mysql

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

// partHeader sets up a session for a part, as mysqldump does, and partFooter puts back what it found. The MariaDB
// comment lets rows in that a CHECK added later would refuse.
const (
	partHeader = "SET @SW_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT, @SW_CHARACTER_SET_RESULTS=@@CHARACTER_SET_RESULTS, " +
		"@SW_COLLATION_CONNECTION=@@COLLATION_CONNECTION;\n" +
		"SET NAMES utf8mb4;\n" +
		"SET @SW_TIME_ZONE=@@TIME_ZONE, TIME_ZONE='+00:00';\n" +
		"SET @SW_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0;\n" +
		"SET @SW_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0;\n" +
		"SET @SW_SQL_MODE=@@SQL_MODE, SQL_MODE='" + sqlMode + "';\n" +
		"/*M!100201 SET @SW_CHECK_CONSTRAINT_CHECKS=@@CHECK_CONSTRAINT_CHECKS, CHECK_CONSTRAINT_CHECKS=0 */;\n\n"
	partFooter = "\n/*M!100201 SET CHECK_CONSTRAINT_CHECKS=@SW_CHECK_CONSTRAINT_CHECKS */;\n" +
		"SET SQL_MODE=@SW_SQL_MODE;\n" +
		"SET FOREIGN_KEY_CHECKS=@SW_FOREIGN_KEY_CHECKS;\n" +
		"SET UNIQUE_CHECKS=@SW_UNIQUE_CHECKS;\n" +
		"SET TIME_ZONE=@SW_TIME_ZONE;\n" +
		"SET CHARACTER_SET_CLIENT=@SW_CHARACTER_SET_CLIENT, CHARACTER_SET_RESULTS=@SW_CHARACTER_SET_RESULTS, " +
		"COLLATION_CONNECTION=@SW_COLLATION_CONNECTION;\n" +
		completeMark + "\n\n"
)

// writer writes the script of a schema.
type writer struct {
	schema *schema
	own    map[string]bool
	// account is who reads, as user@host.
	account string
	prefix  string
}

// tables writes the database's defaults, the sequences with their state, and the tables without rows. Sequences come
// first, since a column's default may draw from one.
func (d *writer) tables(ctx context.Context, conn *session, w io.Writer) error {
	var b strings.Builder
	if d.prefix == "" {
		fmt.Fprintf(&b, "ALTER DATABASE COLLATE %s;\n", d.schema.collation)
	}
	for i := range d.schema.sequences {
		s := &d.schema.sequences[i]
		fmt.Fprintf(&b, "DROP SEQUENCE IF EXISTS %s;\n%s;\n", QuoteName(s.name), d.local(s.create, ""))
	}
	if err := d.states(ctx, conn, &b); err != nil {
		return err
	}
	for i := range d.schema.tables {
		t := &d.schema.tables[i]
		fmt.Fprintf(&b, "DROP TABLE IF EXISTS %s;\n%s;\n", QuoteName(t.name), d.local(t.create, ""))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// states writes where the sequences are, which no snapshot covers: it may be further than their rows are.
func (d *writer) states(ctx context.Context, conn *session, w io.Writer) error {
	var b strings.Builder
	for i := range d.schema.sequences {
		name := QuoteName(d.schema.sequences[i].name)
		var next string
		if err := conn.QueryRowContext(ctx, "SELECT next_not_cached_value FROM "+name).Scan(&next); err != nil {
			return fmt.Errorf("read the sequence %s: %w", name, Classify(err))
		}
		fmt.Fprintf(&b, "DO SETVAL(%s, %s, 0);\n", name, next)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// views writes the views in the order in which they refer to each other. Where that cannot be told, they are written
// twice: first with the right columns but constant values, then as they are.
func (d *writer) views(w io.Writer) error {
	var b strings.Builder
	views, ordered := sortViews(d.schema.views)
	for i := range views {
		if ordered {
			break
		}
		constants := make([]string, len(views[i].columns))
		for c, name := range columnNames(views[i].columns) {
			constants[c] = "1 AS " + QuoteName(name)
		}
		fmt.Fprintf(&b, "CREATE OR REPLACE VIEW %s AS SELECT %s;\n", QuoteName(views[i].name), strings.Join(constants, ", "))
	}
	for i := range views {
		fmt.Fprintf(&b, "DROP VIEW IF EXISTS %s;\n", QuoteName(views[i].name))
		d.object(&b, &views[i])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sortViews puts each view behind those whose names appear in it. A column or alias may bear a view's name too; if that
// makes a circle, ordered is false.
func sortViews(views []object) (sorted []object, ordered bool) {
	const inProgress, done = 1, 2
	index := map[string]int{}
	for i := range views {
		index[views[i].name] = i
	}
	state := make([]int, len(views))
	ordered = true
	var visit func(i int)
	visit = func(i int) {
		state[i] = inProgress
		l := &lexer{src: []byte(views[i].create)}
		for _, t := range l.all() {
			other, is := index[l.name(t)]
			switch {
			case t.kind != tokenName || !is || other == i:
			case state[other] == inProgress:
				ordered = false
			case state[other] != done:
				visit(other)
			}
		}
		state[i] = done
		sorted = append(sorted, views[i])
	}
	for i := range views {
		if state[i] != done {
			visit(i)
		}
	}
	return sorted, ordered
}

// objects writes routines, triggers or events.
func (d *writer) objects(w io.Writer, objects []object) error {
	var b strings.Builder
	for i := range objects {
		o := &objects[i]
		drop := fmt.Sprintf("DROP %s IF EXISTS %s;\n", o.kind, QuoteName(o.name))
		if strings.HasPrefix(o.kind, "PACKAGE") {
			drop = "SET sql_mode = " + QuoteString(oracleMode) + ";\n" + drop
		}
		b.WriteString(drop)
		d.object(&b, o)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// object writes one definition in a session like the one that created it, which the server stores with it.
func (d *writer) object(b *strings.Builder, o *object) {
	text := withoutOwnDefiner(d.local(o.create, o.sqlMode), d.account, sqlmode.Parse(o.sqlMode))
	alter := o.databaseCollation != "" && o.databaseCollation != d.schema.collation
	if alter {
		fmt.Fprintf(b, "ALTER DATABASE COLLATE %s;\n", o.databaseCollation)
	}
	b.WriteString("DELIMITER ;;\n")
	if o.charset != "" {
		fmt.Fprintf(b, "SET character_set_client = %s;;\nSET collation_connection = %s;;\n", o.charset, o.collation)
	}
	if o.timeZone != "" {
		fmt.Fprintf(b, "SET time_zone = %s;;\n", QuoteString(o.timeZone))
	}
	if o.kind != "VIEW" {
		fmt.Fprintf(b, "SET sql_mode = %s;;\n", QuoteString(o.sqlMode))
	}
	b.WriteString(text)
	fmt.Fprintf(b, "\n;;\nSET sql_mode = '%s';;\nSET time_zone = '+00:00';;\nSET NAMES %s;;\nDELIMITER ;\n", sqlMode, charset)
	if alter {
		fmt.Fprintf(b, "ALTER DATABASE COLLATE %s;\n", d.schema.collation)
	}
}

func (d *writer) local(create, sqlMode string) string {
	return localize(create, d.schema.database, d.own, sqlmode.Parse(sqlMode))
}
