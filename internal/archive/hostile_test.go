package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/storage"
)

// good is what an archive of our own holds at least.
func good(more ...entry) []entry {
	return append([]entry{{name: "manifest.json", content: "{}"}, {name: "files/www/a", content: "a"}}, more...)
}

func TestHostileArchivesAreRefused(t *testing.T) {
	r := newRepository(t)
	long := strings.Repeat("d/", 2100) + "f"
	zeros := strings.Repeat("\x00", 8<<20)
	var bomb []entry
	for i := range 20 {
		bomb = append(bomb, entry{name: fmt.Sprintf("files/www/zeros%d", i), content: zeros})
	}
	for name, c := range map[string]struct {
		entries []entry
		entry   string
		reason  string
	}{
		"climbs":            {good(entry{name: "../evil"}), "../evil", "climbs out"},
		"climbs inside":     {good(entry{name: "files/../../evil"}), "files/../../evil", "climbs out"},
		"absolute":          {good(entry{name: "/etc/evil"}), "/etc/evil", "absolute path"},
		"link out":          {good(entry{name: "files/www/l", content: "../../../x", kind: tar.TypeSymlink}), "files/www/l", "leads out"},
		"link beside files": {good(entry{name: "files/www/l", content: "../../manifest.json", kind: tar.TypeSymlink}), "files/www/l", "leads out"},
		"absolute link":     {good(entry{name: "files/www/l", content: "/etc/passwd", kind: tar.TypeSymlink}), "files/www/l", "absolute path"},
		"climbing link":     {good(entry{name: "files/www/l", content: "/site/../etc", kind: tar.TypeSymlink}), "files/www/l", "absolute path"},
		"winding link":      {good(entry{name: "files/www/l", content: "b/../../../x", kind: tar.TypeSymlink}), "files/www/l", "climbs after a name"},
		"through a link": {good(entry{name: "files/www/l", content: "b", kind: tar.TypeSymlink}, entry{name: "files/www/l/evil"}),
			"files/www/l/evil", "no directory"},
		"through a file":    {good(entry{name: "files/www/a/b"}), "files/www/a/b", "no directory"},
		"hard link out":     {good(entry{name: "files/www/h", content: "../secret", kind: tar.TypeLink}), "files/www/h", "leads out"},
		"absolute hard":     {good(entry{name: "files/www/h", content: "/etc/shadow", kind: tar.TypeLink}), "files/www/h", "leads out"},
		"hard link nowhere": {good(entry{name: "files/www/h", content: "files/www/none", kind: tar.TypeLink}), "files/www/h", "no file before it"},
		"hard link to link": {good(entry{name: "files/www/l", content: "a", kind: tar.TypeSymlink}, entry{name: "files/www/h", content: "files/www/l", kind: tar.TypeLink}),
			"files/www/h", "no file before it"},
		"hard link to itself": {good(entry{name: "files/www/h", content: "files/www/h", kind: tar.TypeLink}), "files/www/h", "no file before it"},
		"device":              {good(entry{name: "files/www/null", kind: tar.TypeChar}), "files/www/null", "device"},
		"block device":        {good(entry{name: "files/www/sda", kind: tar.TypeBlock}), "files/www/sda", "device"},
		"pipe":                {good(entry{name: "files/www/pipe", kind: tar.TypeFifo}), "files/www/pipe", "device"},
		"twice":               {good(entry{name: "files/www/a", content: "other"}), "files/www/a", "second time"},
		"twice, spelled":      {good(entry{name: "files//www/./a", content: "other"}), "files/www/a", "second time"},
		"file as directory":   {good(entry{name: "files/www", content: "x"}), "files/www", "second time"},
		"directory as file":   {good(entry{name: "files/www/a/", kind: tar.TypeDir}), "files/www/a", "second time"},
		"long name":           {good(entry{name: long}), "d/d/", "4096 is the most"},
		"long part":           {good(entry{name: "files/www/" + strings.Repeat("x", 256)}), "files/www/xxx", "255 is the most"},
		"bomb":                {good(bomb...), "files/www/zeros", "times its size"},
		"no site":             {[]entry{{name: "manifest.json", content: "{}"}}, "", "no shape"},
		"nothing":             {nil, "", "no shape"},
		"file among files":    {good(entry{name: "files/x", content: "x"}), "files/x", "no directory"},
	} {
		_, err := take(t, r, of("old-site.tar.gz", gzipped(t, tarOf(t, c.entries...))), archive.Limits{})
		refusal, ok := errors.AsType[*archive.Refusal](err)
		if !ok || !errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !strings.HasPrefix(refusal.Entry, c.entry) || !strings.Contains(refusal.Reason, c.reason) || !strings.Contains(err.Error(), "old-site.tar.gz") {
			t.Errorf("%s: entry %.80q, %v", name, refusal.Entry, err)
		}
	}
	if list, err := r.List(t.Context(), nil); err != nil || len(list) > 0 {
		t.Errorf("the repository holds %v, %v", list, err)
	}
	if s, err := take(t, r, of("good.tar", tarOf(t, good()...)), archive.Limits{}); err != nil || s.Files != 1 {
		t.Errorf("a good one: %+v, %v", s, err)
	}
}

func TestDamagedAndLargeArchivesAreRefused(t *testing.T) {
	r := newRepository(t)
	text := strings.Repeat("some text, ", 10_000)
	plain := tarOf(t, good(entry{name: "files/www/b", content: text})...)
	flipped := gzipped(t, plain)
	flipped[len(flipped)-6] ^= 1 // its checksum
	encrypted := zipped(t, good()...)
	for _, at := range []int{bytes.Index(encrypted, []byte("PK\x03\x04")) + 6, bytes.Index(encrypted, []byte("PK\x01\x02")) + 8} {
		binary.LittleEndian.PutUint16(encrypted[at:], binary.LittleEndian.Uint16(encrypted[at:])|1)
	}
	lastHeader := bytes.LastIndex(plain, []byte("files/www/b"))
	for name, c := range map[string]struct {
		archive []byte
		limits  archive.Limits
		reason  string
	}{
		"no archive":      {[]byte(strings.Repeat("<html>not found</html>", 100)), archive.Limits{}, "no .tar.gz"},
		"short":           {[]byte("x"), archive.Limits{}, "no .tar.gz"},
		"empty":           {nil, archive.Limits{}, "no .tar.gz"},
		"cut gzip":        {gzipped(t, plain)[:200], archive.Limits{}, "cut off"},
		"cut gzip's end":  {gzipped(t, plain)[:len(gzipped(t, plain))-4], archive.Limits{}, "ends"},
		"cut zstd":        {zstandard(t, plain)[:100], archive.Limits{}, "cut off"},
		"cut tar":         {plain[:lastHeader+1000], archive.Limits{}, "cut off"},
		"cut between":     {plain[:lastHeader], archive.Limits{}, "cut off"},
		"cut in the gzip": {gzipped(t, plain[:lastHeader]), archive.Limits{}, "cut off"},
		"checksum":        {flipped, archive.Limits{}, "checksum"},
		"cut zip":         {zipped(t, good()...)[:60], archive.Limits{}, "damaged"},
		"encrypted":       {encrypted, archive.Limits{}, "encrypted"},
		"zip climbs":      {zipped(t, good(entry{name: "../evil"})...), archive.Limits{}, "climbs out"},
		"zip backslash":   {zipped(t, good(entry{name: `..\evil`}, entry{name: "files/x"})...), archive.Limits{}, "no directory"},
		"zip link out":    {zipped(t, good(entry{name: "files/www/l", content: "../../..", kind: tar.TypeSymlink})...), archive.Limits{}, "leads out"},
		"zip pipe":        {zipped(t, good(entry{name: "files/www/p", kind: tar.TypeFifo})...), archive.Limits{}, "device"},
		"zip twice":       {zipped(t, good(entry{name: "files/www/a"})...), archive.Limits{}, "second time"},
		"zip bomb":        {zipped(t, good(entry{name: "files/www/z", content: strings.Repeat("\x00", 100<<20)})...), archive.Limits{}, "times its size"},
		"overlapping zip": {overlapping(t), archive.Limits{}, "times its size"},
		"too many":        {plain, archive.Limits{Entries: 2}, "more than 2"},
		"too large":       {plain, archive.Limits{Bytes: 50_000}, "more than 0 MiB"},
	} {
		_, err := take(t, r, of("old-site", c.archive), c.limits)
		if !errors.Is(err, archive.ErrInvalid) || !strings.Contains(err.Error(), c.reason) || !strings.Contains(err.Error(), "archive old-site: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{"tar": plain, "gzip": gzipped(t, plain), "zstd": zstandard(t, plain),
		"two gzips": append(gzipped(t, plain[:1000]), gzipped(t, plain[1000:])...)} {
		if s, err := take(t, r, of(name, b), archive.Limits{}); err != nil || s.Files != 2 {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// overlapping is a .zip whose many entries are all the same few compressed bytes.
func overlapping(t *testing.T) []byte {
	t.Helper()
	one := zipped(t, entry{name: "files/www/0000", content: strings.Repeat("\x00", 1<<20)})
	at, end := bytes.Index(one, []byte("PK\x01\x02")), bytes.Index(one, []byte("PK\x05\x06"))
	record := bytes.Clone(one[at:end])
	out := bytes.Clone(one[:at])
	const n = 1000
	for i := range n {
		copy(record[46:], fmt.Sprintf("files/www/%04d", i))
		out = append(out, record...)
	}
	last := bytes.Clone(one[end:])
	binary.LittleEndian.PutUint16(last[8:], n)
	binary.LittleEndian.PutUint16(last[10:], n)
	binary.LittleEndian.PutUint32(last[12:], uint32(n*len(record)))
	out = append(out, last...)
	z, err := zip.NewReader(bytes.NewReader(out), int64(len(out)))
	if err != nil || len(z.File) != n {
		t.Fatalf("the test's zip is damaged: %v", err)
	}
	return out
}

// broken is a source that dies in the middle.
func broken(content []byte, err error) archive.Source {
	s := of("old-site", content)
	whole := s.Open
	s.Open = func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
		r, openErr := whole(ctx, offset, length)
		return io.NopCloser(io.MultiReader(io.LimitReader(r, 700), failing{err})), openErr
	}
	return s
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestSourceThatDies sees that an unreachable store is not taken for a damaged archive.
func TestSourceThatDies(t *testing.T) {
	r := newRepository(t)
	entries := good(entry{name: "files/www/b", content: string(bytes.Repeat([]byte("0123456789abcdef"), 2000))})
	plain := tarOf(t, entries...)
	for name, b := range map[string][]byte{"tar": plain, "gzip": gzipped(t, append(plain, storageNoise()...)), "zip": zipped(t, entries...)} {
		if _, err := take(t, r, broken(b, storage.ErrUnreachable), archive.Limits{}); !errors.Is(err, storage.ErrUnreachable) || errors.Is(err, archive.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := archive.Read(ctx, of("a", plain), archive.Limits{}, func(*archive.Entry, io.Reader) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) || errors.Is(err, archive.ErrInvalid) {
		t.Errorf("stopped: %v", err)
	}
	piped := of("-", zipped(t, entries...))
	piped.Size = -1
	if _, err := take(t, r, piped, archive.Limits{}); !errors.Is(err, archive.ErrInvalid) || !strings.Contains(err.Error(), "pipe") {
		t.Errorf("a zip from a pipe: %v", err)
	}
}

// storageNoise makes an archive longer than what a dying source gives.
func storageNoise() []byte {
	b := make([]byte, 4096)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	return b
}

// FuzzRead sees that whatever an archive holds, names stay inside, content stays within its bounds, and what is wrong is
// a Refusal.
func FuzzRead(f *testing.F) {
	entries := good(entry{name: "d/", kind: tar.TypeDir, mode: 0o2755}, entry{name: "d/l", content: "../a", kind: tar.TypeSymlink},
		entry{name: "h", content: "files/www/a", kind: tar.TypeLink}, entry{name: "caf\xe9", content: "x"})
	plain := tarOf(f, entries...)
	f.Add(plain)
	f.Add(gzipped(f, plain))
	f.Add(zstandard(f, plain))
	f.Add(zipped(f, good(entry{name: "l", content: "files", kind: tar.TypeSymlink})...))
	f.Add(plain[:700])
	f.Fuzz(func(t *testing.T, content []byte) {
		const most = 1 << 20
		var total int64
		n := 0
		limits := archive.Limits{Entries: 100, Bytes: most, RawNames: len(content)%2 == 0}
		err := archive.Read(t.Context(), of("fuzz", content), limits, func(e *archive.Entry, r io.Reader) error {
			if n++; n > 100 {
				t.Fatal("more entries than may be")
			}
			if strings.HasPrefix(e.Name, "/") || strings.Contains("/"+e.Name+"/", "/../") || strings.Contains(e.Name, "\x00") || len(e.Name) > 4096 {
				t.Fatalf("name %q", e.Name)
			}
			if e.Mode.IsRegular() && e.Same == "" {
				read, err := io.Copy(io.Discard, r)
				total += read
				return err
			}
			return nil
		})
		if total > most {
			t.Fatalf("%d bytes came out", total)
		}
		if err != nil && !errors.Is(err, archive.ErrInvalid) {
			t.Fatal(err)
		}
	})
}
