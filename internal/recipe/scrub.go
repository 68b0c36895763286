package recipe

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the length below which a text is no secret: taking out every "a" would leave nothing to read.
const minSecret = 3

// Scrub takes secrets out of s, also where they stand escaped for JSON, URLs, HTML, PHP or shell, or in base64.
func Scrub(s string, secrets []string) string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		j, _ := json.Marshal(secret) // A string always marshals.
		var plain bytes.Buffer
		e := json.NewEncoder(&plain)
		e.SetEscapeHTML(false)
		_ = e.Encode(secret)
		js, ps := string(j), strings.TrimSpace(plain.String())
		forms = append(forms, secret, js[1:len(js)-1], ps[1:len(ps)-1], strings.ReplaceAll(ps[1:len(ps)-1], "/", `\/`),
			url.QueryEscape(secret), url.PathEscape(secret), html.EscapeString(secret), escapeSingle(secret),
			strings.ReplaceAll(secret, "'", `'\''`), base64.StdEncoding.EncodeToString([]byte(secret)))
	}
	// The longest first: a secret may be part of another, or of an escaped form of itself.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, form := range forms {
		s = strings.ReplaceAll(s, form, "***")
	}
	return s
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
