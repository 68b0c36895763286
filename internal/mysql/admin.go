package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	gomysql "github.com/go-sql-driver/mysql"
)

// anyHost is the host of every account the package makes: pods have no addresses one could name.
const anyHost = "%"

// Admin creates and removes databases and accounts with an administrator's login. All its verbs are idempotent.
type Admin struct {
	db *sql.DB
}

// NewAdmin uses a pool opened by Open; the caller closes it.
func NewAdmin(db *sql.DB) *Admin { return &Admin{db: db} }

// DatabaseOptions are a new database's defaults for tables that say nothing themselves.
type DatabaseOptions struct {
	// Charset and Collation; empty means utf8mb4 and its default collation.
	Charset, Collation string
}

// symbol is what names of character sets and collations look like; they cannot be quoted.
var symbol = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// CreateDatabase creates a database unless it exists; an existing one keeps its defaults.
func (a *Admin) CreateDatabase(ctx context.Context, name string, options DatabaseOptions) error {
	if options.Charset == "" {
		options.Charset = charset
	}
	clause := " CHARACTER SET " + options.Charset
	if options.Collation != "" {
		clause += " COLLATE " + options.Collation
	}
	if !symbol.MatchString(options.Charset) || options.Collation != "" && !symbol.MatchString(options.Collation) {
		return fmt.Errorf("create database %s: %w: character set %q, collation %q", QuoteName(name), ErrUnsupported,
			options.Charset, options.Collation)
	}
	return a.exec(ctx, "create database "+QuoteName(name), "CREATE DATABASE IF NOT EXISTS "+QuoteName(name)+clause)
}

// DropDatabase removes a database and all that is in it. One that is absent is a success.
func (a *Admin) DropDatabase(ctx context.Context, name string) error {
	return a.exec(ctx, "drop database "+QuoteName(name), "DROP DATABASE IF EXISTS "+QuoteName(name))
}

// EnsureUser creates the account user@'%' or sets its password. Its privileges stay as they are; a new one has none.
func (a *Admin) EnsureUser(ctx context.Context, user, password string) error {
	doing := "set up user " + QuoteName(user)
	secret := " IDENTIFIED BY " + QuoteString(password)
	err := a.secret(ctx, doing, "CREATE USER IF NOT EXISTS "+account(user)+secret)
	if err != nil {
		return err
	}
	return a.secret(ctx, doing, "ALTER USER "+account(user)+secret)
}

// DropUser removes the account user@'%' and its privileges. One that is absent is a success.
func (a *Admin) DropUser(ctx context.Context, user string) error {
	return a.exec(ctx, "drop user "+QuoteName(user), "DROP USER IF EXISTS "+account(user))
}

// DatabaseExists reports whether the server has the database.
func (a *Admin) DatabaseExists(ctx context.Context, name string) (bool, error) {
	names, err := a.ListDatabases(ctx, name)
	for _, n := range names {
		if n == name {
			return true, nil
		}
	}
	return false, err
}

// UserExists reports whether the account user@'%' exists. It needs SELECT on mysql.user.
func (a *Admin) UserExists(ctx context.Context, user string) (bool, error) {
	exists, err := accountExists(ctx, a.db, user, anyHost)
	if err != nil {
		return false, fmt.Errorf("look for user %s: %w", QuoteName(user), err)
	}
	return exists, nil
}

// ListDatabases lists, in order, the databases whose names begin with prefix, as far as the login may see them.
func (a *Admin) ListDatabases(ctx context.Context, prefix string) ([]string, error) {
	names, err := queryNames(ctx, a.db, prefix,
		"SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY CAST(SCHEMA_NAME AS BINARY)")
	if err != nil {
		return nil, fmt.Errorf("list databases: %w", err)
	}
	return names, nil
}

// Version is the server's version, as it gives it: "10.11.19-MariaDB", "8.0.36".
func (a *Admin) Version(ctx context.Context) (string, error) {
	s, err := readServer(ctx, a.db)
	return s.version, err
}

func (a *Admin) exec(ctx context.Context, doing, statement string) error {
	if _, err := a.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", doing, Classify(err))
	}
	return nil
}

// secret runs a statement that holds a password. The server quotes statements in its messages, so of its error only
// the class and the number are kept.
func (a *Admin) secret(ctx context.Context, doing, statement string) error {
	_, err := a.db.ExecContext(ctx, statement)
	return withoutStatement(doing, err)
}

// withoutStatement words the error of a statement that holds a password: the server may have repeated it.
func withoutStatement(doing string, err error) error {
	server, ok := errors.AsType[*gomysql.MySQLError](err)
	if !ok {
		if err != nil {
			err = fmt.Errorf("%s: %w", doing, Classify(err))
		}
		return err
	}
	if class := classOfNumber(server.Number); class != nil {
		return fmt.Errorf("%s: %w (server error %d)", doing, class, server.Number)
	}
	return fmt.Errorf("%s: server error %d (does the password meet the server's policy?)", doing, server.Number)
}

// account is the SQL form of user@'%'.
func account(user string) string { return QuoteString(user) + "@" + QuoteString(anyHost) }

// grantPattern is the form in which GRANT takes a database's name: there it is a pattern, in which _ and % stand for
// other characters, unless they are escaped. literally is set for servers which take names as they are.
func grantPattern(name string, literally bool) string {
	if !literally {
		name = strings.NewReplacer(`\`, `\\`, `_`, `\_`, `%`, `\%`).Replace(name)
	}
	return QuoteName(name)
}
