package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	gomysql "github.com/go-sql-driver/mysql"
)

// valueClass says how a column's value is written.
type valueClass int

const (
	classText   valueClass = iota // '…'
	classNumber                   // as the server prints it
	classBits                     // b'…'
	classBinary                   // _binary '…'
)

func (c column) class() valueClass {
	switch c.dataType {
	case "tinyint", "smallint", "mediumint", "int", "integer", "bigint", "year", "decimal", "numeric", "float", "double", "real":
		return classNumber
	case "bit":
		return classBits
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector",
		"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
		"geometrycollection", "geomcollection":
		return classBinary
	}
	return classText
}

// convertible are the character sets whose text survives the way through utf8mb4 and back unchanged. Text in any other
// set is read and written in its own bytes, behind an introducer.
var convertible = map[string]bool{
	"": true, "utf8mb4": true, "utf8mb3": true, "utf8": true, "latin1": true, "ascii": true,
	"ucs2": true, "utf16": true, "utf16le": true, "utf32": true,
}

// rowWriter writes the rows of one table as INSERT statements of bounded size.
type rowWriter struct {
	w       io.Writer
	head    string
	max     int
	columns []encoding

	row  []byte // the row being encoded
	size int    // bytes of the open statement; 0 if none is
	err  error  // of w, while a large row goes out
}

// encoding is what there is to know about a column to write its values.
type encoding struct {
	name       string
	class      valueClass
	introducer string // before a literal's quote
}

// encodings tells how the columns are written; raw means in their own character sets.
func encodings(columns []column) (list []encoding, raw bool) {
	for _, c := range columns {
		raw = raw || !convertible[c.charset]
	}
	for _, c := range columns {
		e := encoding{name: c.name, class: c.class()}
		switch {
		case e.class == classBinary:
			e.introducer = "_binary "
		case e.class == classText && raw && c.charset != "":
			e.introducer = "_" + c.charset + " "
		}
		list = append(list, e)
	}
	return list, raw
}

// writeRows streams rows of a table. FLOAT is read as DOUBLE: the server prints no more than six digits of a FLOAT, which
// are too few to get the same value back.
func writeRows(ctx context.Context, conn *session, w io.Writer, t *table, rows split, max int) error {
	columns := t.stored()
	if len(columns) == 0 || rows.none {
		return nil
	}
	r := &rowWriter{w: w, max: max, head: rows.verb + " INTO " + QuoteName(t.name) + " (" + quoteNames(columnNames(columns)) + ") VALUES\n"}
	encoded, raw := encodings(columns)
	r.columns = encoded
	results := charset
	if raw {
		results = "NULL"
	}
	if err := conn.exec(ctx, "SET character_set_results = "+results); err != nil {
		return err
	}
	query := "SELECT " + selectList(columns) + " FROM " + QuoteName(t.name) + rows.where
	if err := streamRows(ctx, conn, query, len(columns), r.write); err != nil {
		return fmt.Errorf("read table %s: %w", QuoteName(t.name), err)
	}
	return r.end()
}

// selectList reads FLOAT columns as DOUBLE (see writeRows); a factor keeps the sign of zero, which a sum would not.
func selectList(columns []column) string {
	var list strings.Builder
	for i, c := range columns {
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(QuoteName(c.name))
		if c.dataType == "float" {
			list.WriteString("*1e0")
		}
	}
	return list.String()
}

// streamRows calls each with the values of every row, which are valid during the call only. It works below
// database/sql, whose conversions would copy every value. When each fails, the connection is given up: to use it again,
// all the rows that are left would have to be read.
func streamRows(ctx context.Context, conn *session, query string, width int, each func([]driver.Value) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed error
	err := conn.Raw(func(dc any) error {
		rows, err := dc.(driver.QueryerContext).QueryContext(ctx, query, nil)
		if err != nil {
			return err
		}
		values := make([]driver.Value, width)
		for err == nil {
			if err = rows.Next(values); err == nil {
				failed = each(values)
				err = failed
			}
		}
		if !errors.Is(err, io.EOF) || failed != nil {
			cancel()
			_ = rows.Close()
			return err
		}
		return rows.Close()
	})
	if failed != nil {
		return failed
	}
	if server, ok := errors.AsType[*gomysql.MySQLError](err); ok && (server.Number == 1146 || server.Number == 1054) {
		return fmt.Errorf("%w: %w", ErrChanged, err) // dropped, or a column is gone
	}
	return Classify(err)
}

// write adds a row, beginning and ending statements as their size demands.
func (r *rowWriter) write(values []driver.Value) error {
	large := 0
	for _, v := range values {
		if b, ok := v.([]byte); ok {
			large += len(b)
		}
	}
	if large >= r.max { // a row too large to be held twice goes out as it is encoded
		if err := r.end(); err != nil {
			return err
		}
		r.row = append(r.row[:0], r.head...)
		r.size = r.max
		if err := r.encode(values, r.drain); err != nil {
			return err
		}
		_, err := r.w.Write(r.row)
		return errors.Join(r.err, err)
	}
	r.row = r.row[:0]
	if err := r.encode(values, keep); err != nil {
		return err
	}
	separator := ",\n"
	if r.size > 0 && r.size+len(r.row)+len(separator) > r.max {
		if err := r.end(); err != nil {
			return err
		}
	}
	if r.size == 0 {
		separator = r.head
	}
	if _, err := io.WriteString(r.w, separator); err != nil {
		return err
	}
	r.size += len(separator) + len(r.row)
	_, err := r.w.Write(r.row)
	return err
}

// keep leaves a row in memory until it is encoded; drain writes what there is of it.
func keep(row []byte) []byte { return row }

func (r *rowWriter) drain(row []byte) []byte {
	if r.err == nil {
		_, r.err = r.w.Write(row)
	}
	return row[:0]
}

// end closes the open statement.
func (r *rowWriter) end() error {
	if r.size == 0 {
		return nil
	}
	r.size = 0
	_, err := io.WriteString(r.w, ";\n")
	return err
}

// encode appends a row's text to r.row and lets full take it away whenever it has become long.
func (r *rowWriter) encode(values []driver.Value, full func([]byte) []byte) error {
	r.row = append(r.row, '(')
	for i, v := range values {
		if i > 0 {
			r.row = append(r.row, ',')
		}
		c := &r.columns[i]
		switch v := v.(type) {
		case nil:
			r.row = append(r.row, "NULL"...)
		case int64:
			r.row = strconv.AppendInt(r.row, v, 10)
		case uint64:
			r.row = strconv.AppendUint(r.row, v, 10)
		case float64:
			r.row = appendFloat(r.row, v)
		case []byte:
			r.row = appendBytes(r.row, c, v, full)
		default:
			return fmt.Errorf("column %s: %w: a value of type %T", QuoteName(c.name), ErrUnsupported, v)
		}
	}
	r.row = append(r.row, ')')
	return nil
}

// appendFloat appends the shortest literal that yields the same DOUBLE; -0 would be read as an integer.
func appendFloat(b []byte, v float64) []byte {
	if v == 0 && math.Signbit(v) {
		return append(b, "-0e0"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

func appendBytes(b []byte, c *encoding, v []byte, full func([]byte) []byte) []byte {
	switch c.class {
	case classNumber:
		return append(b, v...)
	case classBits:
		b = append(b, "b'"...)
		for _, bits := range v {
			b = fmt.Appendf(b, "%08b", bits)
		}
		return append(b, '\'')
	}
	b = append(append(b, c.introducer...), '\'')
	for len(v) > writeBuffer {
		b = full(appendEscaped(b, v[:writeBuffer]))
		v = v[writeBuffer:]
	}
	return append(appendEscaped(b, v), '\'')
}
