package wire

import (
	"strings"
)

// Bounds of a request. The reference has none; real requests are far below.
const (
	// MostBody is how long a body may be, in bytes.
	MostBody = 1 << 20
	// mostArguments is how many values a request may have, and mostName how long the name of one, in bytes.
	mostArguments = 1000
	mostName      = 256
	// mostDepth is how deep a JSON document may be nested.
	mostDepth = 8
)

// Arguments are the arguments of a request by name. A name has dashes where the client may have written underscores, and the other way round:
// both are in use. An array has a value for each element; a table has a name for each entry, such as "fields[colour]".
type Arguments map[string][]string

// Name is the name under which Arguments have an argument, however a client spells it.
func Name(spelled string) string {
	name, key, _ := strings.Cut(spelled, "[")
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	if key == "" {
		return name
	}
	return name + "[" + key
}

// Get is the last value of an argument: a client that gives one twice means the last. The second result tells whether there is any.
func (a Arguments) Get(name string) (string, bool) {
	values := a[Name(name)]
	if len(values) == 0 {
		return "", false
	}
	return values[len(values)-1], true
}

// All are the values of an argument that may have several.
func (a Arguments) All(name string) []string { return a[Name(name)] }

// Table are the entries of an argument that is a table.
func (a Arguments) Table(name string) map[string]string {
	prefix := Name(name) + "["
	table := map[string]string{}
	for key := range a {
		entry, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		table[strings.TrimSuffix(entry, "]")], _ = a.Get(key)
	}
	return table
}

// add is one more value of an argument.
func (a Arguments) add(name, value string) error {
	if len(name) > mostName {
		return Invalid("", "an argument's name is longer than 256 characters")
	}
	name = element(Name(name))
	if a.count() >= mostArguments {
		return Invalid("", "there are more than 1000 arguments")
	}
	a[name] = append(a[name], value)
	return nil
}

func (a Arguments) count() int {
	n := 0
	for _, values := range a {
		n += len(values)
	}
	return n
}

// element is the array of which a name is an element: "application[]" and "application[3]" are both of "application".
func element(name string) string {
	begin := strings.LastIndexByte(name, '[')
	if begin < 1 || !strings.HasSuffix(name, "]") {
		return name
	}
	if strings.Trim(name[begin+1:len(name)-1], "0123456789") != "" {
		return name
	}
	return name[:begin]
}

// merge puts other arguments over these: what the body says comes before what the query says.
func (a Arguments) merge(other Arguments) {
	for name, values := range other {
		a[name] = values
	}
}
