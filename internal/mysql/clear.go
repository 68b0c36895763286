package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Clear drops everything in the database whose name begins with prefix: tables with their triggers, views, sequences,
// routines and events; with an empty prefix, everything. The database and its grants stay. It is idempotent, and
// finishes what an earlier call could not.
func Clear(ctx context.Context, config Config, prefix string) (err error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	if err := conn.exec(ctx, "SET SESSION foreign_key_checks=0"); err != nil {
		return fmt.Errorf("clear %s: %w", config, err)
	}
	for _, list := range []struct{ kind, query string }{
		{"EVENT", "SELECT EVENT_NAME FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE()"},
		{"VIEW", tablesOfType + "= 'VIEW'"},
		{"TABLE", tablesOfType + "NOT IN ('VIEW', 'SEQUENCE')"},
		{"SEQUENCE", tablesOfType + "= 'SEQUENCE'"},
		{"PROCEDURE", routinesOfType + "'PROCEDURE'"},
		{"FUNCTION", routinesOfType + "'FUNCTION'"},
		{"PACKAGE", routinesOfType + "'PACKAGE'"}, // with its body; last, since it takes another mode
	} {
		names, err := queryNames(ctx, conn, prefix, list.query)
		if err != nil {
			return fmt.Errorf("clear %s: list %ss: %w", config, strings.ToLower(list.kind), err)
		}
		if list.kind == "PACKAGE" && len(names) > 0 {
			if err := conn.exec(ctx, "SET SESSION sql_mode="+QuoteString(oracleMode)); err != nil {
				return fmt.Errorf("clear %s: %w", config, err)
			}
		}
		for _, name := range names {
			if err := conn.exec(ctx, "DROP "+list.kind+" IF EXISTS "+QuoteName(name)); err != nil {
				return fmt.Errorf("clear %s: drop %s %s: %w", config, strings.ToLower(list.kind), QuoteName(name), err)
			}
		}
	}
	return nil
}

// oracleMode is the only sql_mode in which MariaDB before 11.4 reads statements about packages.
const oracleMode = "ORACLE"

const (
	tablesOfType   = "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE "
	routinesOfType = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE = "
)

// TableStats counts the tables whose names begin with prefix and adds up the bytes of their rows and indexes, which
// are the server's estimates.
func TableStats(ctx context.Context, config Config, prefix string) (tables int, bytes int64, err error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	s := &schema{}
	if err := s.listTables(ctx, conn, prefix); err != nil {
		return 0, 0, fmt.Errorf("count the tables in %s: %w", config, err)
	}
	for i := range s.tables {
		bytes += s.tables[i].bytes
	}
	return len(s.tables), bytes, nil
}
