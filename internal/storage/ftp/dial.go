package ftp

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// silence is how long a peer may neither send nor take anything before its connection is given up. Servers may take that
// long to answer the end of a transfer, when they write it to a slow disk.
const silence = time.Minute

// dialer makes the connections of one session: first the control connection, then one for each transfer.
type dialer struct {
	session *session
	trust   *tls.Config
	mode    TLS
	dialed  bool
}

// connect is the library's dial function.
func (d *dialer) connect(network, address string) (net.Conn, error) {
	raw, err := (&net.Dialer{Timeout: storage.DialTimeout, KeepAlive: 15 * time.Second}).Dial(network, address)
	if err != nil {
		return nil, err
	}
	conn := &patientConn{Conn: raw, patience: storage.DialTimeout}
	if !d.dialed {
		d.dialed = true
		d.session.setControl(conn)
		if d.mode != TLSImplicit {
			return conn, nil // The library encrypts it itself after AUTH TLS.
		}
		secure := tls.Client(conn, d.trust)
		ctx, cancel := context.WithTimeout(d.session.context(), storage.DialTimeout)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			raw.Close()
			return nil, err
		}
		return secure, nil
	}
	conn.patience = silence
	d.session.setData(conn)
	if d.mode == TLSNone {
		return conn, nil
	}
	// Servers begin the handshake after the command that uses the connection, so it waits for the first read or write.
	return tls.Client(conn, d.trust), nil
}

// patientConn fails when its peer is silent for too long. It is the only one that sets deadlines.
type patientConn struct {
	net.Conn
	patience time.Duration
}

func (c *patientConn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *patientConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.patience)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
