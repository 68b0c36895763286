package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/sitewright/sitewright/internal/rewrite"
)

// moved prints what was changed where, a line for each table and for each kind of object.
func (m *meter) moved(r rewrite.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.w == nil {
		return
	}
	// As in report, who does not listen does not stop the work.
	_, _ = fmt.Fprintf(m.w, "%s, %d names of tables\n", r.Counts, r.Names)
	if len(r.Tables)+len(r.Objects) == 0 {
		return
	}
	w := tabwriter.NewWriter(m.w, 0, 0, 2, ' ', 0)
	line := func(name string, c rewrite.Counts) {
		_, _ = fmt.Fprintf(w, "  %s\t%d\t%d\t%d\n", name, c.Values, c.Serialized, c.Malformed)
	}
	_, _ = fmt.Fprint(w, "  WHERE\tCHANGED\tSERIALIZED\tMALFORMED, LEFT ALONE\n")
	for _, t := range r.Tables {
		line(fmt.Sprintf("table %q", t.Name), t.Counts)
	}
	for _, o := range r.Objects {
		line(kindName(o.Kind), o.Counts)
	}
	_ = w.Flush()
	if r.MoreTables {
		_, _ = fmt.Fprint(m.w, "  and more tables, which the sums include\n")
	}
}

func kindName(k rewrite.Kind) string {
	if k == rewrite.KindOther {
		return "elsewhere"
	}
	return string(k) + "s"
}
