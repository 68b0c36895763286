package recipe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	api "github.com/sitewright/sitewright/api/recipe"
)

// The template functions php, json, ini and shell make one literal of a value, whatever is in it.

// quotePHP makes a single-quoted PHP string. In it only the backslash and the quote itself have a meaning, so neither a
// newline, a dollar sign nor a closing tag can end it. Numbers and truth values become PHP's own.
func quotePHP(value any) (string, error) {
	switch v := value.(type) {
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	}
	s, err := text(value)
	return "'" + escapeSingle(s) + "'", err
}

func quoteJSON(value any) (string, error) {
	b, err := json.Marshal(value)
	return string(b), err
}

// quoteINI makes a quoted value for PHP's parse_ini_file and for parsers that know quotes and no escapes. What no such
// parser could read back is an error.
func quoteINI(value any) (string, error) {
	s, err := text(value)
	switch {
	case err != nil:
		return "", err
	case hasControl(s):
		return "", errors.New("an ini file cannot hold control characters")
	case !strings.Contains(s, "'"):
		return "'" + s + "'", nil
	case !strings.ContainsAny(s, `"\$`):
		return `"` + s + `"`, nil
	}
	return "", errors.New("an ini file cannot hold a value with both kinds of quotes")
}

func quoteShell(value any) (string, error) {
	s, err := text(value)
	if err == nil && strings.Contains(s, "\x00") {
		err = errors.New("a shell script cannot hold a NUL")
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'", err
}

func text(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case int:
		return strconv.Itoa(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", fmt.Errorf("%T cannot be quoted", value)
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

func escapeSingle(s string) string {
	return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s)
}

// inside quotes a value for the inside of a string that is there already: in single quotes in php and shell, in double
// quotes in json, in quotes of either kind in ini, in none in none.
func inside(syntax api.Syntax, s string) (string, error) {
	switch syntax {
	case api.SyntaxPHP, "":
		return escapeSingle(s), nil
	case api.SyntaxJSON:
		b, err := json.Marshal(s)
		if err != nil {
			return "", err
		}
		return string(b[1 : len(b)-1]), nil
	case api.SyntaxShell:
		q, err := quoteShell(s)
		return q[1 : len(q)-1], err
	case api.SyntaxINI:
		if hasControl(s) || strings.ContainsAny(s, "'\"\\$;#") {
			return "", errors.New("an ini file cannot hold quotes, backslashes or control characters in this place")
		}
		return s, nil
	}
	if hasControl(s) || strings.ContainsAny(s, "'\"\\") {
		return "", errors.New("quotes, backslashes and control characters cannot stand in this place")
	}
	return s, nil
}

// outside is the inverse of inside.
func outside(syntax api.Syntax, s string) (string, error) {
	switch syntax {
	case api.SyntaxPHP, "":
		return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(s), nil
	case api.SyntaxJSON:
		var v string
		err := json.Unmarshal([]byte(`"`+s+`"`), &v)
		return v, err
	case api.SyntaxShell:
		return strings.ReplaceAll(s, `'\''`, "'"), nil
	}
	return s, nil
}
