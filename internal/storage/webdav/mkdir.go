package webdav

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
)

// Mkdir implements filetree.Session. The location's own collection is made with those above it.
func (c *session) Mkdir(ctx context.Context, name string) error {
	if name == "." {
		return c.makeAll(ctx, c.base)
	}
	return c.make(ctx, c.url(name, true))
}

func (c *session) make(ctx context.Context, collection *url.URL) error {
	res, err := c.do(ctx, request{method: "MKCOL", at: collection}) //nolint:bodyclose // expect closes it
	if err != nil {
		return err
	}
	// 405 says that something is there already. Were it a file, what follows would fail.
	return expect("MKCOL", res, http.StatusCreated, http.StatusOK, http.StatusMethodNotAllowed)
}

// makeAll makes those above a collection when the server says that they are missing, which RFC 4918 (section 9.3.1) has it say by 409.
func (c *session) makeAll(ctx context.Context, collection *url.URL) error {
	err := c.make(ctx, collection)
	status, ok := errors.AsType[*statusError](err)
	parent := above(collection)
	if !ok || status.code != http.StatusConflict || parent == nil {
		return err
	}
	if err := c.makeAll(ctx, parent); err != nil {
		return err
	}
	return c.make(ctx, collection)
}

// above is the collection that holds another one; nil for the root.
func above(collection *url.URL) *url.URL {
	escaped := path.Dir(path.Clean(collection.EscapedPath()))
	plain, err := url.PathUnescape(escaped)
	if err != nil || escaped == "/" || escaped == "." {
		return nil
	}
	u := *collection
	u.Path, u.RawPath = plain+"/", escaped+"/"
	return &u
}
