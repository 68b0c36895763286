package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// Reply is the envelope of every reply.
type Reply struct {
	// Result tells success from failure.
	Result bool `json:"result"`
	// Message is for people, and ends in a newline.
	Message string `json:"message"`
	// ErrCode and ErrField say what failed, and which argument was to blame; null on success.
	ErrCode  *string `json:"errcode"`
	ErrField *string `json:"errfield"`
	// Data is what was asked for. A list with nothing in it is [], never null.
	Data any `json:"data"`
	// Task is the task that goes on in the background, and is not there unless one was asked for: a client is known that cannot read it otherwise.
	Task any `json:"task,omitempty"`
}

// Succeeded is the reply to a request that went well.
func Succeeded(data, task any) Reply {
	return Reply{Result: true, Message: "The task is complete.\n", Data: data, Task: task}
}

// Error is a failure as a client is told of it.
type Error struct {
	// Status is the HTTP status that belongs to it: 400, 403, 404 or 500.
	Status int
	// Code is what programs go by, such as empty_argument_url.
	Code string
	// Field is the argument that is to blame, if one is.
	Field string
	// Message is for people.
	Message string
	// Data is what there is all the same, such as the task that failed.
	Data any
}

func (e *Error) Error() string { return e.Message }

// Invalid is the failure of a request whose argument cannot be taken; field may be empty.
func Invalid(field, message string) *Error {
	code := "invalid_argument"
	if field != "" {
		code += "_" + field
	}
	return &Error{Status: http.StatusBadRequest, Code: code, Field: field, Message: message}
}

// Empty is the failure of a request that lacks an argument.
func Empty(field string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "empty_argument_" + field, Field: field, Message: "Missing argument: " + field}
}

// NotFound is the failure to find an object of a kind: install, backup, application or user.
func NotFound(kind string) *Error {
	return &Error{Status: http.StatusNotFound, Code: kind + "_not_found", Message: "There is no such " + kind}
}

// Denied is the failure of a caller who may not do that.
func Denied(code, message string) *Error {
	return &Error{Status: http.StatusForbidden, Code: code, Message: message}
}

// Failed is the failure to do it.
func Failed(code, message string) *Error {
	return &Error{Status: http.StatusInternalServerError, Code: code, Message: message}
}

// Failure is the reply that tells of an error. One that is no Error tells nothing of itself: it is the operator's to read in the log.
func Failure(err error) Reply {
	e := AsError(err)
	r := Reply{Message: "Error: " + strings.TrimRight(e.Message, "\n") + "\n", ErrCode: &e.Code, Data: e.Data}
	if e.Field != "" {
		r.ErrField = &e.Field
	}
	return r
}

// AsError is the Error in an error, or one that says nothing but that there was one.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Failed("internal_error", "Something went wrong on the server; its log says what")
}

// Write sends a reply. Its status is 200 whatever became of the request, as of old: clients read the body, and many are unable to once the status is another
// one. Only who is denied gets 403, which they know.
func Write(w http.ResponseWriter, status int, reply Reply) {
	body, err := json.Marshal(reply)
	if err != nil { // What a view holds can be encoded.
		http.Error(w, "the reply could not be encoded", http.StatusInternalServerError)
		return
	}
	body = append(body, '\n')
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store") // Passwords may be in it.
	h.Set("X-Content-Type-Options", "nosniff")
	if status != http.StatusForbidden {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // A client that has gone needs no reply.
}
