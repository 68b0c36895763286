package rewrite

// Needles are what a value must hold at least one of to be changed: [Rewriter.Value], and [Rewriter.SQL] in a literal,
// leave whatever holds none of them as it is, so that a copy need not look at it. They are a host name, as it was given
// and in lower case, and one segment of a path, as bytes that no escaping of SQL touches. There are none when only table
// names change.
func (r *Rewriter) Needles() [][]byte {
	needles := make([][]byte, len(r.needles))
	for i := range r.needles {
		needles[i] = append(needles[i], r.needles[i].anchor.text...)
	}
	return needles
}

// Table is the name that SQL gives a table.
func (r *Rewriter) Table(name string) string {
	if to, ok := r.names.table([]byte(name), true); ok {
		return to
	}
	return name
}
