package sqlmode

import "testing"

func TestParse(t *testing.T) {
	for value, want := range map[string]Mode{
		"":                                 {},
		"STRICT_TRANS_TABLES,NO_ZERO_DATE": {},
		"NO_BACKSLASH_ESCAPES":             {NoBackslashEscapes: true},
		"strict_trans_tables,ansi_quotes":  {ANSIQuotes: true},
		"ANSI":                             {ANSIQuotes: true},
		"ANSI_QUOTES,IGNORE_SPACE,NO_BACKSLASH_ESCAPES": {NoBackslashEscapes: true, ANSIQuotes: true},
		"NO_BACKSLASH_ESCAPES_NOT":                      {},
	} {
		if got := Parse(value); got != want {
			t.Errorf("%q: %+v, want %+v", value, got, want)
		}
	}
}

func TestQuotes(t *testing.T) {
	for _, c := range []struct {
		mode              Mode
		quote             byte
		string, escapable bool
	}{
		{Mode{}, '\'', true, true}, {Mode{}, '"', true, true}, {Mode{}, '`', false, false},
		{Mode{ANSIQuotes: true}, '\'', true, true}, {Mode{ANSIQuotes: true}, '"', false, false},
		{Mode{NoBackslashEscapes: true}, '\'', true, false}, {Mode{NoBackslashEscapes: true}, '"', true, false},
	} {
		if c.mode.StringQuote(c.quote) != c.string || c.mode.Escapable(c.quote) != c.escapable {
			t.Errorf("%+v and %c: a string's %v, escapable %v", c.mode, c.quote, c.mode.StringQuote(c.quote), c.mode.Escapable(c.quote))
		}
	}
}

func TestFlags(t *testing.T) {
	ansi, plain := Mode{ANSIQuotes: true}, Mode{NoBackslashEscapes: true}
	both := ansi.With(plain)
	if both != (Mode{true, true}) || both.Without(ansi) != plain || both.Without(both) != (Mode{}) || ansi.Without(plain) != ansi {
		t.Errorf("%+v, %+v", both, both.Without(ansi))
	}
}
