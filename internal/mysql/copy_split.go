package mysql

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// split says which rows of a table are streamed when the server copies the others, and how they come in.
type split struct {
	// verb is INSERT, or REPLACE where the server copies the streamed rows too, which saves it looking at every value.
	verb string
	// where limits the streamed rows; none says that there are none.
	where string
	none  bool
	// others limits the rows which the server copies, as a further condition.
	others string

	condition string // of the streamed rows
	key       []string
	size      string // of a row, as an expression
}

const (
	// sampled is how many rows at either end of a table are looked at to tell which share of all is streamed.
	sampled = 200
	// REPLACE, which writes a row twice, is worth it up to a share of muchStreamed; a table of which more than mostStreamed
	// is streamed is streamed as a whole, which saves the server looking for the others.
	muchStreamed, mostStreamed = 0.05, 0.5
	// rowCost is what a row takes besides its text, as bytes of text.
	rowCost = 100
)

// binarySafe are the character sets whose text, in ASCII, has the same bytes in utf8mb4; text in the others is read
// converted.
var binarySafe = map[string]bool{"utf8mb4": true, "utf8mb3": true, "utf8": true, "ascii": true, "latin1": true}

// splits tells how a table is copied inside the server; ok is false if it must be streamed as a whole: only InnoDB has
// snapshots of statements, rows without a primary key have an order to keep, and versions cannot be copied.
func (t *table) splits(needles [][]byte) (s split, ok bool) {
	d, ok := parseDefinitions([]byte(t.create))
	if !ok || !strings.EqualFold(t.engine, "InnoDB") || d.versioned() {
		return split{}, false
	}
	key := slices.DeleteFunc(d.primaryKey(), func(name string) bool { // a key may also have a period
		return !slices.ContainsFunc(t.columns, func(c column) bool { return c.name == name })
	})
	if len(key) == 0 {
		return split{}, false
	}
	condition := mentions(t.stored(), needles)
	if condition == "" {
		return split{none: true, key: key, size: "0"}, true
	}
	s = split{verb: "REPLACE", where: " WHERE " + condition, condition: condition, key: key, size: rowSize(t.stored())}
	inKey := slices.ContainsFunc(t.columns, func(c column) bool { return slices.Contains(key, c.name) && (c.generated || c.holdsText()) })
	_, later := withoutKeys([]byte(t.create), false)
	if inKey || d.unique() && (later == nil || len(later.keys) == 0) {
		// A row that gets another key would stay beside its copy, and one that collides with another would take its place.
		s.insert()
	}
	return s, true
}

// rowSize is an expression for what it takes to copy a row.
func rowSize(columns []column) string {
	size := strconv.Itoa(rowCost)
	for _, c := range columns {
		if c.holdsText() {
			size += "+IFNULL(OCTET_LENGTH(" + QuoteName(c.name) + "),0)"
		}
	}
	return size
}

// insert has the server copy only the rows that are not streamed.
func (s *split) insert() { s.verb, s.others = "INSERT", " AND ("+s.condition+") IS NOT TRUE" }

// sample looks at the first and the last rows of a table and settles how it is copied; whole is true if it is to be
// streamed as a whole.
func (s *split) sample(ctx context.Context, conn *session, table string) (whole bool, err error) {
	condition := s.condition
	if s.none {
		condition = "FALSE"
	}
	end := func(order string) string {
		keys := make([]string, len(s.key))
		for i, k := range s.key {
			keys[i] = QuoteName(k) + order
		}
		return fmt.Sprintf("(SELECT (%s) IS TRUE AS m, %s AS n FROM %s ORDER BY %s LIMIT %d)", condition, s.size, table, strings.Join(keys, ","), sampled)
	}
	var bytes, matching float64
	err = conn.QueryRowContext(ctx, "SELECT IFNULL(SUM(n), 0), IFNULL(SUM(m * n), 0) FROM ("+end("")+" UNION ALL "+end(" DESC")+") AS `sitewright sample`").
		Scan(&bytes, &matching)
	if err != nil {
		return false, fmt.Errorf("look at rows of table %s: %w", table, Classify(err))
	}
	if matching > bytes*muchStreamed && s.others == "" && !s.none {
		s.insert()
	}
	return matching > bytes*mostStreamed, nil
}

// holdsText reports whether a value may hold text, in whatever character set. Coordinates always hold bytes that text does
// not.
func (c column) holdsText() bool {
	switch c.dataType {
	case "geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon", "geometrycollection",
		"geomcollection":
		return false
	}
	return c.charset != "" || c.class() == classBinary
}

// mentions is a condition that is true for the rows of which a value, as a dump would show it, holds a needle; "" if no
// row can. LIKE between binary strings is the fastest search that the server has.
func mentions(columns []column, needles [][]byte) string {
	_, raw := encodings(columns)
	var list []string
	for _, c := range columns {
		if !c.holdsText() {
			continue
		}
		for _, needle := range needles {
			value := QuoteName(c.name)
			if c.charset != "" && !raw && (!binarySafe[c.charset] || c.charset == "latin1" && !isASCII(needle)) {
				value = "CONVERT(" + value + " USING " + charset + ")"
			}
			list = append(list, "BINARY "+value+" LIKE _binary "+QuoteString("%"+likeLiteral.Replace(string(needle))+"%"))
		}
	}
	return strings.Join(list, " OR ")
}

// likeLiteral escapes what stands for other text in a LIKE pattern.
var likeLiteral = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
