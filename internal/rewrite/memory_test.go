package rewrite

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// heapMeter is a writer that looks, every few writes, how much is held.
type heapMeter struct {
	writes int
	peak   uint64
}

func (m *heapMeter) Write(p []byte) (int, error) {
	if m.writes++; m.writes%8 == 1 {
		m.peak = max(m.peak, live())
	}
	return len(p), nil
}

// live is the size of the heap without garbage.
func live() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// TestMemory rewrites a dump of 16 MB values, of each kind that is handled differently, several times as long as what may be held.
func TestMemory(t *testing.T) {
	const size, address = 16 << 20, "http://old.test"
	r := mustNew(t, Options{FromURL: address, ToURL: "https://new.example.org"})
	binary := make([]byte, size)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range binary {
		binary[i] = byte(rng.Uint32())
	}
	prose := bytes.Repeat([]byte("<p>it's \"prose\" without an end</p>\n"), size/35)
	for name, v := range map[string][]byte{
		"without the address": prose,
		"binary":              slices.Concat(binary, []byte(address)),
		"text":                append(bytes.Clone(prose), address...),
		"serialized":          []byte("a:1:{i:0;" + s(string(prose)+address) + "}"),
	} {
		t.Run(name, func(t *testing.T) {
			row := append(escapeSQL([]byte("INSERT INTO t VALUES ('"), v), "');\n"...)
			var rows []io.Reader
			for range 12 {
				rows = append(rows, bytes.NewReader(row))
			}
			var m heapMeter
			before := live()
			rep, err := r.SQL(t.Context(), io.MultiReader(rows...), &m)
			if err != nil {
				t.Fatal(err)
			}
			held := int64(m.peak) - int64(before)
			t.Logf("%s: %d bytes in, %d values changed, %.1f values held at most", name, 12*len(row), rep.Values, float64(held)/float64(len(row)))
			if held > 6*size {
				t.Errorf("held %d MB", held>>20)
			}
		})
	}
}
