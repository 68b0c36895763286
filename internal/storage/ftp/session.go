package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// Servers answer 550 or 553 to whatever they cannot do with a path. The session looks further and says which it is.
var (
	errMissing   = errors.New("no such file or directory")
	errForbidden = errors.New("the server refuses")
)

// session implements filetree.Session. The library knows no contexts: when one ends, the connections are closed under it.
type session struct {
	server *server
	ftp    *ftp.ServerConn
	home   string // the directory of the login

	mu      sync.Mutex
	ctx     context.Context // of the operation under way
	control *patientConn
	data    net.Conn
	gone    bool
}

func (c *session) setControl(conn *patientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.control = conn; c.gone {
		conn.Close()
	}
}

func (c *session) setData(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.data = conn; c.gone {
		conn.Close()
	}
}

func (c *session) context() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ctx
}

// cut closes the connections at once.
func (c *session) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone = true
	if c.data != nil {
		c.data.Close()
	}
	if c.control != nil {
		c.control.Close()
	}
}

// guard runs what cannot be canceled.
func (c *session) guard(ctx context.Context, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
	stop := context.AfterFunc(ctx, c.cut)
	err := run()
	if !stop() && err != nil {
		return ctx.Err()
	}
	return err
}

// path makes a relative path begin with "./", so that no name is taken for an option of the server's ls.
func (c *session) path(name string) string {
	p := path.Join(c.server.dir, name)
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "./" + p
}

// unavailable tells whether a server refused to do something with a path.
func unavailable(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return ok && (reply.Code == ftp.StatusFileUnavailable || reply.Code == ftp.StatusBadFileName)
}

// because says why the server refused: the path that is needed is missing, or it is there and may not be used.
func (c *session) because(needed string, err error) error {
	if !unavailable(err) {
		return err
	}
	if _, statErr := c.stat(needed); errors.Is(statErr, errMissing) {
		return fmt.Errorf("%w: %w", errMissing, err)
	} else if statErr != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errForbidden, err)
}

// Alive implements filetree.Session.
func (c *session) Alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, storage.DialTimeout)
	defer cancel()
	return c.guard(ctx, c.ftp.NoOp) == nil
}

// Write implements filetree.Session.
func (c *session) Write(ctx context.Context, name string, r io.Reader, _ int64) error {
	return c.guard(ctx, func() error {
		err := c.ftp.Stor(c.path(name), r)
		return c.because(path.Dir(name), c.full(name, err))
	})
}

// full finds out whether a transfer that the server broke off failed for want of room: many answer 451 or 426 then, which
// may mean anything. Such a server has no room for a few bytes either, while the broken file is still there.
func (c *session) full(name string, err error) error {
	reply, ok := errors.AsType[*textproto.Error](err)
	if !ok || reply.Code != ftp.StatusActionAborted && reply.Code != ftp.StatusTransfertAborted {
		return err
	}
	probe := c.path(name) + ".room"
	refused := c.ftp.Stor(probe, strings.NewReader(strings.Repeat(" ", probeSize)))
	_ = c.ftp.Delete(probe) // It may not be there.
	if _, answered := errors.AsType[*textproto.Error](refused); answered {
		return fmt.Errorf("%w: %w", storage.ErrFull, err)
	}
	return err
}

// probeSize is more than a block of any file system.
const probeSize = 64 << 10

// Open implements filetree.Session.
func (c *session) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	var b *body
	err := c.guard(ctx, func() error {
		size, err := c.ftp.FileSize(c.path(name))
		if err != nil {
			return c.because(name, err)
		}
		n, err := storage.CheckRange(offset, length, size)
		if err != nil {
			return err
		}
		if n == 0 {
			b = &body{r: strings.NewReader("")}
			return nil
		}
		response, err := c.ftp.RetrFrom(c.path(name), uint64(offset))
		if err != nil {
			return c.because(name, err)
		}
		b = &body{r: storage.ExactReader(io.LimitReader(response, n), n), response: response, part: offset+n < size}
		return nil
	})
	if err != nil {
		return nil, err
	}
	b.ctx, b.stop = ctx, context.AfterFunc(ctx, c.cut)
	return b, nil
}

// body reads one range.
type body struct {
	r        io.Reader
	response *ftp.Response // nil for an empty range
	part     bool          // the server has more to send
	ctx      context.Context
	stop     func() bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF && b.ctx.Err() != nil {
		err = b.ctx.Err()
	}
	return n, err
}

// Close hears the server's word on the transfer. Of one that was ended before its time it is a complaint.
func (b *body) Close() error {
	defer b.stop()
	if b.response == nil {
		return nil
	}
	err := b.response.Close()
	if _, said := errors.AsType[*textproto.Error](err); said && b.part {
		return nil
	}
	return err
}

// Stat implements filetree.Session.
func (c *session) Stat(ctx context.Context, name string) (e filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		e, err = c.stat(name)
		return err
	})
	return e, err
}

func (c *session) stat(name string) (filetree.Entry, error) {
	if !c.ftp.IsTimePreciseInList() {
		return c.statPlain(name)
	}
	found, err := c.ftp.GetEntry(c.path(name))
	if unavailable(err) {
		return filetree.Entry{}, fmt.Errorf("%w: %w", errMissing, err)
	}
	if err != nil {
		return filetree.Entry{}, err
	}
	return entry(found), nil
}

// statPlain asks a server that does not know MLST: only files have a size, and only directories can be entered.
func (c *session) statPlain(name string) (filetree.Entry, error) {
	e := filetree.Entry{Name: path.Base(name)}
	size, err := c.ftp.FileSize(c.path(name))
	if err == nil {
		e.Size = size
		e.ModTime, err = c.ftp.GetTime(c.path(name))
		return e, err
	}
	if !unavailable(err) {
		return e, err
	}
	if enterErr := c.ftp.ChangeDir(c.path(name)); enterErr != nil {
		return e, fmt.Errorf("%w: %w", errMissing, err)
	}
	e.Mode = fs.ModeDir
	return e, c.ftp.ChangeDir(c.home)
}

func entry(found *ftp.Entry) filetree.Entry {
	e := filetree.Entry{Name: path.Base(found.Name), Size: int64(min(found.Size, 1<<62)), ModTime: found.Time}
	switch found.Type {
	case ftp.EntryTypeFolder:
		e.Mode, e.Size = fs.ModeDir, 0
	case ftp.EntryTypeLink:
		e.Mode = fs.ModeSymlink
	}
	return e
}

// ReadDir implements filetree.Session. The directory is entered first: what a listing command takes may be a pattern.
func (c *session) ReadDir(ctx context.Context, name string) (entries []filetree.Entry, err error) {
	err = c.guard(ctx, func() error {
		if err := c.ftp.ChangeDir(c.path(name)); err != nil {
			return c.because(name, err)
		}
		found, err := c.ftp.List("")
		if err != nil {
			return c.because(".", errors.Join(err, c.ftp.ChangeDir(c.home)))
		}
		for _, f := range found {
			if f.Name != "." && f.Name != ".." && !strings.Contains(f.Name, "/") {
				entries = append(entries, entry(f))
			}
		}
		return c.ftp.ChangeDir(c.home)
	})
	return entries, err
}

// Rename implements filetree.Session. A server that refuses to replace a file has it removed first.
func (c *session) Rename(ctx context.Context, from, to string) error {
	return c.guard(ctx, func() error {
		err := c.ftp.Rename(c.path(from), c.path(to))
		if !unavailable(err) {
			return err
		}
		if old, statErr := c.stat(to); statErr == nil && old.Mode.IsRegular() {
			if err := c.ftp.Delete(c.path(to)); err != nil {
				return c.because(to, err)
			}
			return c.ftp.Rename(c.path(from), c.path(to))
		}
		return c.because(path.Dir(to), err)
	})
}

// Remove implements filetree.Session.
func (c *session) Remove(ctx context.Context, name string) error {
	return c.guard(ctx, func() error { return c.because(name, c.ftp.Delete(c.path(name))) })
}

// Mkdir implements filetree.Session. The location's own directory is made with those above it.
func (c *session) Mkdir(ctx context.Context, name string) error {
	return c.guard(ctx, func() error {
		if name == "." {
			return c.makeAll(c.path("."))
		}
		return c.makeOne(name, c.path(name))
	})
}

func (c *session) makeOne(name, full string) error {
	err := c.ftp.MakeDir(full)
	if !unavailable(err) && !refusedAsExisting(err) {
		return err
	}
	if e, statErr := c.stat(name); statErr == nil && e.Mode.IsDir() {
		return nil
	}
	return c.because(path.Dir(name), err)
}

// refusedAsExisting is 521, which RFC 775 and some servers give for a directory that exists.
func refusedAsExisting(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return ok && reply.Code == 521
}

// makeAll makes a directory that can be entered, from the outermost missing one on.
func (c *session) makeAll(dir string) error {
	if err := c.ftp.ChangeDir(dir); err == nil {
		return c.ftp.ChangeDir(c.home)
	} else if !unavailable(err) {
		return err
	}
	if parent := path.Dir(dir); parent != dir && parent != "." {
		if err := c.makeAll(parent); err != nil {
			return err
		}
	}
	if err := c.ftp.MakeDir(dir); err != nil {
		return fmt.Errorf("make directory %s: %w: %w", dir, errForbidden, err)
	}
	return nil
}

// quitTime bounds the farewell.
const quitTime = time.Second

// Close implements filetree.Session.
func (c *session) Close() error {
	late := time.AfterFunc(quitTime, c.cut)
	defer late.Stop()
	err := c.ftp.Quit()
	c.cut()
	return err
}
