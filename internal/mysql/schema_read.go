package mysql

import (
	"context"
	"fmt"
	"strings"
)

func (s *schema) listTables(ctx context.Context, conn *session, prefix string) error {
	return query(ctx, conn, `SELECT TABLE_NAME, TABLE_TYPE, IFNULL(ENGINE, ''), IFNULL(TABLE_ROWS, 0),
		IFNULL(DATA_LENGTH, 0) + IFNULL(INDEX_LENGTH, 0) FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() ORDER BY CAST(TABLE_NAME AS BINARY)`,
		func(scan func(...any) error) error {
			var kind string
			var t table
			if err := scan(&t.name, &kind, &t.engine, &t.rows, &t.bytes); err != nil {
				return err
			}
			if !strings.HasPrefix(t.name, prefix) {
				return nil
			}
			switch kind {
			case "BASE TABLE", "SYSTEM VERSIONED":
				s.tables = append(s.tables, t)
			case "VIEW":
				s.views = append(s.views, object{kind: "VIEW", name: t.name})
			case "SEQUENCE":
				s.sequences = append(s.sequences, object{kind: "SEQUENCE", name: t.name})
			}
			return nil
		})
}

func (s *schema) readColumns(ctx context.Context, conn *session, _ string) error {
	columns := map[string]*[]column{}
	for i := range s.tables {
		columns[s.tables[i].name] = &s.tables[i].columns
	}
	for i := range s.views {
		columns[s.views[i].name] = &s.views[i].columns
	}
	return query(ctx, conn, `SELECT TABLE_NAME, COLUMN_NAME, LOWER(DATA_TYPE), IFNULL(CHARACTER_SET_NAME, ''), EXTRA
		FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME, ORDINAL_POSITION`,
		func(scan func(...any) error) error {
			var name, extra string
			var c column
			if err := scan(&name, &c.name, &c.dataType, &c.charset, &extra); err != nil {
				return err
			}
			// MySQL's DEFAULT_GENERATED is a default, not a generated column.
			extra = strings.ToUpper(extra)
			c.generated = strings.Contains(extra, "VIRTUAL GENERATED") || strings.Contains(extra, "STORED GENERATED") ||
				strings.Contains(extra, "PERSISTENT")
			if list := columns[name]; list != nil {
				*list = append(*list, c)
			}
			return nil
		})
}

func (s *schema) readTables(ctx context.Context, conn *session, _ string) error {
	for i := range s.tables {
		row, err := showRow(ctx, conn, "SHOW CREATE TABLE "+QuoteName(s.tables[i].name))
		if err != nil {
			return err
		}
		s.tables[i].create = row["create table"]
	}
	for i := range s.sequences {
		row, err := showRow(ctx, conn, "SHOW CREATE SEQUENCE "+QuoteName(s.sequences[i].name))
		if err != nil {
			return err
		}
		s.sequences[i].create = row["create table"]
	}
	return nil
}

func (s *schema) readViews(ctx context.Context, conn *session, _ string) error {
	return readObjects(ctx, conn, s.views, "create view")
}

func (s *schema) readRoutines(ctx context.Context, conn *session, prefix string) error {
	err := query(ctx, conn, `SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES
		WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY ROUTINE_TYPE, CAST(ROUTINE_NAME AS BINARY)`,
		appendObjects(&s.routines, prefix))
	if err != nil {
		return err
	}
	return readObjects(ctx, conn, s.routines, "")
}

func (s *schema) readTriggers(ctx context.Context, conn *session, prefix string) error {
	tables := map[string]bool{}
	for i := range s.tables {
		tables[s.tables[i].name] = true
	}
	err := query(ctx, conn, `SELECT EVENT_OBJECT_TABLE, TRIGGER_NAME FROM information_schema.TRIGGERS
		WHERE TRIGGER_SCHEMA = DATABASE()
		ORDER BY CAST(EVENT_OBJECT_TABLE AS BINARY), EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER`,
		func(scan func(...any) error) error {
			var on string
			trigger := object{kind: "TRIGGER"}
			if err := scan(&on, &trigger.name); err != nil {
				return err
			}
			if tables[on] { // a trigger belongs to its table, whatever its own name
				s.triggers = append(s.triggers, trigger)
			}
			return nil
		})
	if err != nil {
		return err
	}
	return readObjects(ctx, conn, s.triggers, "sql original statement")
}

func (s *schema) readEvents(ctx context.Context, conn *session, prefix string) error {
	err := query(ctx, conn, `SELECT 'EVENT', EVENT_NAME FROM information_schema.EVENTS
		WHERE EVENT_SCHEMA = DATABASE() ORDER BY CAST(EVENT_NAME AS BINARY)`, appendObjects(&s.events, prefix))
	if err != nil {
		return err
	}
	return readObjects(ctx, conn, s.events, "create event")
}

func appendObjects(list *[]object, prefix string) func(scan func(...any) error) error {
	return func(scan func(...any) error) error {
		var o object
		if err := scan(&o.kind, &o.name); err != nil {
			return err
		}
		if strings.HasPrefix(o.name, prefix) {
			*list = append(*list, o)
		}
		return nil
	}
}

// readObjects completes objects from SHOW CREATE; column holds the statement, "" means "create <kind>". Their text is
// read without conversion, since it was stored in the character set of the session that created them, which a load
// sets again.
func readObjects(ctx context.Context, conn *session, objects []object, column string) error {
	if len(objects) == 0 {
		return nil
	}
	for i := range objects {
		o := &objects[i]
		from := column
		if from == "" {
			from = "create " + strings.ToLower(o.kind)
		}
		row, err := showObject(ctx, conn, o, "NULL")
		if err == nil && unsafeCharsets[row["character_set_client"]] {
			// Load could not tell where strings end: such a definition moves to utf8mb4.
			row, err = showObject(ctx, conn, o, charset)
		}
		if err != nil {
			return err
		}
		if unsafeCharsets[row["character_set_client"]] {
			row["character_set_client"] = charset
		}
		o.create = row[from]
		if o.create == "" {
			return fmt.Errorf("read the body of %s %s: %w: only its definer or an administrator may",
				strings.ToLower(o.kind), QuoteName(o.name), ErrDenied)
		}
		o.sqlMode, o.timeZone = row["sql_mode"], row["time_zone"]
		o.charset, o.collation = row["character_set_client"], row["collation_connection"]
		o.databaseCollation = row["database collation"]
	}
	return conn.exec(ctx, "SET character_set_results = "+charset)
}

// showObject reads one definition with its text in the given character set; NULL means as stored.
func showObject(ctx context.Context, conn *session, o *object, results string) (map[string]string, error) {
	if err := conn.exec(ctx, "SET character_set_results = "+results); err != nil {
		return nil, err
	}
	return showRow(ctx, conn, "SHOW CREATE "+o.kind+" "+QuoteName(o.name))
}
