package rewrite

import (
	"bytes"
	"strings"

	"github.com/sitewright/sitewright/internal/sqlmode"
)

const (
	// maxSaved is how many user variables are remembered that hold a sql_mode with flags that matter.
	maxSaved = 64
	// maxVariable is the longest name of a variable, in bytes.
	maxVariable = 256
	// maxMode is more than all flags of a sql_mode together.
	maxMode = 4 << 10
)

// session follows what a dump does to the sql_mode of the session that loads it. It sees every token in order, and
// understands SET with strings, other variables, CONCAT and REPLACE, which is what programs that write dumps make of it:
//
//	SET @saved_sql_mode = @@sql_mode, sql_mode = 'ANSI_QUOTES'
//
// A change takes effect when its statement has ended, and not at all inside the body of a routine.
type session struct {
	mode sqlmode.Mode // in force
	next sqlmode.Mode // in force when the statement has ended
	// saved are the user variables, in lower case, whose value has any flag.
	saved map[string]sqlmode.Mode

	at       setPart
	variable setting // which is set, and so far to what
	ats      int     // of "@" in front of the word at hand
	depth    int     // open parentheses
	global   bool    // the word at hand is a variable's of the whole server
	remove   bool    // in REPLACE: strings say what the value loses
}

// setting is one assignment.
type setting struct {
	name   string // in lower case
	user   bool   // @name
	global bool
	value  sqlmode.Mode
}

// setPart is what the session expects of a statement.
type setPart uint8

const (
	setNothing  setPart = iota // the statement has not begun
	setIgnored                 // it is not a SET of variables
	setVariable                // SET, or a comma in it: a variable follows
	setValue                   // an equals sign: its value follows
)

// word takes an unquoted word or a name.
func (s *session) word(w []byte) {
	switch s.at {
	case setNothing:
		s.at = setIgnored
		if bytes.EqualFold(w, []byte("SET")) {
			s.at, s.next = setVariable, s.mode
		}
	case setVariable:
		s.target(w)
	case setValue:
		s.operand(w)
	}
}

// target takes a word in front of the equals sign.
func (s *session) target(w []byte) {
	if len(w) > maxVariable {
		w = nil
	}
	name, system := strings.ToLower(string(w)), s.ats != 1
	switch {
	case system && (name == "session" || name == "local"):
	case system && (name == "global" || name == "persist" || name == "persist_only"):
		s.variable.global = true
	case s.ats == 0 && name == "statement": // SET STATEMENT … FOR holds for that statement only
		s.at = setIgnored
	default:
		s.variable.name, s.variable.user = name, !system
	}
}

// operand takes a word of a value.
func (s *session) operand(w []byte) {
	if len(w) > maxVariable {
		return
	}
	name, add := strings.ToLower(string(w)), sqlmode.Mode{}
	switch {
	case s.ats == 0 && name == "replace":
		s.remove = true
	case s.ats == 0:
		add = sqlmode.Parse(name)
	case s.ats == 1:
		add = s.saved[name]
	case name == "session" || name == "local":
		return // its variable follows
	case name == "global":
		s.global = true // nobody knows its value
		return
	case name == "sql_mode" && !s.global:
		add = s.next
	}
	s.variable.value = s.variable.value.With(add)
	s.ats, s.global = 0, false
}

// literal takes the content of a string.
func (s *session) literal(v []byte) {
	switch {
	case s.at == setNothing:
		s.at = setIgnored
	case s.ats == 1: // @'name'
		s.word(v)
	case s.at != setValue || len(v) > maxMode:
	case s.remove:
		s.variable.value = s.variable.value.Without(sqlmode.Parse(string(v)))
	default:
		s.variable.value = s.variable.value.With(sqlmode.Parse(string(v)))
	}
}

// punct takes any other byte.
func (s *session) punct(c byte) {
	switch s.at {
	case setNothing:
		s.at = setIgnored
		return
	case setIgnored:
		return
	}
	switch c {
	case '@':
		s.ats++
	case '(':
		s.depth++
	case ')':
		s.depth--
		s.remove = false
	case '=':
		s.at, s.ats = setValue, 0
	case ',':
		if s.depth == 0 {
			s.assign()
			s.at = setVariable
		}
	}
}

// assign ends an assignment.
func (s *session) assign() {
	v := s.variable
	switch {
	case s.at != setValue:
	case v.user:
		s.save(v.name, v.value)
	case v.name == "sql_mode" && !v.global:
		s.next = v.value
	}
	s.variable, s.ats, s.depth, s.global, s.remove = setting{}, 0, 0, false, false
}

func (s *session) save(name string, value sqlmode.Mode) {
	if value == (sqlmode.Mode{}) {
		delete(s.saved, name)
		return
	}
	if s.saved == nil {
		s.saved = make(map[string]sqlmode.Mode)
	}
	if _, known := s.saved[name]; known || len(s.saved) < maxSaved {
		s.saved[name] = value
	}
}

// end takes the end of a statement.
func (s *session) end() {
	if s.at == setVariable || s.at == setValue {
		s.assign()
		s.mode = s.next
	}
	s.at = setNothing
}
