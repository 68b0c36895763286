package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/jlaffaye/ftp"

	"github.com/sitewright/sitewright/internal/storage"
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
