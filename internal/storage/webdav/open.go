package webdav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/storage"
)

// Open implements filetree.Session.
func (c *session) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if offset < 0 || length < -1 || length == 0 {
		return c.openNothing(ctx, name, offset, length)
	}
	header := map[string]string{}
	switch {
	case length > 0:
		if offset > offset+length-1 {
			return nil, fmt.Errorf("%w: %d bytes from %d", storage.ErrInvalidRange, length, offset)
		}
		header["Range"] = fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)
	case offset > 0:
		header["Range"] = fmt.Sprintf("bytes=%d-", offset)
	}
	res, err := c.get(ctx, name, header)
	if err != nil {
		return nil, err
	}
	var body io.Reader
	switch res.StatusCode {
	case http.StatusPartialContent:
		body, err = partial(res, offset, length)
	case http.StatusOK:
		body, err = whole(res, offset, length)
	default:
		return nil, expect(http.MethodGet, res)
	}
	if err != nil {
		return nil, errors.Join(err, res.Body.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{body, res.Body}, nil
}

func (c *session) get(ctx context.Context, name string, header map[string]string) (res *http.Response, err error) {
	err = settle(ctx, func() (passing bool, err error) {
		if res, err = c.do(ctx, request{method: http.MethodGet, name: name, header: header}); err != nil { //nolint:bodyclose // the reader closes it
			return false, err
		}
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusForbidden {
			return false, nil
		}
		return true, expect(http.MethodGet, res)
	})
	return res, err
}

// openNothing answers what a range header cannot ask: zero bytes, or nonsense.
func (c *session) openNothing(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	e, err := c.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if !e.Mode.IsRegular() {
		return nil, storage.ErrNotFound
	}
	if _, err := storage.CheckRange(offset, length, e.Size); err != nil {
		return nil, err
	}
	return http.NoBody, nil
}

// partial checks that a server which knows ranges sent the one it was asked for.
func partial(res *http.Response, offset, length int64) (io.Reader, error) {
	text := res.Header.Get("Content-Range")
	span, total, _ := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	a, b, _ := strings.Cut(span, "-")
	first, err1 := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	if err1 != nil || err2 != nil || first != offset || last < first {
		return nil, fmt.Errorf("the server answered a range from byte %d with %q", offset, text)
	}
	got := last - first + 1
	if length > 0 && got < length { // Servers shorten a range that reaches beyond the end.
		return nil, fmt.Errorf("%w: %d bytes from %d, the file has %s", storage.ErrInvalidRange, length, offset, total)
	}
	if length > 0 && got > length || length < 0 && total != "*" && total != strconv.FormatInt(last+1, 10) {
		return nil, fmt.Errorf("the server answered %d bytes from byte %d with %q", length, offset, text)
	}
	return storage.ExactReader(res.Body, got), nil
}

// whole cuts the range out of the answer of a server that does not know ranges.
func whole(res *http.Response, offset, length int64) (io.Reader, error) {
	size := res.ContentLength
	if size < 0 { // Chunks; their end tells whether all has come.
		if n, err := io.CopyN(io.Discard, res.Body, offset); errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %d bytes from %d, the file has %d", storage.ErrInvalidRange, length, offset, n)
		} else if err != nil {
			return nil, err
		}
		if length < 0 {
			return res.Body, nil
		}
		return storage.ExactReader(io.LimitReader(res.Body, length), length), nil
	}
	n, err := storage.CheckRange(offset, length, size)
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, res.Body, offset); err != nil {
		return nil, fmt.Errorf("skip to byte %d: %w", offset, err)
	}
	return storage.ExactReader(io.LimitReader(res.Body, n), n), nil
}
