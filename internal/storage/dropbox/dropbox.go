// Package dropbox keeps objects as files in a folder of a Dropbox account.
//
// Dropbox takes names that differ only in case for one. Nothing in a repository does: Kopia's names are lower-case letters,
// digits and marks ("kopia.repository", "p0a1b…", "xn0_…", "_log_…"). So that no other name replaces a neighbour's file
// in silence, names with upper-case letters are refused with storage.ErrInvalidName.
//
// The store is a plain one, and not a tree of files: Dropbox lists a folder of any size page by page.
package dropbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"time"

	sdk "github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox"
	"github.com/dropbox/dropbox-sdk-go-unofficial/v6/dropbox/files"

	"github.com/sitewright/sitewright/internal/storage"
)

// pageSize is how many names a page of a listing has; Dropbox allows 2000.
const pageSize = 2000

// Config says which folder of which account.
type Config struct {
	// AppKey and AppSecret are the app's in Dropbox's console.
	AppKey, AppSecret string
	// RefreshToken is what the account's owner gave the app: it buys access tokens that live for hours.
	RefreshToken string
	// Folder is a path from the root of what the app may see; empty means that root. It need not exist.
	Folder string
}

// Store is a storage.Store in a Dropbox folder.
type Store struct {
	client    files.ContextClient
	auth      *authorizer
	transport *http.Transport
	folder    string // "" or "/a/b"
}

var _ storage.Store = (*Store)(nil)

// hosts are where the API is served.
type hosts struct{ api, content string }

// New checks the configuration. It does not talk to Dropbox: the first operation does.
func New(c Config) (*Store, error) {
	return newStore(c, hosts{api: "https://api.dropboxapi.com", content: "https://content.dropboxapi.com"})
}

func newStore(c Config, h hosts) (*Store, error) {
	if c.AppKey == "" || c.RefreshToken == "" {
		return nil, errors.New("dropbox needs an app key and a refresh token")
	}
	s := &Store{folder: strings.Trim(c.Folder, "/")}
	if s.folder != "" {
		if err := storage.CheckName(s.folder); err != nil {
			return nil, fmt.Errorf("dropbox folder: %w", err)
		}
		s.folder = "/" + s.folder
	}
	s.transport = &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: storage.DialTimeout, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout:   storage.DialTimeout,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   16,
		DisableCompression:    true, // Objects come back as they were put.
	}
	s.auth = newAuthorizer(c, h.api, s.transport)
	s.client = files.NewContext(sdk.Config{
		Client: &http.Client{Transport: s.auth, CheckRedirect: noRedirect},
		URLGenerator: func(host, namespace, route string) string {
			base := h.api
			if host == "content" {
				base = h.content
			}
			return fmt.Sprintf("%s/2/%s/%s", base, namespace, route)
		},
	})
	return s, nil
}

// noRedirect keeps tokens from whoever Dropbox's answers may name: its API redirects nobody.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// String names the folder.
func (s *Store) String() string { return fmt.Sprintf("dropbox, folder %q", s.folder+"/") }

// Close drops idle connections.
func (s *Store) Close() error {
	s.transport.CloseIdleConnections()
	return nil
}

func (s *Store) path(name string) string { return s.folder + "/" + name }

func (s *Store) check(name string) error {
	if err := storage.CheckName(name); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	if strings.ToLower(name) != name {
		return fmt.Errorf("%s: %w: %q has upper-case letters, which Dropbox does not tell from lower-case ones", s, storage.ErrInvalidName, name)
	}
	return nil
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, name string) (storage.Info, error) {
	if err := s.check(name); err != nil {
		return storage.Info{}, err
	}
	file, err := s.stat(ctx, "stat", name)
	if err != nil {
		return storage.Info{}, err
	}
	return storage.Info{Name: name, Size: int64(file.Size), ModTime: time.Time(file.ServerModified)}, nil
}

func (s *Store) stat(ctx context.Context, op, name string) (*files.FileMetadata, error) {
	var found files.IsMetadata
	err := s.do(ctx, op, name, func(ctx context.Context) (err error) {
		found, err = s.client.GetMetadataContext(ctx, files.NewGetMetadataArg(s.path(name)))
		return err
	})
	if err != nil {
		return nil, err
	}
	file, ok := found.(*files.FileMetadata)
	if !ok {
		return nil, &storage.Error{Op: op, Store: s.String(), Name: name, Kind: storage.ErrNotFound}
	}
	return file, nil
}

// Delete implements storage.Store. What the name holds is looked at first: Dropbox would delete a folder with all in it.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := s.check(name); err != nil {
		return err
	}
	_, err := s.stat(ctx, "delete", name)
	if err == nil {
		err = s.do(ctx, "delete", name, func(ctx context.Context) error {
			_, err := s.client.DeleteV2Context(ctx, files.NewDeleteArg(s.path(name)))
			return err
		})
	}
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

// List implements storage.Store. A folder that does not exist holds nothing: the first put makes it.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		arg := files.NewListFolderArg(s.folder)
		if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
			if storage.CheckName(prefix[:i]) != nil {
				return // No object can have such a name.
			}
			arg.Path += "/" + prefix[:i]
		}
		arg.Recursive, arg.Limit = true, pageSize
		var page *files.ListFolderResult
		next := func(ctx context.Context) (err error) {
			page, err = s.client.ListFolderContext(ctx, arg)
			return err
		}
		for {
			err := s.do(ctx, "list", prefix, next)
			if errors.Is(err, storage.ErrNotFound) {
				return
			}
			if err != nil {
				yield(storage.Info{}, err)
				return
			}
			for _, entry := range page.Entries {
				if info, ok := s.info(entry, prefix); ok && !yield(info, nil) {
					return
				}
			}
			if !page.HasMore {
				return
			}
			cursor := page.Cursor
			next = func(ctx context.Context) (err error) {
				page, err = s.client.ListFolderContinueContext(ctx, files.NewListFolderContinueArg(cursor))
				return err
			}
		}
	}
}

// info describes an entry of a listing that is an object under prefix. The name that Dropbox shows has the case of whoever
// made its folders; the one in lower case is ours.
func (s *Store) info(entry files.IsMetadata, prefix string) (storage.Info, bool) {
	file, ok := entry.(*files.FileMetadata)
	if !ok {
		return storage.Info{}, false
	}
	name, ok := strings.CutPrefix(file.PathLower, strings.ToLower(s.folder)+"/")
	if !ok || !strings.HasPrefix(name, prefix) || s.check(name) != nil {
		return storage.Info{}, false
	}
	return storage.Info{Name: name, Size: int64(file.Size), ModTime: time.Time(file.ServerModified)}, true
}

// Get implements storage.Store with one request.
func (s *Store) Get(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := s.check(name); err != nil {
		return nil, err
	}
	if offset < 0 || length < -1 || length == 0 || length > 0 && offset > offset+length-1 {
		return s.getNothing(ctx, name, offset, length)
	}
	arg := files.NewDownloadArg(s.path(name))
	switch {
	case length > 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-%d", offset, offset+length-1)}
	case offset > 0:
		arg.ExtraHeaders = map[string]string{"Range": fmt.Sprintf("bytes=%d-", offset)}
	}
	var file *files.FileMetadata
	var body io.ReadCloser
	err := s.do(ctx, "get", name, func(ctx context.Context) (err error) {
		file, body, err = s.client.DownloadContext(ctx, arg)
		return err
	})
	if err != nil {
		return nil, err
	}
	n, err := storage.CheckRange(offset, length, int64(file.Size))
	if err != nil { // Dropbox shortens a range that reaches beyond the end.
		return nil, s.errorOf("get", name, errors.Join(err, body.Close()))
	}
	return &reader{Reader: storage.ExactReader(body, n), Closer: body, store: s, name: name}, nil
}

// getNothing answers what a range header cannot ask: zero bytes, or nonsense.
func (s *Store) getNothing(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	file, err := s.stat(ctx, "get", name)
	if err != nil {
		return nil, err
	}
	if _, err := storage.CheckRange(offset, length, int64(file.Size)); err != nil {
		return nil, s.errorOf("get", name, err)
	}
	return http.NoBody, nil
}

// reader gives failures in the middle of a body the store's words.
type reader struct {
	io.Reader
	io.Closer
	store *Store
	name  string
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = r.store.errorOf("get", r.name, err)
	}
	return n, err
}
