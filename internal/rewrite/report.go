package rewrite

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxTables bounds how many tables a Report names.
const maxTables = 1000

// Report says what one pass over a dump changed.
type Report struct {
	Counts
	// Names is how many table names, and names derived from them, were
	// mapped to the new prefix.
	Names int64 `json:"names"`
	// Tables holds the tables with anything to tell, by their old name in
	// ascending order, at most 1000 of them.
	Tables []TableReport `json:"tables,omitempty"`
	// MoreTables is set when there were more tables than Tables holds. The
	// totals include them.
	MoreTables bool `json:"moreTables,omitempty"`
	// Objects holds the kinds of objects with anything to tell: what was in
	// literals of their definitions.
	Objects []ObjectReport `json:"objects,omitempty"`
}

// TableReport says what changed in one table: in its rows, its defaults and
// its comments.
type TableReport struct {
	Name string `json:"name"`
	Counts
}

// ObjectReport says what changed in all objects of one kind.
type ObjectReport struct {
	Kind Kind `json:"kind"`
	Counts
}

// Counts is what happened to a set of values.
type Counts struct {
	// Values is how many values changed, and Serialized how many of them
	// hold a serialized PHP value that changed.
	Values     int64 `json:"values"`
	Serialized int64 `json:"serialized"`
	// Occurrences is how many times an address was replaced in them.
	Occurrences int64 `json:"occurrences"`
	// Malformed is how many values, at the top or nested in others, mention
	// the old site but were left alone because they begin like a serialized
	// PHP value and are not one.
	Malformed int64 `json:"malformed"`
}

func (c *Counts) add(o Counts) {
	c.Values += o.Values
	c.Serialized += o.Serialized
	c.Occurrences += o.Occurrences
	c.Malformed += o.Malformed
}

// Add adds what another pass changed, such as that over another part of the
// same dump.
func (r *Report) Add(o Report) {
	r.Counts.add(o.Counts)
	r.Names += o.Names
	r.MoreTables = r.MoreTables || o.MoreTables
	for _, t := range o.Tables {
		i, found := slices.BinarySearchFunc(r.Tables, t.Name, func(t TableReport, name string) int { return cmp.Compare(t.Name, name) })
		switch {
		case found:
			r.Tables[i].add(t.Counts)
		case len(r.Tables) < maxTables:
			r.Tables = slices.Insert(r.Tables, i, t)
		default:
			r.MoreTables = true
		}
	}
	for _, k := range o.Objects {
		i, found := slices.BinarySearchFunc(r.Objects, k.Kind, func(k ObjectReport, kind Kind) int { return cmp.Compare(k.Kind, kind) })
		if found {
			r.Objects[i].add(k.Counts)
		} else {
			r.Objects = slices.Insert(r.Objects, i, k)
		}
	}
}

// Summary is the report in a sentence of bounded length, with the tables that
// changed most.
func (r *Report) Summary() string {
	const most, longest = 8, 64
	s := r.Counts.String()
	tables := slices.Clone(r.Tables)
	slices.SortStableFunc(tables, func(a, b TableReport) int {
		return cmp.Or(cmp.Compare(b.Values, a.Values), cmp.Compare(b.Malformed, a.Malformed))
	})
	var where []string
	for _, t := range tables[:min(len(tables), most)] {
		where = append(where, fmt.Sprintf("table %.*q %d", longest, t.Name, t.Values))
	}
	if n := len(tables) - most; r.MoreTables {
		where = append(where, "many more tables")
	} else if n > 0 {
		where = append(where, fmt.Sprintf("%d more tables", n))
	}
	for _, o := range r.Objects {
		where = append(where, fmt.Sprintf("%s %d", o.Kind, o.Values))
	}
	if len(where) > 0 {
		s += ": " + strings.Join(where, ", ")
	}
	return s
}

// String is the counts in words.
func (c Counts) String() string {
	s := fmt.Sprintf("%d values changed, %d of them serialized", c.Values, c.Serialized)
	if c.Malformed > 0 {
		s += fmt.Sprintf(", %d malformed ones left alone", c.Malformed)
	}
	return s
}

// tally collects a Report.
type tally struct {
	report Report
	tables map[string]*Counts
	kinds  map[Kind]*Counts
}

// add counts a value of a table or, where kind says so, of another object.
func (t *tally) add(table []byte, kind Kind, j *job, changed bool) {
	if !changed && j.malformed == 0 {
		return
	}
	counts := Counts{Occurrences: int64(j.occurrences), Malformed: int64(j.malformed)}
	if changed {
		counts.Values = 1
		if j.lengths {
			counts.Serialized = 1
		}
	}
	t.report.add(counts)
	if kind == "" && len(table) == 0 {
		kind = KindOther
	}
	if kind != "" {
		c := t.kinds[kind]
		if c == nil {
			if t.kinds == nil {
				t.kinds = make(map[Kind]*Counts)
			}
			c = &Counts{}
			t.kinds[kind] = c
		}
		c.add(counts)
		return
	}
	c := t.tables[string(table)]
	if c == nil {
		if len(t.tables) >= maxTables {
			t.report.MoreTables = true
			return
		}
		if t.tables == nil {
			t.tables = make(map[string]*Counts)
		}
		c = &Counts{}
		t.tables[string(table)] = c
	}
	c.add(counts)
}

func (t *tally) finish() Report {
	for name, c := range t.tables {
		t.report.Tables = append(t.report.Tables, TableReport{Name: name, Counts: *c})
	}
	slices.SortFunc(t.report.Tables, func(a, b TableReport) int { return cmp.Compare(a.Name, b.Name) })
	for kind, c := range t.kinds {
		t.report.Objects = append(t.report.Objects, ObjectReport{Kind: kind, Counts: *c})
	}
	slices.SortFunc(t.report.Objects, func(a, b ObjectReport) int { return cmp.Compare(a.Kind, b.Kind) })
	return t.report
}
