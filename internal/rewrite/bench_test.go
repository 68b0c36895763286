package rewrite

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// benchDump is an SQL dump of about the given size: rows of prose with a
// link, and rows of options. Of every hundred rows, matches hold the old URL.
func benchDump(size, matches int) []byte {
	g := rand.New(rand.NewPCG(7, 7))
	words := []string{"lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "it\\'s", "\\n", "<p>", "</p>", "<a href=\\\"/x\\\">", "grüße"}
	var b bytes.Buffer
	for id := 0; b.Len() < size; {
		b.WriteString("INSERT INTO `wp_posts` VALUES ")
		for row := range 40 {
			if row > 0 {
				b.WriteByte(',')
			}
			host := "http://other.test"
			if g.IntN(100) < matches {
				host = oldURL
			}
			id++
			fmt.Fprintf(&b, "(%d,1,'2026-01-02 03:04:05','", id)
			for range 100 + g.IntN(200) {
				b.WriteString(words[g.IntN(len(words))])
				b.WriteByte(' ')
			}
			opt := s(host + "/o")
			fmt.Fprintf(&b, "<img src=\\\"%s/a.png\\\">','a:1:{i:0;%s}','publish',NULL,0)", host, bytes.ReplaceAll([]byte(opt), []byte(`"`), []byte(`\"`)))
		}
		b.WriteString(";\n")
	}
	return b.Bytes()
}

// BenchmarkSQL compares with replacing the same bytes blindly, which is wrong
// but as fast as anything can be.
func BenchmarkSQL(b *testing.B) {
	for _, matches := range []int{0, 10, 100} {
		for _, prefix := range []string{"wp_", "new_"} {
			b.Run(fmt.Sprintf("matches=%d%%/prefix=%s", matches, prefix), func(b *testing.B) {
				data := benchDump(16<<20, matches)
				r := mustNew(b, Options{FromURL: oldURL, ToURL: newURL, FromPath: "/var/www/html", ToPath: "/site/www", FromPrefix: "wp_", ToPrefix: prefix})
				b.SetBytes(int64(len(data)))
				var ours, blind time.Duration
				for b.Loop() {
					start := time.Now()
					if _, err := r.SQL(context.Background(), bytes.NewReader(data), io.Discard); err != nil {
						b.Fatal(err)
					}
					ours += time.Since(start)
					start = time.Now()
					out := bytes.ReplaceAll(data, []byte(oldURL), []byte(newURL))
					if _, err := io.Copy(io.Discard, bytes.NewReader(out)); err != nil {
						b.Fatal(err)
					}
					blind += time.Since(start)
				}
				b.ReportMetric(float64(len(data))*float64(b.N)/ours.Seconds()/1e6, "ours-MB/s")
				b.ReportMetric(float64(len(data))*float64(b.N)/blind.Seconds()/1e6, "ReplaceAll-MB/s")
				b.ReportMetric(ours.Seconds()/blind.Seconds(), "ratio")
			})
		}
	}
}

// BenchmarkValue measures one value at a time.
func BenchmarkValue(b *testing.B) {
	r := mustNew(b, Options{FromURL: oldURL, ToURL: newURL})
	html := string(bytes.Repeat([]byte("<p>Lorem ipsum: dolor sit amet.</p>\n"), 100))
	for _, c := range []struct{ name, v string }{
		{"no match", html},
		{"html", html + oldURL + html},
		{"serialized", "a:2:{i:0;" + s(html) + "i:1;" + s(html+oldURL) + "}"},
		{"json", `{"html":` + quoteJSON(html+oldURL) + `}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			v := []byte(c.v)
			b.SetBytes(int64(len(v)))
			b.ReportAllocs()
			for b.Loop() {
				r.Value(v)
			}
		})
	}
}
