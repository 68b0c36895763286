package webdav

import (
	"context"
	"errors"
	"net/http"
	"path"
	"time"
)

// Rename implements filetree.Session. Servers replace an old file in one step or remove it first (Apache does).
func (c *session) Rename(ctx context.Context, from, to string) error {
	destination := c.url(to, false)
	err := c.move(ctx, from, destination.String())
	status, ok := errors.AsType[*statusError](err)
	if ok && status.code == http.StatusBadGateway && destination.Scheme == "https" {
		// RFC 4918's answer to another server's address. So a server takes its own when a proxy in front of it ends TLS; to
		// itself it is plain http. This is a name that we tell it, and no address that anything is sent to.
		destination.Scheme = "http"
		err = c.move(ctx, from, destination.String())
		status, ok = errors.AsType[*statusError](err)
	}
	// A missing parent deserves a 409; Apache's answer is 500.
	if dir := path.Dir(to); ok && status.code >= 500 && dir != "." {
		if _, missing := c.Stat(ctx, dir); missing != nil {
			return missing
		}
	}
	return err
}

func (c *session) move(ctx context.Context, from, destination string) error {
	return settle(ctx, func() (passing bool, err error) {
		res, err := c.do(ctx, request{method: "MOVE", name: from, header: map[string]string{"Destination": destination, "Overwrite": "T"}}) //nolint:bodyclose // expect closes it
		if err != nil {
			return false, err
		}
		return res.StatusCode == http.StatusForbidden, expect("MOVE", res, http.StatusCreated, http.StatusNoContent, http.StatusOK)
	})
}

// A server that removes an old file just before it replaces it (Apache does) has it missing for a moment. Who reads it
// then is told that it is not there, or that access to it is denied; so is who replaces it at the same moment.
const (
	settleTries = 5
	firstPause  = 5 * time.Millisecond
)

// settle tries again, with pauses that double, what fails in a way that may come from such a moment.
func settle(ctx context.Context, try func() (passing bool, err error)) error {
	for n, pause := 1, firstPause; ; n, pause = n+1, 2*pause {
		passing, err := try()
		if !passing || err == nil || n == settleTries {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return errors.Join(err, ctx.Err())
		case <-timer.C:
		}
	}
}
