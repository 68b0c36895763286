package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/sitewright/sitewright/internal/storage"
)

// Get implements storage.Store with one request. A body that is cut fails the reader: the caller knows best where to
// take up again.
func (s *Store) Get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	if offset < 0 || length < -1 || length == 0 {
		return s.getNothing(ctx, name, offset, length)
	}
	var options minio.GetObjectOptions
	var err error
	switch {
	case length > 0:
		err = options.SetRange(offset, offset+length-1)
	case offset > 0:
		err = options.SetRange(offset, 0) // The library's way of saying "to the end".
	}
	if err != nil {
		return nil, s.errorOf("get", name, fmt.Errorf("%w: %w", storage.ErrInvalidRange, err))
	}
	var body io.ReadCloser
	var info minio.ObjectInfo
	err = storage.Retry(ctx, func(ctx context.Context) error {
		body, info, _, err = s.client.GetObject(ctx, s.bucket, s.prefix+name, options)
		return s.errorOf("get", name, err)
	})
	if err != nil {
		return nil, err
	}
	if length > 0 && info.Size != length { // S3 shortens a range that reaches beyond the end.
		err := fmt.Errorf("%w: %d bytes from %d, %d exist", storage.ErrInvalidRange, length, offset, info.Size)
		return nil, s.errorOf("get", name, errors.Join(err, body.Close()))
	}
	return &bodyReader{ReadCloser: body, check: storage.ExactReader(body, info.Size), wrap: func(err error) error {
		return s.errorOf("get", name, err)
	}}, nil
}

// getNothing answers what a range header cannot ask: zero bytes, or nonsense.
func (s *Store) getNothing(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	info, err := s.Stat(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, err := storage.CheckRange(offset, length, info.Size); err != nil {
		return nil, s.errorOf("get", name, err)
	}
	return http.NoBody, nil
}

// bodyReader gives failures in the middle of a body the store's words.
type bodyReader struct {
	io.ReadCloser
	check io.Reader
	wrap  func(error) error
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.check.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.wrap(err)
	}
	return n, err
}

func (s *Store) check(name string) error {
	if err := storage.CheckName(name); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

func (s *Store) noContainer(op, name string, err error) error {
	return &storage.Error{Op: op, Store: s.name, Name: name, Kind: storage.ErrNoContainer, Err: err,
		Hint: fmt.Sprintf("create bucket %s on %s, or correct its name", s.bucket, s.host)}
}

// errorOf returns nil for nil, else the error in this package's words and kinds.
func (s *Store) errorOf(op, name string, err error) error {
	if err == nil {
		return nil
	}
	e := &storage.Error{Op: op, Store: s.name, Name: name, Err: err}
	if errors.Is(err, storage.ErrInvalidRange) {
		e.Kind = storage.ErrInvalidRange
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return e // The caller gave up; the store is not to blame.
	}
	if response, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return s.responseError(e, response)
	}
	if storage.IsUntrusted(err) {
		e.Kind, e.Hint = storage.ErrUntrusted, "give the location the CA that signed the certificate of "+s.host
		return e
	}
	// What is left came from the network, except for the source of a put.
	if op != "put" || storage.IsNetwork(err) {
		e.Kind, e.Hint = storage.ErrUnreachable, "check that "+s.host+" is right and answers from the cluster"
	}
	return e
}

func (s *Store) responseError(e *storage.Error, r minio.ErrorResponse) error {
	e.Err = fmt.Errorf("%s (%s, HTTP %d)", r.Message, r.Code, r.StatusCode)
	switch r.Code {
	case "NoSuchBucket":
		return s.noContainer(e.Op, e.Name, e.Err)
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "AllAccessDisabled", "ExpiredToken",
		"InvalidToken", "AuthorizationHeaderMalformed", "RequestTimeTooSkewed",
		"XAdminUserNotFound": // versitygw's word for an unknown access key, with HTTP 404.
		e.Kind, e.Hint = storage.ErrDenied, "check the access key, the secret key, the region and the bucket's policy"
		return e
	case "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "EntityTooLarge":
		e.Kind, e.Hint = storage.ErrFull, "make room on "+s.host+" or delete old backups"
		return e
	}
	switch r.StatusCode {
	case http.StatusNotFound:
		e.Kind = storage.ErrNotFound
	case http.StatusRequestedRangeNotSatisfiable:
		e.Kind = storage.ErrInvalidRange
	case http.StatusForbidden, http.StatusUnauthorized:
		e.Kind, e.Hint = storage.ErrDenied, "check the access key, the secret key and the bucket's policy"
	case http.StatusInsufficientStorage:
		e.Kind, e.Hint = storage.ErrFull, "make room on "+s.host+" or delete old backups"
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
		http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		e.Kind, e.Hint = storage.ErrUnreachable, s.host+" answers but fails; see its own log"
	}
	return e
}
