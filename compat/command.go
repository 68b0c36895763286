package compat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/compat/wire"
)

// Kind is what an argument's value may be.
type Kind int

// The kinds of arguments.
const (
	// Text is any text; empty means absent.
	Text Kind = iota
	// Flag is there or not. "0", "no" and "false" mean that it is not.
	Flag
	// Count is a whole number from 0 on.
	Count
	// List is a comma-separated list, or an array. An empty one is there all the same.
	List
	// Table is a table of texts.
	Table
)

// String is the kind in the documentation.
func (k Kind) String() string { return [...]string{"text", "flag", "number", "list", "table"}[k] }

// Argument is an argument of a command.
type Argument struct {
	// Name as the reference has it. Dashes and underscores are the same.
	Name string
	// Kind of its value.
	Kind Kind
	// Required says that a request without it is refused.
	Required bool
	// Values that it may have; nil: any.
	Values []string
	// Default is what its absence means.
	Default string
	// Becomes says what it becomes, and where.
	Becomes string
	// Unsupported says why a request with it is refused; empty: it is not.
	Unsupported string
}

// Command is a command of the API.
type Command struct {
	// Name of the command.
	Name string
	// Aliases are older names.
	Aliases []string
	// Summary says what it does.
	Summary string
	// Becomes says what a request becomes, or what is answered from.
	Becomes string
	// Changes says that it changes something, and so is written to the audit log.
	Changes bool
	// Unsupported says why it is refused; empty: it is not.
	Unsupported string
	// Arguments that it takes, besides api, cmd and those of who is calling.
	Arguments []Argument
	// Fields says that it takes the fields of the Application, too.
	Fields bool

	handle func(*Server, context.Context, *call) (answer, error)
}

// answer is what a handler has to say.
type answer struct {
	data any
	task any
	// object names what was made or changed, for the audit log.
	object string
}

// call is a request to a command, decoded and checked by its table.
type call struct {
	command *Command
	given   wire.Arguments
}

// decode checks a request's arguments. Arguments that the command does not know are left alone: clients send some that only other panels know. The result of
// a command with fields has those in Fields.
func (c *Command) decode(given wire.Arguments) (*call, error) {
	if c.Unsupported != "" {
		return nil, wire.Failed("not_supported", c.Name+" is not supported: "+c.Unsupported)
	}
	for _, a := range c.Arguments {
		if err := a.check(given); err != nil {
			return nil, err
		}
	}
	return &call{c, given}, nil
}

func (a *Argument) check(given wire.Arguments) error {
	value, ok := given.Get(a.Name)
	if a.Kind != Flag && a.Kind != List && value == "" {
		ok = false
	}
	switch {
	case !ok && a.Required:
		return wire.Empty(a.Name)
	case !ok:
		return nil
	case a.Unsupported != "":
		return wire.Invalid(a.Name, a.Name+" is not supported: "+a.Unsupported)
	case a.Values != nil && !slices.Contains(a.Values, value):
		return wire.Invalid(a.Name, fmt.Sprintf("%s must be one of %s", a.Name, strings.Join(a.Values, ", ")))
	case strings.ContainsRune(value, 0):
		return wire.Invalid(a.Name, a.Name+" holds a NUL character")
	}
	if a.Kind == Count {
		if n, err := strconv.ParseUint(value, 10, 31); err != nil {
			return wire.Invalid(a.Name, fmt.Sprintf("%s must be a whole number from 0 on: %d is too much, or it is none", a.Name, n))
		}
	}
	return nil
}

// declared sees to it that the table has an argument that a handler asks for: that it lacks one is a mistake in this program.
func (c *call) declared(name string, kind Kind) {
	if slices.ContainsFunc(c.command.Arguments, func(a Argument) bool { return a.Name == name && a.Kind == kind }) {
		return
	}
	panic(fmt.Sprintf("command %s has no %s argument %s", c.command.Name, kind, name))
}

// text is the value of an argument; empty where it is absent.
func (c *call) text(name string) string {
	c.declared(name, Text)
	value, _ := c.given.Get(name)
	return value
}

// flag tells whether an argument is there.
func (c *call) flag(name string) bool {
	c.declared(name, Flag)
	value, ok := c.given.Get(name)
	return ok && !slices.Contains([]string{"0", "no", "false"}, value)
}

// count is the value of an argument, or nil where it is absent.
func (c *call) count(name string) *int32 {
	c.declared(name, Count)
	value, _ := c.given.Get(name)
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return nil // Absent: what is no number was refused.
	}
	return new(int32(n))
}

// list are the values of an argument, and whether it is there: an empty list may mean something.
func (c *call) list(name string) ([]string, bool) {
	c.declared(name, List)
	given := c.given.All(name)
	var values []string
	for _, text := range given {
		for value := range strings.SplitSeq(text, ",") {
			if value = strings.TrimSpace(value); value != "" {
				values = append(values, value)
			}
		}
	}
	return values, len(given) > 0
}

// has tells whether the command takes an argument: handlers are shared.
func (c *call) has(name string) bool {
	return slices.ContainsFunc(c.command.Arguments, func(a Argument) bool { return a.Name == name })
}

// background tells whether the client does not wait, and whether it does not even wait for the preliminary checks.
func (c *call) background() (background, quick bool) {
	if !c.has("background") || !c.flag("background") {
		return false, false
	}
	value, _ := c.given.Get("background")
	return true, value == "quick"
}

// dryRun is how much is to be checked without doing it: 0 means that it is to be done, 1 checks the input, 2 everything.
func (c *call) dryRun() int {
	if !c.has("dryrun") || !c.flag("dryrun") {
		return 0
	}
	if value, _ := c.given.Get("dryrun"); value == "2" {
		return 2
	}
	return 1
}
