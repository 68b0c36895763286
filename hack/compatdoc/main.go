// Command compatdoc writes docs/compat.md: what there is to know about the HTTP API for hosting panels, from hack/compatdoc/intro.md, and what becomes of each
// argument of each command, from the table that the server itself reads.
//
//	go run ./hack/compatdoc >docs/compat.md
package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sitewright/sitewright/compat"
)

//go:embed intro.md
var intro string

func main() {
	w := bufio.NewWriter(os.Stdout)
	write(w)
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "compatdoc:", err)
		os.Exit(1)
	}
}

func write(w io.Writer) {
	fmt.Fprintln(w, "<!-- Made by `make generate` from hack/compatdoc and compat/commands.go. -->")
	fmt.Fprint(w, intro)
	for _, c := range compat.Commands {
		fmt.Fprintf(w, "\n### %s\n\n%s", c.Name, c.Summary)
		if len(c.Aliases) > 0 {
			fmt.Fprintf(w, ". Older name: `%s`", strings.Join(c.Aliases, "`, `"))
		}
		if c.Unsupported != "" {
			fmt.Fprintf(w, ".\n\nNot supported: %s.\n", c.Unsupported)
			continue
		}
		fmt.Fprintf(w, ": %s.\n\n| argument | kind | becomes | when absent |\n|---|---|---|---|\n", c.Becomes)
		for _, a := range c.Arguments {
			becomes, absent := a.Becomes, a.Default
			if a.Unsupported != "" {
				becomes = "not supported: " + a.Unsupported
			}
			if a.Required {
				absent = "refused"
			}
			kind := a.Kind.String()
			if len(a.Values) > 0 {
				kind = "`" + strings.Join(strings.Fields(strings.Join(a.Values, " ")), "`, `") + "`"
			}
			fmt.Fprintf(w, "| `%s` | %s | %s | %s |\n", a.Name, kind, becomes, absent)
		}
		if c.Fields {
			fmt.Fprintln(w, "| a field of the Application, or `fields[…]` | text | `fields` | its default |")
		}
	}
}
