package storage

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The errors of a Store, to be matched with errors.Is.
var (
	// ErrNotFound means that the named object does not exist in a store that does.
	ErrNotFound = errors.New("object not found")
	// ErrDenied means that the store was reached and refused: wrong credentials, missing permission, read-only.
	ErrDenied = errors.New("access denied")
	// ErrFull means that the store has no room left: a full disk or an exhausted quota.
	ErrFull = errors.New("storage is full")
	// ErrUnreachable means that no answer came: unknown host, refused or cut connection, timeout, a failing server.
	ErrUnreachable = errors.New("storage is unreachable")
	// ErrUntrusted means that the server answered but could not prove who it is: a certificate from an unknown
	// authority, for another name or out of date, or another host key than the pinned one.
	ErrUntrusted = errors.New("server identity is not trusted")
	// ErrInvalidRange means that a Get asked for bytes outside the object.
	ErrInvalidRange = errors.New("range outside the object")
	// ErrNoContainer means that what should hold the objects is missing: the bucket, the directory, the share.
	ErrNoContainer = errors.New("container does not exist")
	// ErrInvalidName means that a name cannot be stored; see CheckName.
	ErrInvalidName = errors.New("invalid object name")
)

// Error is a failed operation on a store, worded for the person who configured it.
type Error struct {
	// Op is what was being done: "put", "get", "stat", "list", "delete", "connect".
	Op string
	// Store is the store's String.
	Store string
	// Name is the object, or empty.
	Name string
	// Kind is one of this package's sentinels, or nil when none applies.
	Kind error
	// Hint says what to do about it; may be empty.
	Hint string
	// Err is the cause as the protocol's library reported it; may be nil.
	Err error
}

// Error says what was done to what on which store, what went wrong, and the remedy.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Name != "" {
		fmt.Fprintf(&b, " %q", e.Name)
	}
	fmt.Fprintf(&b, " (%s)", e.Store)
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Err != nil && !errors.Is(e.Err, e.Kind) {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap makes both the kind and the cause visible to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// maxName leaves room for a prefix within S3's 1024 bytes per key.
const maxName = 900

// maxNamePart is what common file systems allow for one name (255 bytes), less a suffix.
const maxNamePart = 240

// CheckName returns ErrInvalidName unless name can be stored by every protocol: UTF-8 without control characters, one
// to 900 bytes, parts of at most 240 bytes between single slashes, no part "." or "..".
func CheckName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %q must be 1 to %d bytes of UTF-8", ErrInvalidName, name, maxName)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return fmt.Errorf("%w: %q holds a control character or a backslash", ErrInvalidName, name)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxNamePart {
			return fmt.Errorf("%w: %q has an empty, relative or over-long part", ErrInvalidName, name)
		}
	}
	return nil
}

// CheckRange returns ErrInvalidRange unless length bytes from offset lie inside an object of size bytes, as Store.Get
// defines it; otherwise it returns the number of bytes that will be read.
func CheckRange(offset, length, size int64) (int64, error) {
	invalid := fmt.Errorf("%w: %d bytes from %d of %d", ErrInvalidRange, length, offset, size)
	switch {
	case offset < 0 || length < -1 || offset > size:
		return 0, invalid
	case length == -1 && offset == size && size > 0:
		return 0, invalid
	case length == -1:
		return size - offset, nil
	case length > size-offset:
		return 0, invalid
	}
	return length, nil
}

// ExactReader passes r through and fails when it ends before or goes on after size bytes, so that a put cannot store
// a part of what was meant. A size of -1 disables the check.
func ExactReader(r io.Reader, size int64) io.Reader {
	if size < 0 {
		return r
	}
	return &exactReader{r: r, left: size, size: size}
}

type exactReader struct {
	r          io.Reader
	left, size int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.left -= int64(n)
	switch {
	case e.left < 0:
		return n, fmt.Errorf("source is longer than the announced %d bytes", e.size)
	case err == io.EOF && e.left > 0:
		return n, fmt.Errorf("source ended %d bytes before the announced %d: %w", e.left, e.size, io.ErrUnexpectedEOF)
	}
	return n, err
}
