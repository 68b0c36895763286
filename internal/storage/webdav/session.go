package webdav

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/icholy/digest"

	"github.com/sitewright/sitewright/internal/storage"
)

// session implements filetree.Session. Connections are the client's; what makes a session is how to log in.
type session struct {
	*server
	// challenge is what Digest answers to; nil before the server asked, and with Basic.
	challenge *digest.Challenge
	// count is how often the challenge was answered: RFC 7616 wants to be told, so that nobody can repeat an answer.
	count int
	basic bool
}

// request is what do sends, more than once when the server asks for the login.
type request struct {
	method string
	name   string
	dir    bool
	at     *url.URL // instead of name, where it is set
	header map[string]string
	body   *lease // may be nil
	text   string // the body when body is nil
	size   int64  // of body; -1 when nobody knows
}

// do sends a request and logs in when asked to. The answer may be any but a refused login; the caller closes its body.
func (c *session) do(ctx context.Context, q request) (*http.Response, error) {
	for asked := false; ; asked = true {
		req, err := c.build(ctx, q)
		if err != nil {
			return nil, err
		}
		res, err := c.client.Do(req)
		if err != nil {
			return nil, err
		}
		if res.StatusCode != http.StatusUnauthorized {
			return res, nil
		}
		drop(res)
		spent := q.body != nil && q.body.touched()
		// A second refusal means the login and not a nonce that has expired.
		if asked || spent || !c.learn(res.Header) {
			return nil, &statusError{method: q.method, code: res.StatusCode, spent: spent && !asked}
		}
	}
}

func (c *session) build(ctx context.Context, q request) (*http.Request, error) {
	u := q.at
	if u == nil {
		u = c.url(q.name, q.dir)
	}
	var body io.Reader
	switch {
	case q.body != nil && q.size == 0:
		body = http.NoBody
	case q.body != nil:
		body = q.body
	case q.text != "":
		body = strings.NewReader(q.text)
	}
	req, err := http.NewRequestWithContext(ctx, q.method, u.String(), body)
	if err != nil {
		return nil, fmt.Errorf("make a %s request: %w", q.method, err)
	}
	if q.body != nil && q.size != 0 {
		// A known size spares the server chunks, which some cannot take. The body is held back until the server wants
		// it: whether it refuses must be known while the body can still be sent again.
		req.ContentLength = q.size
		req.Header.Set("Expect", "100-continue")
	}
	for key, value := range q.header {
		req.Header.Set(key, value)
	}
	switch {
	case c.challenge != nil:
		c.count++
		credentials, err := digest.Digest(c.challenge, digest.Options{Method: q.method, URI: u.RequestURI(), Count: c.count,
			Username: c.user, Password: c.password})
		if err != nil {
			return nil, fmt.Errorf("answer the server's Digest challenge: %w", err)
		}
		req.Header.Set("Authorization", credentials.String())
	case c.basic:
		req.SetBasicAuth(c.user, c.password)
	}
	return req, nil
}

// learn takes the server's demand for a login; false means that there is nothing to answer it with. Digest goes first: it
// does not tell the password.
func (c *session) learn(header http.Header) bool {
	if c.user == "" && c.password == "" {
		return false
	}
	challenge, err := digest.FindChallenge(header)
	if err == nil && (len(challenge.QOP) == 0 || challenge.SupportsQOP("auth")) { // auth-int would read the body twice.
		c.challenge, c.count = challenge, 0
		return true
	}
	c.challenge = nil
	for _, value := range header.Values("WWW-Authenticate") {
		if strings.Contains(strings.ToLower(value), "basic") {
			c.basic = true
			return true
		}
	}
	return false
}

// expect closes an answer whose body nobody wants, and returns an error unless it has one of the codes.
func expect(method string, res *http.Response, codes ...int) error {
	drop(res)
	for _, code := range codes {
		if res.StatusCode == code {
			return nil
		}
	}
	e := &statusError{method: method, code: res.StatusCode}
	if to, err := res.Location(); err == nil && res.StatusCode/100 == 3 {
		e.location = to.Scheme + "://" + to.Host
	}
	return e
}

// drop reads a little of what is left, which is mostly enough for the connection to be used again.
func drop(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close() // The answer is known.
}

// lease lends the transport a reader that is wanted back: the transport may read on in the background after it returned.
type lease struct {
	mu   sync.Mutex
	r    io.Reader
	read bool
	over bool
}

var errLeaseOver = errors.New("the request is over")

// Read implements io.Reader.
func (l *lease) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return 0, errLeaseOver
	}
	l.read = true
	return l.r.Read(p)
}

func (l *lease) touched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.read
}

// end takes the reader back: no Read is under way or begins afterwards.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

// Write implements filetree.Session with one PUT.
func (c *session) Write(ctx context.Context, name string, r io.Reader, size int64) error {
	body := &lease{r: r}
	res, err := c.do(ctx, request{method: http.MethodPut, name: name, body: body, size: size, //nolint:bodyclose // expect closes it
		header: map[string]string{"Content-Type": "application/octet-stream"}})
	body.end()
	if err != nil {
		return err
	}
	if err := expect(http.MethodPut, res, http.StatusOK, http.StatusCreated, http.StatusNoContent); err != nil {
		return err
	}
	// The server took size bytes, or says so. Were they all?
	switch n, err := io.CopyN(io.Discard, r, 1); {
	case n > 0:
		return errors.New("the server answered before it had read the whole file")
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("look whether the source has ended: %w", err)
	}
	return nil
}

// Remove implements filetree.Session. DELETE would remove a collection with all that it holds, and a name without a slash at
// its end does not keep a server from it: what is no file is not found.
func (c *session) Remove(ctx context.Context, name string) error {
	e, err := c.Stat(ctx, name)
	if err != nil {
		return err
	}
	if !e.Mode.IsRegular() {
		return fmt.Errorf("%w: %s is a collection", storage.ErrNotFound, name)
	}
	res, err := c.do(ctx, request{method: http.MethodDelete, name: name}) //nolint:bodyclose // expect closes it
	if err != nil {
		return err
	}
	return expect(http.MethodDelete, res, http.StatusNoContent, http.StatusOK, http.StatusAccepted)
}

// Alive implements filetree.Session. A nonce that has expired meanwhile is replaced here and not in a put.
func (c *session) Alive(ctx context.Context) bool {
	_, err := c.propfind(ctx, ".", depthSelf)
	return err == nil
}

// Close implements filetree.Session. Connections are shared; idle ones end by themselves.
func (c *session) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
