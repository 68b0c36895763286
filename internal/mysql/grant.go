package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	gomysql "github.com/go-sql-driver/mysql"
)

// sitePrivileges are what a web application, its installer and this package need in the site's own database: all there
// are, but no right to pass them on.
var sitePrivileges = []string{
	"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER", "CREATE TEMPORARY TABLES",
	"LOCK TABLES", "CREATE VIEW", "SHOW VIEW", "CREATE ROUTINE", "ALTER ROUTINE", "EXECUTE", "EVENT", "TRIGGER",
}

// readPrivileges are what a dump or copy needs in the database it reads.
var readPrivileges = []string{"SELECT", "LOCK TABLES", "SHOW VIEW", "EVENT", "TRIGGER"}

// noSuchGrant are the server's errors for revoking what was not granted.
var noSuchGrant = []uint16{1141, 1147, 1269}

// Grant gives the account user@'%' the site's privileges in exactly this database.
func (a *Admin) Grant(ctx context.Context, user, database string) error {
	return a.grant(ctx, sitePrivileges, user, database)
}

// Revoke takes all that the account user@'%' may do in exactly this database: the server keeps that when the database goes. An account, or a
// grant, that is absent is a success.
func (a *Admin) Revoke(ctx context.Context, user, database string) error {
	return a.revoke(ctx, []string{"ALL PRIVILEGES"}, user, database)
}

// GrantRead lets the account user@'%' read this database, to dump or copy it. Bodies of routines stay readable to
// their definers only, until MariaDB 11.3.
func (a *Admin) GrantRead(ctx context.Context, user, database string) error {
	s, err := readServer(ctx, a.db)
	if err != nil {
		return err
	}
	return a.grant(ctx, readable(s), user, database)
}

// RevokeRead takes back what GrantRead gave. An account, or a grant, that is absent is a success. It must not be used on
// an account which has Grant on the database too, since it would take part of that.
func (a *Admin) RevokeRead(ctx context.Context, user, database string) error {
	s, err := readServer(ctx, a.db)
	if err != nil {
		return err
	}
	return a.revoke(ctx, readable(s), user, database)
}

// GrantRows lets the account user@'%' read the rows of this database, which is all that it needs to be filled from it
// inside the server (NewCopy).
func (a *Admin) GrantRows(ctx context.Context, user, database string) error {
	return a.grant(ctx, []string{"SELECT"}, user, database)
}

// RevokeRows takes back what GrantRows gave, as RevokeRead does.
func (a *Admin) RevokeRows(ctx context.Context, user, database string) error {
	return a.revoke(ctx, []string{"SELECT"}, user, database)
}

func (a *Admin) revoke(ctx context.Context, privileges []string, user, database string) error {
	pattern, err := a.pattern(ctx, database)
	if err != nil {
		return err
	}
	_, err = a.db.ExecContext(ctx, "REVOKE "+strings.Join(privileges, ", ")+" ON "+pattern+".* FROM "+account(user))
	if server, ok := errors.AsType[*gomysql.MySQLError](err); ok && slices.Contains(noSuchGrant, server.Number) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("revoke access to %s from %s: %w", QuoteName(database), QuoteName(user), Classify(err))
	}
	return nil
}

func readable(s server) []string {
	if s.mariadb && s.id >= 110300 {
		return append(slices.Clone(readPrivileges), "SHOW CREATE ROUTINE")
	}
	return readPrivileges
}

func (a *Admin) grant(ctx context.Context, privileges []string, user, database string) error {
	pattern, err := a.pattern(ctx, database)
	if err != nil {
		return err
	}
	return a.exec(ctx, "grant "+QuoteName(user)+" access to "+QuoteName(database),
		"GRANT "+strings.Join(privileges, ", ")+" ON "+pattern+".* TO "+account(user))
}

// pattern is the database as GRANT takes it. MySQL with partial_revokes takes names literally.
func (a *Admin) pattern(ctx context.Context, database string) (string, error) {
	literally := false
	err := query(ctx, a.db, "SHOW VARIABLES LIKE 'partial\\_revokes'", func(scan func(...any) error) error {
		var name, value string
		err := scan(&name, &value)
		literally = value == "ON"
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the server's variables: %w", err)
	}
	return grantPattern(database, literally), nil
}

// CanCreate finds out whether the login can do what a DatabaseServer is for: create and drop databases, create users
// and grant them access. It reads the login's own grants and changes nothing. The version is returned even then; an
// error of class ErrDenied names the privileges which are missing. A login whose privileges are limited to a pattern of
// names passes if it has the privileges in some pattern.
func (a *Admin) CanCreate(ctx context.Context) (version string, err error) {
	version, err = a.Version(ctx)
	if err != nil {
		return "", err
	}
	grants, err := readGrants(ctx, a.db)
	if err != nil {
		return version, fmt.Errorf("read the login's privileges: %w", err)
	}
	if missing := grants.missing(); len(missing) > 0 {
		return version, fmt.Errorf("create databases: %w: the login lacks %s", ErrDenied, strings.Join(missing, ", "))
	}
	return version, nil
}
