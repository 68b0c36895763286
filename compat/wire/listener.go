package wire

import (
	"bytes"
	"io"
	"net"
)

// MostHeader is how long the head of a request may be, in bytes: request line and headers.
const MostHeader = 64 << 10

// Listen makes a listener's connections mend the heads of requests as several PHP clients send them: with a header that ends in "\n\r", before
// the line break that their HTTP library adds:
//
//	Authorization: Basic …\n\r\r\n
//
// To mend is to drop that stray "\r" line, or the stray "\r" before the next header. A proxy in front may have read such a head otherwise than we do, and take
// what follows for another request. So it is mended only for the first request of a connection, which is closed after it; a head with a Transfer-Encoding is not mended;
// and time and length are those of the server, which reads through here.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &mendingConn{Conn: c}, nil
}

// mendingConn is a connection until the head of its first request has been read, and after that hands on what comes.
type mendingConn struct {
	net.Conn
	passed bool   // the head is through
	head   []byte // what was read of it, then what of that is not handed on yet
}

func (c *mendingConn) Read(p []byte) (int, error) {
	if !c.passed {
		if err := c.readHead(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	c.head = nil
	return c.Conn.Read(p)
}

// readHead reads until the head has ended. What is too long, or ends before that, is the server's to refuse.
func (c *mendingConn) readHead() error {
	buffer := make([]byte, 4096)
	for {
		n, err := c.Conn.Read(buffer)
		c.head = append(c.head, buffer[:n]...)
		if mended, done := mend(c.head); done {
			c.head, c.passed = mended, true
			return nil
		}
		if err != nil || len(c.head) > MostHeader {
			c.passed = true
			if len(c.head) > 0 {
				return nil
			}
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
}

// closing is put into a head that was mended.
const closing = "Connection: close\r\n"

// mend looks for the end of a head. It tells whether it is there, and returns the text with the head mended.
func mend(text []byte) ([]byte, bool) {
	var head []byte
	stray := false
	rest := text
	for first := true; ; first = false {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		if !ended {
			return nil, false
		}
		rest = after
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 && !first {
			break
		}
		if line, ok := bytes.CutPrefix(line, []byte("\r")); ok && !first {
			stray = true
			if len(line) > 0 {
				head = append(append(head, line...), "\r\n"...)
			}
			continue
		}
		if name, _, _ := bytes.Cut(line, []byte(":")); !first && bytes.EqualFold(bytes.TrimSpace(name), []byte("connection")) {
			continue // For a mended head, which gets its own.
		}
		head = append(append(head, line...), "\r\n"...)
	}
	if !stray || bytes.Contains(bytes.ToLower(head), []byte("\ntransfer-encoding")) {
		return text, true
	}
	head = append(append(head, closing...), "\r\n"...)
	return append(head, rest...), true
}
