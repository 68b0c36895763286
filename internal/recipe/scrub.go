package recipe

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// minSecret is the length below which a text is no secret: taking out every "a" would leave nothing to read.
const minSecret = 3

// Scrub takes secrets out of s, also where they stand escaped for JSON, URLs, HTML, PHP or shell, or in base64.
func Scrub(s string, secrets []string) string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			forms = append(forms, formsOf(secret)...)
		}
	}
	// The longest first: a secret may be part of another, or of an escaped form of itself.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, form := range slices.Compact(forms) {
		s = strings.ReplaceAll(s, form, "***")
	}
	return s
}

func formsOf(secret string) []string {
	var plain bytes.Buffer
	e := json.NewEncoder(&plain)
	e.SetEscapeHTML(false)
	_ = e.Encode(secret) // A string always encodes.
	full, _ := json.Marshal(secret)
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), percent(secret), html.EscapeString(secret), escapeSingle(secret),
		strings.ReplaceAll(secret, "'", `'\''`), base64.StdEncoding.EncodeToString([]byte(secret)),
	}
	for _, j := range []string{strings.TrimSpace(plain.String()), string(full)} {
		j = j[1 : len(j)-1]
		ascii := asciiJSON(j)
		forms = append(forms, j, strings.ReplaceAll(j, "/", `\/`), ascii, strings.ReplaceAll(ascii, "/", `\/`))
	}
	return forms
}

// percent encodes as PHP's rawurlencode and most other programs do: everything but RFC 3986's unreserved characters.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c < 0x80 && (unicode.IsLetter(rune(c)) || unicode.IsDigit(rune(c)) || strings.IndexByte("-._~", c) >= 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// asciiJSON escapes what is not ASCII, as PHP's json_encode does.
func asciiJSON(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		if unit < 0x80 {
			b.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&b, "\\u%04x", unit)
		}
	}
	return b.String()
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	b     []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 2*t.limit {
		t.b = append(t.b[:0], t.b[len(t.b)-t.limit:]...)
	}
	return len(p), nil
}

func (t *tail) bytes() []byte { return t.b[max(0, len(t.b)-t.limit):] }

func (t *tail) lastLine() []byte {
	b := bytes.TrimSpace(t.bytes())
	return b[bytes.LastIndexByte(b, '\n')+1:]
}
