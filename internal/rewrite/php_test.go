package rewrite

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// php runs a script of testdata with PHP's own serializer.
func php(t *testing.T, stdin []byte, args ...string) []byte {
	t.Helper()
	bin, err := exec.LookPath("php")
	if err != nil {
		t.Fatalf("this test needs PHP's command line: install the package php-cli (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), bin, append([]string{"-n"}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("php %v: %v\n%s%s", args, err, stderr.Bytes(), out)
	}
	return out
}

// TestAgainstPHP lets PHP build the same values twice, with the old and with
// the new address: rewriting the first must give the second.
func TestAgainstPHP(t *testing.T) {
	for _, c := range []struct{ from, to string }{
		{"http://old.test", "https://a-much-longer.example.org"},
		{"https://a-much-longer.example.org:8443/blog", "http://n.test"},
		{"http://h.test/a", "http://h.test/a/zz"},
	} {
		r := mustNew(t, Options{FromURL: c.from, ToURL: c.to})
		old, want := phpValues(t, c.from), phpValues(t, c.to)
		for name, v := range old {
			got, n := r.Value(v)
			if !bytes.Equal(got, want[name]) {
				t.Errorf("%s → %s, %s\n got %q\nwant %q", c.from, c.to, name, got, want[name])
			}
			if n == 0 {
				t.Errorf("%s: nothing counted", name)
			}
			if again, n := r.Value(got); n != 0 || !bytes.Equal(again, got) {
				t.Errorf("%s: changed again to %q", name, again)
			}
			in := "('" + string(escapeSQL(nil, v)) + "')"
			wantSQL := "('" + string(escapeSQL(nil, want[name])) + "')"
			if got, _ := runSQL(t, r, in); got != wantSQL {
				t.Errorf("%s in SQL\n got %s\nwant %s", name, got, wantSQL)
			}
		}
		if len(old) < 30 {
			t.Errorf("PHP built only %d values", len(old))
		}
	}
}

func phpValues(t *testing.T, url string) map[string][]byte {
	var encoded map[string][]byte // encoding/json decodes base64 itself
	if err := json.Unmarshal(php(t, nil, "testdata/build.php", url), &encoded); err != nil {
		t.Fatalf("build.php: %v", err)
	}
	return encoded
}

// TestRandomAgainstPHP rewrites random values and has PHP read the results.
func TestRandomAgainstPHP(t *testing.T) {
	r := mustNew(t, Options{FromURL: oldURL, ToURL: newURL})
	const n = 3000
	var in strings.Builder
	var values [][]byte
	for seed := range uint64(n) {
		was, _ := randomPair(seed)
		got, _ := r.Value([]byte(was))
		values = append(values, got)
		in.WriteString(base64.StdEncoding.EncodeToString(got) + "\n")
	}
	answers := strings.Split(strings.TrimSpace(string(php(t, []byte(in.String()), "testdata/roundtrip.php"))), "\n")
	if len(answers) != n {
		t.Fatalf("%d answers to %d values", len(answers), n)
	}
	for i, a := range answers {
		if a != "ok" {
			t.Errorf("seed %d: %s\n%q", i, a, values[i])
		}
	}
}
