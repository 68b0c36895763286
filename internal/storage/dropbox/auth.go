package dropbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/oauth2"

	"github.com/sitewright/sitewright/internal/storage"
)

// maxAnswer bounds an answer that is no object: a page of a listing takes about 1 MiB.
const maxAnswer = 16 << 20

// refreshEarly is how long before its end an access token is replaced.
const refreshEarly = 5 * time.Minute

// authorizer is what the SDK sends its requests through. It adds a valid access token, makes errors of answers that are
// none, and bounds answers, which the SDK reads whole.
type authorizer struct {
	next    http.RoundTripper
	oauth   oauth2.Config
	refresh string
	// token holds the one access token, nil when there is none yet. Whoever takes it out renews it for all.
	token chan *oauth2.Token
}

func newAuthorizer(c Config, api string, next http.RoundTripper) *authorizer {
	a := &authorizer{next: next, refresh: c.RefreshToken, token: make(chan *oauth2.Token, 1)}
	a.oauth = oauth2.Config{ClientID: c.AppKey, ClientSecret: c.AppSecret,
		Endpoint: oauth2.Endpoint{TokenURL: api + "/oauth2/token", AuthStyle: oauth2.AuthStyleInParams}}
	a.token <- nil
	return a
}

// access returns a token that is valid for some minutes.
func (a *authorizer) access(ctx context.Context) (string, error) {
	var token *oauth2.Token
	select {
	case token = <-a.token:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { a.token <- token }()
	if token != nil && (token.Expiry.IsZero() || time.Until(token.Expiry) > refreshEarly) {
		return token.AccessToken, nil
	}
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Transport: a.next, CheckRedirect: noRedirect})
	fresh, err := a.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: a.refresh}).Token()
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		e := &apiError{status: refused.Response.StatusCode, after: retryAfter(refused.Response.Header)}
		if refused.ErrorCode != "" {
			e.tags = []string{refused.ErrorCode}
		}
		return "", e
	}
	if err != nil {
		return "", fmt.Errorf("get an access token: %w", err)
	}
	token = fresh
	return token.AccessToken, nil
}

// forget makes the next request get a new token.
func (a *authorizer) forget() {
	<-a.token
	a.token <- nil
}

// RoundTrip implements http.RoundTripper.
func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	token, err := a.access(req.Context())
	if err != nil {
		if req.Body != nil {
			err = errors.Join(err, req.Body.Close())
		}
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header.Set("Authorization", "Bearer "+token)
	if arg := req.Header.Get("Dropbox-API-Arg"); arg != "" {
		req.Header.Set("Dropbox-API-Arg", headerJSON(arg)) // The SDK leaves it as it is.
	}
	res, err := a.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case res.StatusCode == http.StatusPartialContent, res.StatusCode == http.StatusOK && res.Header.Get("Dropbox-API-Result") != "":
		if req.Header.Get("Range") != "" && res.StatusCode == http.StatusOK {
			return nil, errors.Join(errors.New("dropbox sent a whole file when asked for a part"), res.Body.Close())
		}
		return res, nil
	case res.StatusCode == http.StatusOK:
		res.Body = bounded{storage.ExactReader(io.LimitReader(res.Body, maxAnswer), res.ContentLength), res.Body}
		return res, nil
	}
	body, _ := io.ReadAll(io.LimitReader(res.Body, 64<<10)) // The status says enough.
	_ = res.Body.Close()
	e := readError(res.StatusCode, body)
	e.after = retryAfter(res.Header)
	return nil, e
}

type bounded struct {
	io.Reader
	io.Closer
}

// retryAfter reads the header of that name, in seconds.
func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.ParseUint(strings.TrimSpace(header.Get("Retry-After")), 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// headerJSON escapes all that is not ASCII, as Dropbox wants it of JSON in a header.
func headerJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
