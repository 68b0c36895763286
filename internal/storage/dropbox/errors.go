package dropbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sitewright/sitewright/internal/storage"
)

// maxWait bounds how long Dropbox's wish to be asked later is obeyed, and maxWaits how often.
const (
	maxWait  = 30 * time.Second
	maxWaits = 4
)

// apiError is an answer that is no success.
type apiError struct {
	status int
	// tags are the names of the error and its parts, as documented of the endpoint: "path", "not_found".
	tags []string
	// offset is what an upload session has received, where the error is about that.
	offset uint64
	// after is when Dropbox wants to be asked again.
	after time.Duration
}

func (e *apiError) Error() string {
	return fmt.Sprintf("dropbox answered HTTP %d %s", e.status, strings.Join(e.tags, "/"))
}

// readError takes the tags out of an error's JSON, which differs from endpoint to endpoint but not in how it is tagged.
func readError(status int, body []byte) *apiError {
	e := &apiError{status: status}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) == nil {
		e.collect(answer.Error, 0)
	}
	return e
}

func (e *apiError) collect(raw json.RawMessage, depth int) {
	var word string
	if json.Unmarshal(raw, &word) == nil { // OAuth's errors are plain words.
		e.tags = append(e.tags, word)
		return
	}
	var object map[string]json.RawMessage
	if depth > 4 || json.Unmarshal(raw, &object) != nil {
		return
	}
	var tag string
	if json.Unmarshal(object[".tag"], &tag) == nil && tag != "" {
		e.tags = append(e.tags, tag)
	}
	_ = json.Unmarshal(object["correct_offset"], &e.offset) // Absent from most.
	for _, key := range []string{"reason", "lookup_failed", "path", "path_lookup", "path_write"} {
		if part, ok := object[key]; ok {
			e.collect(part, depth+1)
		}
	}
}

func (e *apiError) has(tags ...string) bool {
	return slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(e.tags, tag) })
}

// do runs a call that can be repeated: again while it fails for a passing reason, later when Dropbox asks for that, and
// with a new access token when the old one has expired before its time.
func (s *Store) do(ctx context.Context, op, name string, call func(context.Context) error) error {
	renewed, waits := false, 0
	return storage.Retry(ctx, func(ctx context.Context) error {
		for {
			err := call(ctx)
			e, ok := errors.AsType[*apiError](err)
			switch {
			case ok && e.status == http.StatusUnauthorized && !renewed:
				renewed = true
				s.auth.forget()
			case ok && e.after > 0 && e.after <= maxWait && waits < maxWaits:
				waits++
				if err := wait(ctx, e.after); err != nil {
					return s.errorOf(op, name, errors.Join(err, e))
				}
			default:
				return s.errorOf(op, name, err)
			}
		}
	})
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// errorOf returns nil for nil, else the error in package storage's words and kinds.
func (s *Store) errorOf(op, name string, err error) error {
	if err == nil {
		return nil
	}
	if _, done := errors.AsType[*storage.Error](err); done {
		return err
	}
	e := &storage.Error{Op: op, Store: s.String(), Name: name, Err: err}
	if errors.Is(err, storage.ErrInvalidRange) {
		e.Kind = storage.ErrInvalidRange
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return e // The caller gave up; Dropbox is not to blame.
	}
	if answer, ok := errors.AsType[*apiError](err); ok {
		e.Err = answer
		e.Hint, e.Kind = explain(answer)
		return e
	}
	switch {
	case storage.IsUntrusted(err):
		e.Kind, e.Hint = storage.ErrUntrusted, "something between here and Dropbox answers in its place"
	case storage.IsNetwork(err):
		e.Kind, e.Hint = storage.ErrUnreachable, "check that the cluster reaches api.dropboxapi.com and content.dropboxapi.com"
	}
	return e
}

func explain(e *apiError) (hint string, kind error) {
	switch {
	case e.has("invalid_grant"):
		return "the refresh token is not valid any more; connect the location to Dropbox again", storage.ErrDenied
	case e.has("invalid_client", "unauthorized_client", "invalid_client_id"):
		return "check the app key and the app secret", storage.ErrDenied
	case e.has("lookup_failed", "content_hash_mismatch", "too_many_write_operations", "operation_suppressed"):
		return "", storage.ErrUnreachable
	case e.has("insufficient_space", "team_folder_insufficient_space", "member_folder_insufficient_space", "insufficient_quota",
		"payload_too_large"):
		return "make room in the Dropbox account or delete old backups", storage.ErrFull
	case e.has("no_write_permission", "access_restricted", "restricted_content", "team_folder", "locked"):
		return "check that the app may write in the folder", storage.ErrDenied
	case e.has("malformed_path", "disallowed_name"):
		return "", storage.ErrInvalidName
	case e.has("not_found", "not_file", "not_folder"):
		return "", storage.ErrNotFound
	}
	switch {
	case e.status == http.StatusUnauthorized:
		return "connect the location to Dropbox again", storage.ErrDenied
	case e.status == http.StatusForbidden:
		return "check the permissions of the app and of the account", storage.ErrDenied
	case e.status == http.StatusRequestedRangeNotSatisfiable:
		return "", storage.ErrInvalidRange
	case e.status == http.StatusTooManyRequests:
		return "Dropbox limits how often it is asked; use the account for less at once", storage.ErrUnreachable
	case e.status >= 500:
		return "Dropbox answers but fails", storage.ErrUnreachable
	}
	return "", nil
}
