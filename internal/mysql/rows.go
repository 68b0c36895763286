package mysql

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

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
	columns []column
	raw     bool // text in its own character set

	row  bytes.Buffer // the row being encoded
	size int          // bytes of the open statement; 0 if none is
}

// writeRows streams a table's rows. FLOAT is read as DOUBLE: the server prints no more than six digits of a FLOAT, which
// are too few to get the same value back.
func writeRows(ctx context.Context, conn *session, w io.Writer, t *table, max int) error {
	r := &rowWriter{w: w, max: max, columns: t.stored()}
	if len(r.columns) == 0 {
		return nil
	}
	names := quoteNames(columnNames(r.columns))
	r.head = "INSERT INTO " + QuoteName(t.name) + " (" + names + ") VALUES\n"
	for _, c := range r.columns {
		r.raw = r.raw || !convertible[c.charset]
	}
	results := charset
	if r.raw {
		results = "NULL"
	}
	if err := conn.exec(ctx, "SET character_set_results = "+results); err != nil {
		return err
	}
	query := "SELECT " + selectList(r.columns) + " FROM " + QuoteName(t.name)
	if err := streamRows(ctx, conn, query, len(r.columns), r.write); err != nil {
		return fmt.Errorf("read table %s: %w", QuoteName(t.name), err)
	}
	return r.end()
}

// selectList reads FLOAT columns as DOUBLE (see writeRows); a factor keeps the sign of zero, which a sum would not.
func selectList(columns []column) string {
	var list bytes.Buffer
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
		if _, err := io.WriteString(r.w, r.head); err != nil {
			return err
		}
		r.size = r.max
		return r.encode(r.w, values)
	}
	r.row.Reset()
	if err := r.encode(&r.row, values); err != nil {
		return err
	}
	separator := ",\n"
	if r.size > 0 && r.size+r.row.Len()+len(separator) > r.max {
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
	r.size += len(separator) + r.row.Len()
	_, err := r.w.Write(r.row.Bytes())
	return err
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

func (r *rowWriter) encode(w io.Writer, values []driver.Value) error {
	separator := "("
	for i, v := range values {
		if _, err := io.WriteString(w, separator); err != nil {
			return err
		}
		separator = ","
		if err := r.value(w, &r.columns[i], v); err != nil {
			return fmt.Errorf("column %s: %w", QuoteName(r.columns[i].name), err)
		}
	}
	_, err := io.WriteString(w, ")")
	return err
}

func (r *rowWriter) value(w io.Writer, c *column, v driver.Value) error {
	var text string
	switch v := v.(type) {
	case nil:
		text = "NULL"
	case int64:
		text = strconv.FormatInt(v, 10)
	case uint64:
		text = strconv.FormatUint(v, 10)
	case float64:
		text = formatFloat(v)
	case []byte:
		return r.bytes(w, c, v)
	default:
		return fmt.Errorf("%w: a value of type %T", ErrUnsupported, v)
	}
	_, err := io.WriteString(w, text)
	return err
}

// formatFloat is the shortest literal that yields the same DOUBLE; -0 would be read as an integer.
func formatFloat(v float64) string {
	if v == 0 && math.Signbit(v) {
		return "-0e0"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func (r *rowWriter) bytes(w io.Writer, c *column, v []byte) error {
	switch c.class() {
	case classNumber:
		_, err := w.Write(v)
		return err
	case classBits:
		return writeBits(w, v)
	case classBinary:
		return writeLiteral(w, "_binary ", v)
	}
	if r.raw && c.charset != "" {
		return writeLiteral(w, "_"+c.charset+" ", v)
	}
	return writeLiteral(w, "", v)
}

func writeBits(w io.Writer, v []byte) error {
	bits := "b'"
	for _, b := range v {
		bits += fmt.Sprintf("%08b", b)
	}
	_, err := io.WriteString(w, bits+"'")
	return err
}
