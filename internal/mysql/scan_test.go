package mysql_test

import (
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sitewright/sitewright/internal/mysql"
)

func scan(r io.Reader, max int) ([]string, error) {
	var statements []string
	s := mysql.NewScanner(r, max)
	for s.Scan() {
		statements = append(statements, string(s.Statement()))
	}
	return statements, s.Err()
}

var scanCases = []struct {
	name, script string
	want         []string
}{
	{"plain", "a; b ;\n c", []string{"a", "b", "c"}},
	{"empty statements", ";; ;\n;", nil},
	{"single quotes", `a ';' '\';' ''';';b`, []string{`a ';' '\';' ''';'`, "b"}},
	{"double quotes", `a ";" "\";" """;";b`, []string{`a ";" "\";" """;"`, "b"}},
	{"backticks", "a `;` `\\`;b", []string{"a `;` `\\`", "b"}},
	{"comments inside", "a -- ;'\n# ;`\n/* ;\" */ b;c", []string{"a -- ;'\n# ;`\n/* ;\" */ b", "c"}},
	{"comments before", "-- x;\n#y;\n/* z; */ a;", []string{"a"}},
	{"not a comment", "a --1;b", []string{"a --1", "b"}},
	{"executable comment", "/*!50003 CREATE x ';' */;/*M!100 b*/;", []string{"/*!50003 CREATE x ';' */", "/*M!100 b*/"}},
	{"delimiter", "DELIMITER ;;\na; b;;\ndelimiter //  \nc;;d//\nDELIMITER ;\ne;", []string{"a; b", "c;;d", "e"}},
	{"delimiter not at line start", "a; delimiter x;\nb", []string{"a", "delimiter x", "b"}},
	{"delimiter in a statement", "a\ndelimiter ;;\nb", []string{"a\ndelimiter", "b"}},
	{"windows", "a;\r\nDELIMITER ;;\r\nb;;\r\nDELIMITER ;\r\nc;\r\n", []string{"a", "b", "c"}},
	{"high bytes", "a '\xff\\'\xc3;' ü;b", []string{"a '\xff\\'\xc3;' ü", "b"}},
}

func TestScanner(t *testing.T) {
	for _, c := range scanCases {
		t.Run(c.name, func(t *testing.T) {
			for name, r := range map[string]io.Reader{"whole": strings.NewReader(c.script), "bytewise": iotest.OneByteReader(strings.NewReader(c.script))} {
				got, err := scan(r, 0)
				if err != nil || !slices.Equal(got, c.want) {
					t.Errorf("%s: got %q, %v; want %q", name, got, err, c.want)
				}
			}
		})
	}
	broken := errors.New("broken")
	if _, err := scan(io.MultiReader(strings.NewReader("a; b"), iotest.ErrReader(broken)), 0); !errors.Is(err, broken) {
		t.Errorf("a reader's error became %v", err)
	}
}

func TestScannerModes(t *testing.T) {
	s := mysql.NewScanner(strings.NewReader(`a '\'; b "\";" ; c`), 0)
	s.SetSQLMode(true, false)
	var got []string
	for s.Scan() {
		got = append(got, string(s.Statement()))
		s.SetSQLMode(false, false)
	}
	if want := []string{`a '\'`, `b "\";"`, "c"}; s.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, s.Err(), want)
	}
}

// repeat is an endless stream of one byte, cut off by the test.
type repeat byte

func (r repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(r)
	}
	return len(p), nil
}

// TestScannerIsBounded feeds more than a scanner may hold.
func TestScannerIsBounded(t *testing.T) {
	for _, c := range []struct {
		name, before string
		fill         byte
		want         error
	}{
		{"statement", "INSERT ", 'x', mysql.ErrTooLarge},
		{"string", "INSERT '", 'x', mysql.ErrTooLarge},
		{"comment in a statement", "INSERT /* ", 'x', mysql.ErrTooLarge},
		{"comment line", "-- ", 'x', nil},
		{"comment", "/* ", 'x', mysql.ErrTruncated},
		{"white space", "", ' ', nil},
	} {
		r := io.MultiReader(strings.NewReader(c.before), io.LimitReader(repeat(c.fill), 64<<20))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := scan(r, 1<<20); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d bytes were allocated", c.name, used)
		}
	}
}

// FuzzScanner: however a script is cut into reads, the statements are the same; nothing is lost but delimiters,
// comments and white space; and no statement exceeds the limit.
func FuzzScanner(f *testing.F) {
	for _, c := range scanCases {
		f.Add(c.script)
	}
	text, err := os.ReadFile("testdata/torture.sql")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("DELIMITER\nDELIMITER '\n/*!/*!*/*//*/**/")
	f.Fuzz(func(t *testing.T, script string) {
		const limit = 1 << 16
		whole, err1 := scan(strings.NewReader(script), limit)
		bytewise, err2 := scan(iotest.OneByteReader(strings.NewReader(script)), limit)
		if !slices.Equal(whole, bytewise) || (err1 == nil) != (err2 == nil) {
			t.Fatalf("whole %q, %v; bytewise %q, %v", whole, err1, bytewise, err2)
		}
		rest := script
		for _, statement := range whole {
			i := strings.Index(rest, statement)
			if i < 0 || statement == "" || len(statement) > limit {
				t.Fatalf("%q is not a part of %q", statement, rest)
			}
			rest = rest[i+len(statement):]
		}
	})
}
