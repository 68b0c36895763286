package rewrite

import "bytes"

// Kind is a kind of object, other than a table, that a dump defines.
type Kind string

// The kinds of objects.
const (
	KindEvent   Kind = "event"
	KindRoutine Kind = "routine" // a procedure, a function or a package
	KindTrigger Kind = "trigger"
	KindView    Kind = "view"
	// KindOther is what is said of no table and in no definition, such as
	// the values of variables.
	KindOther Kind = "other"
)

// definition tells what kind of object the statement at hand defines, to
// whose body the rest of the statement belongs.
type definition struct {
	state definitionState
	kind  Kind // "" when it is a table, or nothing is defined
}

type definitionState uint8

const (
	statementBegins definitionState = iota
	kindFollows                     // behind CREATE, perhaps with a definer and other clauses between
	kindKnown
)

// word takes an unquoted word.
func (d *definition) word(w []byte) {
	switch d.state {
	case kindKnown:
	case statementBegins:
		d.state = kindKnown
		if bytes.EqualFold(w, []byte("CREATE")) || bytes.EqualFold(w, []byte("ALTER")) {
			d.state = kindFollows
		}
	case kindFollows:
		d.defines(w)
	}
}

func (d *definition) defines(w []byte) {
	for _, k := range []struct {
		word string
		kind Kind
	}{
		{"TABLE", ""}, {"VIEW", KindView}, {"TRIGGER", KindTrigger}, {"EVENT", KindEvent},
		{"PROCEDURE", KindRoutine}, {"FUNCTION", KindRoutine}, {"PACKAGE", KindRoutine},
	} {
		if bytes.EqualFold(w, []byte(k.word)) {
			d.state, d.kind = kindKnown, k.kind
			return
		}
	}
}

// end takes the end of a statement.
func (d *definition) end() { *d = definition{} }
