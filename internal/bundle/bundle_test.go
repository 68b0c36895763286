package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	const a, b = "{kind: A, apiVersion: v1, metadata: {name: a}}", "{kind: B, apiVersion: v1, metadata: {name: b}}"
	for name, test := range map[string]struct {
		files     map[string]string
		want, err string
	}{
		"in the order of files": {map[string]string{"2.yaml": b, "1.yaml": a}, "A/a B/b", ""},
		"several in one file":   {map[string]string{"x.yaml": "# why\n---\n" + b + "\n---\n" + a + "\n---\n"}, "B/b A/a", ""},
		"other files":           {map[string]string{"x.yaml": a, "README.md": "not YAML: ["}, "A/a", ""},
		"nothing":               {nil, "", "holds no objects"},
		"no name":               {map[string]string{"x.yaml": "{kind: A, apiVersion: v1}"}, "", "no kind or no metadata.name"},
		"no YAML":               {map[string]string{"x.yaml": "a: ["}, "", "x.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			for file, content := range test.files {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			objects, err := Read(folder)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("got error %v, not one with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range objects {
				got = append(got, o.GetKind()+"/"+o.GetName())
			}
			if s := strings.Join(got, " "); s != test.want {
				t.Errorf("read %s, not %s", s, test.want)
			}
		})
	}
}
