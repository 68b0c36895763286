package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/names"
)

// server connects to the DatabaseServer "main" as its administrator.
func (k *cluster) server() *sql.DB {
	k.t.Helper()
	db, err := k.Database(k.t.Context())
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = db.Close() })
	return db
}

// search counts the rows that hold a text, by table, over every column of a database.
func (k *cluster) search(database, text string) map[string]int {
	k.t.Helper()
	db, found := k.server(), map[string]int{}
	rows, err := db.QueryContext(k.t.Context(), "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = ?", database)
	if err != nil {
		k.t.Fatal(err)
	}
	var columns [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			k.t.Fatal(err)
		}
		columns = append(columns, c)
	}
	if err := rows.Err(); err != nil || len(columns) == 0 {
		k.t.Fatalf("database %s has no columns (%v)", database, err)
	}
	for _, c := range columns {
		var n int
		query := fmt.Sprintf("SELECT COUNT(*) FROM `%s`.`%s` WHERE LOCATE(?, CAST(`%s` AS BINARY)) > 0", database, c[0], c[1])
		if err := db.QueryRowContext(k.t.Context(), query, []byte(text)).Scan(&n); err != nil {
			k.t.Fatal(err)
		}
		if n > 0 {
			found[c[0]] += n
		}
	}
	return found
}

// databasesOf lists the databases and users of an Install that are on the server.
func (k *cluster) databasesOf(uid string) string {
	k.t.Helper()
	db, left := k.server(), []string{}
	for query, argument := range map[string]string{
		"SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, CHAR_LENGTH(?1)) = ?1": names.DatabasePrefix(uid),
		"SELECT user FROM mysql.user WHERE user = ?1":                                                       names.DatabaseUser(uid),
	} {
		arguments := []any{}
		for range strings.Count(query, "?1") {
			arguments = append(arguments, argument)
		}
		rows, err := db.QueryContext(k.t.Context(), strings.ReplaceAll(query, "?1", "?"), arguments...)
		if err != nil {
			k.t.Fatal(err)
		}
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				k.t.Fatal(err)
			}
			left = append(left, name)
		}
		if err := rows.Err(); err != nil {
			k.t.Fatal(err)
		}
	}
	return strings.Join(left, ", ")
}

// snapshots lists what is in the namespace's s3 location, by opening its repository from this machine.
func (k *cluster) snapshots() string {
	k.t.Helper()
	k.ready(&api.BackupLocation{}, "s3")
	ctx := context.Background()
	r, err := k.Repository(ctx, k.t.TempDir())
	if err != nil {
		k.t.Fatal(err)
	}
	defer func() { _ = r.Close(ctx) }()
	list, err := r.List(ctx, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	if len(list) == 0 {
		return ""
	}
	return fmt.Sprintf("%+v", list)
}
