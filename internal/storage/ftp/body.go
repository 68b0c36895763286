package ftp

import (
	"context"
	"errors"
	"io"
	"net/textproto"
	"strings"

	"github.com/jlaffaye/ftp"

	"github.com/sitewright/sitewright/internal/storage"
)

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
	if err != nil && !errors.Is(err, io.EOF) && b.ctx.Err() != nil {
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
