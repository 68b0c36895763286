package rewrite

import (
	"cmp"
	"slices"
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
	// ascending order, at most 1000 of them. Literals that belong to no
	// table, such as those in routines, are under the empty name.
	Tables []TableReport `json:"tables,omitempty"`
	// MoreTables is set when there were more tables than Tables holds. The
	// totals include them.
	MoreTables bool `json:"moreTables,omitempty"`
}

// TableReport says what changed in one table.
type TableReport struct {
	Name string `json:"name"`
	Counts
}

// Counts is what happened to a set of values.
type Counts struct {
	// Values is how many values changed.
	Values int64 `json:"values"`
	// Occurrences is how many times an address was replaced in them.
	Occurrences int64 `json:"occurrences"`
	// Malformed is how many values, at the top or nested in others, mention
	// the old site but were left alone because they begin like a serialized
	// PHP value and are not one.
	Malformed int64 `json:"malformed"`
}

func (c *Counts) add(j *job, changed bool) {
	if changed {
		c.Values++
	}
	c.Occurrences += int64(j.occurrences)
	c.Malformed += int64(j.malformed)
}

// tally collects a Report.
type tally struct {
	report Report
	tables map[string]*Counts
}

func (t *tally) add(table []byte, j *job, changed bool) {
	if !changed && j.malformed == 0 {
		return
	}
	t.report.add(j, changed)
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
	c.add(j, changed)
}

func (t *tally) finish() Report {
	for name, c := range t.tables {
		t.report.Tables = append(t.report.Tables, TableReport{Name: name, Counts: *c})
	}
	slices.SortFunc(t.report.Tables, func(a, b TableReport) int { return cmp.Compare(a.Name, b.Name) })
	return t.report
}
