package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"
)

// mailAddress is where the mail server of the local cluster is, for its pods.
const mailAddress = nodeAddress + ":2525"

// mailPath is below where the mail server keeps its files and what it was given. It gives up root's rights, so the way there must be open to others.
func (c *cluster) mailPath(names ...string) string {
	return filepath.Join(append([]string{c.run, "mail"}, names...)...)
}

func (c *cluster) mail() process {
	path := c.mailPath("exim.conf")
	return process{name: "mail", argv: []string{"/usr/sbin/exim4", "-bdf", "-C", path}, inputs: []string{path}}
}

// startMail brings up a mail server, which keeps what it is given.
func (c *cluster) startMail(ctx context.Context, v values) error {
	u, err := user.Lookup("Debian-exim")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	for _, dir := range []string{c.mailPath(), c.mailPath("spool"), c.mailPath("log")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return fmt.Errorf("give %s to the mail server: %w", dir, err)
		}
	}
	v.Mail = c.mailPath()
	if err := c.configure("exim.conf", c.mailPath("exim.conf"), v); err != nil {
		return err
	}
	if err := c.ensure(c.mail()); err != nil {
		return err
	}
	return waitFor(ctx, "the mail server", 30*time.Second, func(ctx context.Context) error {
		if err := c.mustRun("mail"); err != nil {
			return err
		}
		connection, err := (&net.Dialer{}).DialContext(ctx, "tcp", mailAddress)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}
