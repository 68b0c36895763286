package repository

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func FuzzNames(f *testing.F) {
	for _, name := range []string{"plain", "ü 日本 🦊", "caf\xe9", "\xff\xfe", "\uef80", "a\uefffb\xe9", "\ufffd", "\xef\xbe", "\xf0\x9f\xa6"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		stored := encodeName(name)
		if !utf8.ValidString(stored) {
			t.Errorf("%q is stored as %q, which is not UTF-8", name, stored)
		}
		var read string
		data, err := json.Marshal(stored)
		if err == nil {
			err = json.Unmarshal(data, &read)
		}
		if got := decodeName(read); got != name || err != nil {
			t.Errorf("%q came back as %q, %v", name, got, err)
		}
	})
}

func TestPlainNamesStay(t *testing.T) {
	for _, name := range []string{"index.php", "ümläut 日本 🦊", "\ufffd", ""} {
		if got := encodeName(name); got != name {
			t.Errorf("%q is stored as %q", name, got)
		}
	}
}
