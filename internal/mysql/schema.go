package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// querier is what a *sql.DB and a *sql.Conn have in common.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schema is everything in a database that bears the prefix, as read at one moment.
type schema struct {
	database string
	// collation is the database's default.
	collation string
	tables    []table
	sequences []object
	views     []object
	routines  []object
	triggers  []object
	events    []object
}

// table is a base table.
type table struct {
	name, engine string
	create       string
	columns      []column
	rows, bytes  int64 // the server's estimates
}

// column is a column of a table or view.
type column struct {
	name     string
	dataType string // information_schema's DATA_TYPE, in lower case
	charset  string // "" unless text
	// generated columns compute their value and must not be given one.
	generated bool
}

// object is anything stored that is not a table: its kind is the word after CREATE.
type object struct {
	kind, name string
	create     string
	// The session in which it was created, which decides what its text means; "" where it does not apply.
	sqlMode, timeZone, charset, collation, databaseCollation string
	columns                                                  []column // of a view
}

// transactional reports whether a consistent snapshot covers the table.
func (t *table) transactional() bool {
	switch strings.ToLower(t.engine) {
	case "innodb", "rocksdb", "tokudb":
		return true
	}
	return false
}

// holdsRows is false for engines which only refer to rows that are elsewhere.
func (t *table) holdsRows() bool {
	switch strings.ToLower(t.engine) {
	case "mrg_myisam", "merge", "federated", "blackhole":
		return false
	}
	return true
}

// stored are the columns that a statement may give values to.
func (t *table) stored() []column {
	return slices.DeleteFunc(slices.Clone(t.columns), func(c column) bool { return c.generated })
}

func columnNames(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// tableNames are the names of the tables that hold rows.
func (s *schema) tableNames() []string {
	var names []string
	for i := range s.tables {
		if s.tables[i].holdsRows() {
			names = append(names, s.tables[i].name)
		}
	}
	return names
}

// names is the set of the names which the database's own objects bear.
func (s *schema) names() map[string]bool {
	names := map[string]bool{}
	for i := range s.tables {
		names[s.tables[i].name] = true
	}
	for _, objects := range [][]object{s.sequences, s.views, s.routines, s.triggers, s.events} {
		for i := range objects {
			names[objects[i].name] = true
		}
	}
	return names
}

// sameAs reports whether nothing was created, altered or dropped between two readings. Counters, which change with
// every row, do not count.
func (s *schema) sameAs(other *schema) bool {
	return s.collation == other.collation &&
		slices.EqualFunc(s.tables, other.tables, func(a, b table) bool {
			return a.name == b.name && withoutCounter(a.create) == withoutCounter(b.create)
		}) &&
		slices.EqualFunc(s.views, other.views, sameObject) && slices.EqualFunc(s.routines, other.routines, sameObject) &&
		slices.EqualFunc(s.triggers, other.triggers, sameObject) && slices.EqualFunc(s.events, other.events, sameObject) &&
		slices.EqualFunc(s.sequences, other.sequences, sameObject)
}

func sameObject(a, b object) bool {
	return a.kind == b.kind && a.name == b.name && a.create == b.create
}

// withoutCounter removes the table option AUTO_INCREMENT=n, which stands after the last parenthesis of the columns.
func withoutCounter(create string) string {
	options := strings.LastIndex(create, "\n)")
	i := strings.Index(create[max(options, 0):], " AUTO_INCREMENT=")
	if options < 0 || i < 0 {
		return create
	}
	i += options
	end := i + len(" AUTO_INCREMENT=")
	for end < len(create) && create[end] >= '0' && create[end] <= '9' {
		end++
	}
	return create[:i] + create[end:]
}

// readSchema reads the definitions of everything whose name begins with prefix, byte for byte.
func readSchema(ctx context.Context, conn *session, prefix string) (*schema, error) {
	s := &schema{}
	err := conn.QueryRowContext(ctx, "SELECT DATABASE(), @@collation_database").Scan(&s.database, &s.collation)
	if err != nil {
		return nil, fmt.Errorf("read the database's collation: %w", Classify(err))
	}
	for _, read := range []func(context.Context, *session, string) error{
		s.listTables, s.readColumns, s.readTables, s.readViews, s.readRoutines, s.readTriggers, s.readEvents,
	} {
		if err := read(ctx, conn, prefix); err != nil {
			return nil, fmt.Errorf("read the definitions in %s: %w", s.database, err)
		}
	}
	return s, nil
}

// query runs a query and calls each with a function that scans the current row.
func query(ctx context.Context, q querier, text string, each func(scan func(...any) error) error) error {
	rows, err := q.QueryContext(ctx, text)
	if err != nil {
		return Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return Classify(rows.Err())
}

// queryNames runs a query for one column of names and keeps those with the prefix. The comparison is made here, not
// by LIKE or =, whose collations would let a neighbour's names in.
func queryNames(ctx context.Context, q querier, prefix, text string) ([]string, error) {
	var names []string
	err := query(ctx, q, text, func(scan func(...any) error) error {
		var name string
		if err := scan(&name); err != nil {
			return err
		}
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// showRow returns the one row of a SHOW CREATE statement by lower-case column name; NULL is "".
func showRow(ctx context.Context, q querier, text string) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, Classify(err))
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if !rows.Next() {
		return nil, fmt.Errorf("%s: no row: %w", text, Classify(rows.Err()))
	}
	values := make([]sql.NullString, len(names))
	targets := make([]any, len(names))
	for i := range values {
		targets[i] = &values[i]
	}
	if err := rows.Scan(targets...); err != nil {
		return nil, fmt.Errorf("%s: %w", text, Classify(err))
	}
	row := make(map[string]string, len(names))
	for i, name := range names {
		row[strings.ToLower(name)] = values[i].String
	}
	return row, Classify(rows.Err())
}
