package mysql

import (
	"slices"
	"strings"
)

// definitions are what stands between the parentheses of a CREATE TABLE statement, each as its tokens.
type definitions struct {
	*lexer
	tokens    []token
	open, end int // the parentheses' tokens
	list      [][]token
	whole     bool // a word of staysWhole was seen
}

// parseDefinitions reads a CREATE TABLE statement; ok is false if it has no list of definitions.
func parseDefinitions(create []byte) (d *definitions, ok bool) {
	d = &definitions{lexer: &lexer{src: create}}
	d.tokens = d.all()
	d.open = slices.IndexFunc(d.tokens, func(t token) bool { return d.is(t, '(') })
	if d.open < 0 {
		return d, false
	}
	d.end = d.split(d.open)
	return d, d.end >= 0
}

// split fills the list from the parenthesis at open on and returns the index of the closing one, or -1.
func (d *definitions) split(open int) int {
	for _, t := range d.tokens {
		d.whole = d.whole || staysWhole[d.word(t)]
	}
	depth, begin := 0, open+1
	for i := open; i < len(d.tokens); i++ {
		t := d.tokens[i]
		switch {
		case d.is(t, '('):
			depth++
		case d.is(t, ')'):
			depth--
		}
		if depth == 0 || depth == 1 && d.is(t, ',') {
			if begin == i {
				return -1
			}
			d.list = append(d.list, d.tokens[begin:i])
			begin = i + 1
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// kind tells a secondary key ("KEY"), a foreign key ("FOREIGN") and the primary key ("PRIMARY") from columns and checks.
func (d *definitions) kind(def []token) string {
	words := make([]string, 0, 3)
	for _, t := range def[:min(3, len(def))] {
		words = append(words, d.word(t))
	}
	if words[0] == "CONSTRAINT" && len(words) == 3 {
		words = words[2:] // behind its name
	}
	switch words[0] {
	case "KEY", "INDEX", "UNIQUE":
		return "KEY"
	case "FOREIGN", "PRIMARY":
		return words[0]
	}
	return ""
}

// primary reports whether there is a primary key, and one that begins with the AUTO_INCREMENT column if there is any.
func (d *definitions) primary() bool {
	first, automatic := "", ""
	for _, def := range d.list {
		kind := d.kind(def)
		for i, t := range def {
			switch {
			case kind == "PRIMARY" && first == "" && d.is(t, '(') && i+1 < len(def):
				first = d.name(def[i+1])
			case kind == "" && d.word(t) == "AUTO_INCREMENT":
				automatic = d.name(def[0])
			}
		}
	}
	return first != "" && (automatic == "" || strings.EqualFold(automatic, first))
}

func (d *definitions) isInnoDB(options []token) bool {
	for i, t := range options {
		if d.word(t) == "ENGINE" && i+2 < len(options) {
			return d.word(options[i+2]) == "INNODB"
		}
	}
	return false
}

// primaryKey lists the columns of the primary key.
func (d *definitions) primaryKey() (columns []string) {
	i := slices.IndexFunc(d.list, func(def []token) bool { return d.kind(def) == "PRIMARY" })
	if i < 0 {
		return nil
	}
	depth, begins := 0, false
	for _, t := range d.list[i] {
		switch {
		case d.is(t, '('):
			depth++
			begins = depth == 1
			continue
		case d.is(t, ')'):
			depth--
		case begins && depth == 1:
			columns = append(columns, d.name(t))
		}
		begins = depth == 1 && d.is(t, ',')
	}
	return columns
}

// unique reports whether there is a unique key besides the primary one.
func (d *definitions) unique() bool {
	return slices.ContainsFunc(d.list, func(def []token) bool {
		return d.kind(def) == "KEY" && slices.ContainsFunc(def[:min(3, len(def))], func(t token) bool { return d.word(t) == "UNIQUE" })
	})
}

// versioned reports whether the table keeps what its rows were.
func (d *definitions) versioned() bool {
	return slices.ContainsFunc(d.tokens, func(t token) bool { return d.word(t) == "VERSIONING" })
}
