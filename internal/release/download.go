package release

import (
	"context"
	"crypto/sha1" //nolint:gosec // Some applications publish nothing better; the catalogue says which sum it is.
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// MaxArchive bounds the size of an archive when a Request does not.
const MaxArchive = 2 << 30

const (
	maxRedirects = 5
	attempts     = 5
	firstDelay   = 500 * time.Millisecond
	maxDelay     = 8 * time.Second
	// idleTimeout is how long a server may send nothing in the middle of an archive.
	idleTimeout = 60 * time.Second
)

// Request says what to download.
type Request struct {
	// URL with scheme http or https.
	URL string
	// SHA256 or SHA1 of the archive in hexadecimal; at least one is set. All that are set must match.
	SHA256, SHA1 string
	// MaxBytes bounds the archive's size; 0 means MaxArchive.
	MaxBytes int64
	// Idle is how long a server may send nothing; 0 means a minute.
	Idle time.Duration
	// Delay before the second attempt, from which later ones double; 0 means half a second.
	Delay time.Duration
	// Progress is told how many bytes of how many are there; total is 0 while unknown. May be nil.
	Progress func(done, total int64)
}

// Download writes the archive to a new file, name below dir, and returns its size. The checksum is compared before
// Download returns; a file with another one is removed. Network failures and failing servers are tried again.
func Download(ctx context.Context, r Request, dir *os.Root, name string) (int64, error) {
	if err := r.complete(); err != nil {
		return 0, err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	for attempt, delay := 1, r.Delay; ; attempt, delay = attempt+1, min(2*delay, maxDelay) {
		n, err := r.fetch(ctx, client, dir, name)
		if err == nil {
			return n, nil
		}
		_ = dir.Remove(name) // A later Prepare removes what this could not.
		if ctx.Err() != nil {
			return 0, fmt.Errorf("downloading %s: %w", r.URL, ctx.Err())
		}
		if !errors.Is(err, ErrUnreachable) || attempt == attempts {
			return 0, fmt.Errorf("downloading %s: %w", r.URL, err)
		}
		timer := time.NewTimer(delay/2 + rand.N(delay/2+1))
		select {
		case <-ctx.Done():
			timer.Stop()
			return 0, fmt.Errorf("downloading %s: %w", r.URL, ctx.Err())
		case <-timer.C:
		}
	}
}

func (r *Request) complete() error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%w: %q is no http or https URL", ErrInvalid, r.URL)
	}
	r.SHA256, r.SHA1 = strings.ToLower(r.SHA256), strings.ToLower(r.SHA1)
	if r.SHA256 == "" && r.SHA1 == "" {
		return fmt.Errorf("%w: %s has no checksum in the catalogue", ErrInvalid, r.URL)
	}
	if r.MaxBytes == 0 {
		r.MaxBytes = MaxArchive
	}
	if r.Idle == 0 {
		r.Idle = idleTimeout
	}
	if r.Delay == 0 {
		r.Delay = firstDelay
	}
	return nil
}

func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			DisableCompression:    true, // What is hashed must be the bytes as published.
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fmt.Errorf("more than %d redirects", maxRedirects)
			}
			if next.URL.Scheme != "http" && next.URL.Scheme != "https" {
				return fmt.Errorf("a redirect to %q", next.URL.Scheme)
			}
			return nil
		},
	}
}

func (r *Request) fetch(ctx context.Context, client *http.Client, dir *os.Root, name string) (int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL, nil)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	request.Header.Set("User-Agent", "sitewright")
	response, err := client.Do(request)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer response.Body.Close()
	if err := checkStatus(response); err != nil {
		return 0, err
	}
	if response.ContentLength > r.MaxBytes {
		return 0, r.tooLarge()
	}
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return 0, full(err)
	}
	idle := time.AfterFunc(r.Idle, func() { cancel(fmt.Errorf("nothing came for %s", r.Idle)) })
	defer idle.Stop()
	n, err := r.receive(ctx, response, f, idle)
	return n, errors.Join(err, full(f.Close()))
}

func checkStatus(response *http.Response) error {
	switch code := response.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout:
		return fmt.Errorf("%w: it answers %s", ErrUnreachable, response.Status)
	default:
		return fmt.Errorf("%w: the server answers %s", ErrNotFound, response.Status)
	}
}

func (r *Request) tooLarge() error {
	return fmt.Errorf("%w: it is larger than %d MiB", ErrInvalid, r.MaxBytes>>20)
}

// receive copies the body to f and compares its checksum.
func (r *Request) receive(ctx context.Context, response *http.Response, f io.Writer, idle *time.Timer) (int64, error) {
	sum256, sum1 := sha256.New(), sha1.New() //nolint:gosec // See the import.
	var n int64
	buffer := make([]byte, 128<<10)
	for {
		read, err := response.Body.Read(buffer)
		idle.Reset(r.Idle)
		if n += int64(read); n > r.MaxBytes {
			return 0, r.tooLarge()
		}
		for _, w := range []io.Writer{f, sum256, sum1} {
			if _, err := w.Write(buffer[:read]); err != nil {
				return 0, full(err)
			}
		}
		if r.Progress != nil {
			r.Progress(n, max(0, response.ContentLength))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("%w: it broke off after %d bytes: %w", ErrUnreachable, n, cause(ctx, err))
		}
	}
	return n, errors.Join(compareSum("SHA-256", r.SHA256, sum256), compareSum("SHA-1", r.SHA1, sum1))
}

func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

func compareSum(kind, want string, h hash.Hash) error {
	if got := hex.EncodeToString(h.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("%w: %s is %s, the catalogue says %s", ErrChecksum, kind, got, want)
	}
	return nil
}
