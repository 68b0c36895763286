package sftp

import (
	"net"
	"sync/atomic"
	"time"
)

// heardConn remembers when its peer was last heard.
type heardConn struct {
	net.Conn
	made  time.Time
	heard atomic.Int64 // nanoseconds after made
}

func newHeardConn(conn net.Conn) *heardConn { return &heardConn{Conn: conn, made: time.Now()} }

func (c *heardConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.made)))
	}
	return n, err
}

// silence is how long ago the peer was heard.
func (c *heardConn) silence() time.Duration {
	return time.Since(c.made) - time.Duration(c.heard.Load())
}

// ask gives the server something to answer at every interval, so that its silence means something. It asks the part that
// serves files: another one may answer in its place while that hangs.
func (c *session) ask(interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
		if _, err := c.files.Getwd(); err != nil {
			return // The connection is gone; whoever uses it is told so.
		}
	}
}

// watch closes the connection of a server that fell silent: TCP alone would wait for many minutes. Slow lines are no
// matter, since whatever is on its way is answered bit by bit.
func (c *session) watch(patience time.Duration) {
	tick := time.NewTicker(patience / 8)
	defer tick.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
		if c.conn.silence() > patience {
			c.conn.Close()
			return
		}
	}
}
