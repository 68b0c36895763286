package storagetest

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// interrupted is a source of data that calls once in its middle, when as much is on its way as a connection buffers.
type interrupted struct {
	*bytes.Reader
	call func()
}

const interruptedSize = 24 << 20

func interrupt(data []byte, call func()) *interrupted {
	return &interrupted{bytes.NewReader(data), call}
}

func (i *interrupted) Read(p []byte) (int, error) {
	if call := i.call; call != nil && i.Len() < interruptedSize/2 {
		i.call = nil
		call()
	}
	return i.Reader.Read(p[:min(len(p), 64<<10)])
}

// WriteTo hides bytes.Reader's, which would pass all data on at once.
func (i *interrupted) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{i})
}

// cutConnection checks what becomes of transfers whose connection the peer resets: no part of an object is ever seen,
// and a source that can be read again is put again.
func cutConnection(t *testing.T, open func(*testing.T) (storage.Store, func())) {
	s, cut := open(t)
	defer s.Close()
	old, data := Data(1, 1000), Data(2, interruptedSize)
	put(t, s, "cut/old", old)
	once := struct{ io.Reader }{interrupt(data, cut)} // cannot be read again
	err := s.Put(t.Context(), "cut/old", once, interruptedSize)
	if err == nil { // A store that keeps what it sends until it has arrived can send it again.
		old = data
	} else if !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("put that was cut: %v, want ErrUnreachable", err)
	}
	if found := listed(t, s, "cut/"); len(found) != 1 || !bytes.Equal(get(t, s, "cut/old", 0, -1), old) {
		t.Errorf("after a put that was cut: %v", found)
	}
	if err := s.Put(t.Context(), "cut/new", interrupt(data, cut), interruptedSize); err != nil {
		t.Errorf("put that was cut, of a source that can be read again: %v", err)
	}
	if !bytes.Equal(get(t, s, "cut/new", 0, -1), data) {
		t.Error("put that was cut, of a source that can be read again: other bytes are there")
	}
	readThrough(t, s, "cut/new", data, cut)
	cut() // idle connections
	if got := get(t, s, "cut/old", 0, -1); !bytes.Equal(got, old) {
		t.Error("get after idle connections were cut: other bytes")
	}
	if err := s.Put(t.Context(), "cut/idle", bytes.NewReader(old), int64(len(old))); err != nil {
		t.Errorf("put after idle connections were cut: %v", err)
	}
}

// readThrough reads while something happens: what is read must be whole, or an error.
func readThrough(t *testing.T, s storage.Store, name string, data []byte, happens func()) {
	t.Helper()
	r, err := s.Get(t.Context(), name, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	head := make([]byte, 1<<20)
	if _, err := io.ReadFull(r, head); err != nil {
		t.Fatal(err)
	}
	happens()
	rest, err := io.ReadAll(r)
	if err == nil && !bytes.Equal(slices.Concat(head, rest), data) {
		t.Errorf("a body that was cut after %d bytes ended as if it were whole", len(head)+len(rest))
	}
}

// dyingServer checks the same for a server that is killed, and that it is missed in bounded time and found again.
func dyingServer(t *testing.T, open func(*testing.T) (s storage.Store, kill, revive func())) {
	s, kill, revive := open(t)
	defer s.Close()
	old, data := Data(1, 1000), Data(2, interruptedSize)
	put(t, s, "dying/old", old)
	put(t, s, "dying/large", data)
	once := struct{ io.Reader }{interrupt(data, kill)}
	start := time.Now()
	if err := s.Put(t.Context(), "dying/old", once, interruptedSize); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("put to a server that died: %v, want ErrUnreachable", err)
	}
	if _, err := s.Stat(t.Context(), "dying/old"); !errors.Is(err, storage.ErrUnreachable) {
		t.Errorf("stat on a server that died: %v, want ErrUnreachable", err)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("a dead server was missed after %v", took)
	}
	revive()
	if found := listed(t, s, "dying/"); len(found) != 2 || !bytes.Equal(get(t, s, "dying/old", 0, -1), old) {
		t.Errorf("after the server came back: %v", found)
	}
	readThrough(t, s, "dying/large", data, kill)
	revive()
	if err := s.Put(t.Context(), "dying/new", strings.NewReader("new"), 3); err != nil {
		t.Errorf("put after the server came back: %v", err)
	}
}
