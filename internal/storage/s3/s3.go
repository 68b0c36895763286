// Package s3 keeps objects in a bucket of Amazon S3 or a server that speaks its protocol.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/sitewright/sitewright/internal/storage"
)

// partSize is the memory that a put of unknown length takes; S3's limit of 10,000 parts makes 156 GiB of it.
const partSize = 16 << 20

// maxSinglePut is S3's limit for one request. Up to it objects are sent whole, so that a killed put leaves no parts
// behind that cost money and are seen by nobody.
const maxSinglePut = 5 << 30

// Addressing says how a bucket is named in a request.
type Addressing string

const (
	// AddressingAuto uses virtual hosts for providers known to need them (Amazon, Google, Alibaba) and paths elsewhere.
	AddressingAuto Addressing = ""
	// AddressingPath sends the bucket as the first part of the path.
	AddressingPath Addressing = "path"
	// AddressingVirtualHost sends the bucket as the first label of the host name.
	AddressingVirtualHost Addressing = "virtualHost"
)

// Config says which bucket, where and with which keys.
type Config struct {
	// Endpoint is http://host[:port] or https://host[:port]; a bare host means https.
	Endpoint string
	// Region is sent with every signature; empty means us-east-1.
	Region string
	// Bucket must exist.
	Bucket string
	// Prefix is put before every name; a '/' is added at its end where it lacks one. May be empty.
	Prefix string
	// AccessKey and SecretKey sign the requests. Both empty means anonymous.
	AccessKey, SecretKey string
	// SessionToken accompanies temporary keys; may be empty.
	SessionToken string
	// Addressing defaults to AddressingAuto.
	Addressing Addressing
	// CA holds PEM certificates that are trusted besides the system's; may be empty.
	CA []byte
}

// Store is a storage.Store in a bucket.
type Store struct {
	client    minio.Core
	transport *http.Transport
	bucket    string
	prefix    string
	host      string
	name      string
}

var _ storage.Store = (*Store)(nil)

// New checks the configuration. It does not talk to the server: the first operation does.
func New(c Config) (*Store, error) {
	endpoint := c.Endpoint
	if !strings.Contains(endpoint, "://") {
		endpoint = "https://" + endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("s3 endpoint must be http://host[:port] or https://host[:port], without login and path")
	}
	s := &Store{bucket: c.Bucket, prefix: strings.Trim(c.Prefix, "/"), host: u.Host}
	if s.prefix != "" {
		if err := storage.CheckName(s.prefix); err != nil {
			return nil, fmt.Errorf("s3 prefix: %w", err)
		}
		s.prefix += "/"
	}
	s.name = fmt.Sprintf("s3 %s://%s, bucket %s, prefix %q", u.Scheme, u.Host, c.Bucket, s.prefix)
	if s.transport, err = newTransport(c.CA); err != nil {
		return nil, fmt.Errorf("s3 %s: %w", u.Host, err)
	}
	options := &minio.Options{
		Creds:      credentials.NewStaticV4(c.AccessKey, c.SecretKey, c.SessionToken),
		Secure:     u.Scheme == "https",
		Transport:  s.transport,
		Region:     c.Region,
		MaxRetries: 1, // storage.Retry retries, with one bound for all protocols.
	}
	if options.Region == "" {
		options.Region = "us-east-1"
	}
	switch c.Addressing {
	case AddressingAuto:
	case AddressingPath:
		options.BucketLookup = minio.BucketLookupPath
	case AddressingVirtualHost:
		options.BucketLookup = minio.BucketLookupDNS
	default:
		return nil, fmt.Errorf("s3 addressing %q must be %q or %q", c.Addressing, AddressingPath, AddressingVirtualHost)
	}
	client, err := minio.NewCore(u.Host, options)
	if err != nil {
		return nil, fmt.Errorf("s3 %s: %w", u.Host, err)
	}
	s.client = *client
	return s, nil
}

func newTransport(ca []byte) (*http.Transport, error) {
	trust, err := storage.TLSConfig(ca)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: storage.DialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   storage.DialTimeout,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   16,
		DisableCompression:    true, // Objects come back as they were put.
		TLSClientConfig:       trust,
	}, nil
}

// String names endpoint, bucket and prefix.
func (s *Store) String() string { return s.name }

// Close drops idle connections.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

// Put implements storage.Store. Up to 5 GiB of announced size is one request, which S3 makes atomic by itself; more,
// or an unknown size, is a multipart upload, which becomes visible when completed.
func (s *Store) Put(ctx context.Context, name string, r io.Reader, size int64) error {
	if err := s.check(name); err != nil {
		return err
	}
	if size == 0 {
		if _, err := io.Copy(io.Discard, storage.ExactReader(r, 0)); err != nil {
			return s.errorOf("put", name, err)
		}
		r = bytes.NewReader(nil)
	}
	options := minio.PutObjectOptions{
		ContentType:      "application/octet-stream",
		PartSize:         partSize,
		DisableMultipart: size >= 0 && size <= maxSinglePut,
	}
	if size > maxSinglePut {
		options.PartSize = 0 // The library computes parts that stay within 10,000.
	}
	return storage.RetryPut(ctx, name, r, size, func(ctx context.Context, r io.Reader) error {
		_, err := s.client.Client.PutObject(ctx, s.bucket, s.prefix+name, r, size, options)
		return s.errorOf("put", name, err)
	})
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := s.check(name); err != nil {
		return storage.Info{}, err
	}
	var info storage.Info
	err := storage.Retry(ctx, func(ctx context.Context) error {
		o, err := s.client.StatObject(ctx, s.bucket, s.prefix+name, minio.StatObjectOptions{})
		info = storage.Info{Name: name, Size: o.Size, ModTime: o.LastModified}
		return s.errorOf("stat", name, err)
	})
	if err != nil && !errors.Is(err, storage.ErrUnreachable) && ctx.Err() == nil {
		// An answer to HEAD has no body to tell a missing object from a missing bucket, a wrong key or a wrong region.
		for _, listErr := range s.List(ctx, name) {
			if listErr != nil {
				return storage.Info{}, listErr
			}
			break
		}
	}
	return info, err
}

// List implements storage.Store, a thousand names per request. A listing that was cut goes on after the last name seen.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		last, more := "", true
		err := storage.Retry(ctx, func(ctx context.Context) error {
			options := minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true, StartAfter: last}
			for o := range s.client.ListObjectsIter(ctx, s.bucket, options) {
				if o.Err != nil {
					return s.errorOf("list", prefix, o.Err)
				}
				last = o.Key
				name := strings.TrimPrefix(o.Key, s.prefix)
				if name == "" || strings.HasSuffix(name, "/") {
					continue // A "directory" object that some consoles make.
				}
				if more = yield(storage.Info{Name: name, Size: o.Size, ModTime: o.LastModified}, nil); !more {
					return nil
				}
			}
			if err := ctx.Err(); err != nil {
				return s.errorOf("list", prefix, err) // The library ends the sequence quietly.
			}
			return nil
		})
		if err != nil && more {
			yield(storage.Info{}, err)
		}
	}
}

// Delete implements storage.Store.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := s.check(name); err != nil {
		return err
	}
	return storage.Retry(ctx, func(ctx context.Context) error {
		err := s.errorOf("delete", name, s.client.RemoveObject(ctx, s.bucket, s.prefix+name, minio.RemoveObjectOptions{}))
		if errors.Is(err, storage.ErrNotFound) {
			return nil
		}
		return err
	})
}
