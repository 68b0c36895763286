package mysql

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	gomysql "github.com/go-sql-driver/mysql"
)

// The classes of errors. Test for them with errors.Is.
var (
	// ErrDenied means that the server refused the login or that the user lacks a privilege. Retrying does not help.
	ErrDenied = errors.New("access denied")
	// ErrUnreachable means that there is no working connection: host unknown, port closed, server going away, too
	// many connections. Worth retrying.
	ErrUnreachable = errors.New("database server unreachable")
	// ErrUnknownDatabase means that the database does not exist.
	ErrUnknownDatabase = errors.New("unknown database")
	// ErrExists means that what was to be created is there already.
	ErrExists = errors.New("already exists")
	// ErrFull means that the server has no room for the data.
	ErrFull = errors.New("database server is out of space")
	// ErrBusy means that a lock was not granted in time or that the server chose this session as a deadlock's
	// victim. Worth retrying.
	ErrBusy = errors.New("database is busy")
	// ErrTooLarge means that a row or statement is larger than the server's max_allowed_packet or the limit asked for.
	ErrTooLarge = errors.New("statement too large")
	// ErrChanged means that tables were created, altered or dropped while they were being read. Worth retrying.
	ErrChanged = errors.New("tables changed while they were read")
	// ErrRefused means that a script contains a statement which Load does not run.
	ErrRefused = errors.New("statement refused")
	// ErrTruncated means that a script ends in the middle of a string or comment.
	ErrTruncated = errors.New("script is truncated")
	// ErrUnsupported means that the server cannot do, or the package does not handle, what was asked for.
	ErrUnsupported = errors.New("not supported")
)

// classified is an error with its class: its text is the error's, and errors.Is finds both.
type classified struct {
	err, class error
}

func (c *classified) Error() string   { return c.class.Error() + ": " + c.err.Error() }
func (c *classified) Unwrap() []error { return []error{c.class, c.err} }

// Classify adds to a driver's error the class it belongs to (ErrDenied, ErrUnreachable, …), by the server's error
// number or the network error's type. Errors that belong to no class, or have one already, are returned as they are;
// nil stays nil. Cancellation stays the context's error.
func Classify(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	if _, done := errors.AsType[*classified](err); done {
		return err
	}
	if class := classOf(err); class != nil {
		return &classified{err: err, class: class}
	}
	return err
}

func classOf(err error) error {
	if server, ok := errors.AsType[*gomysql.MySQLError](err); ok {
		return classOfNumber(server.Number)
	}
	if errors.Is(err, gomysql.ErrPktTooLarge) {
		return ErrTooLarge
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return ErrUnreachable
	}
	for _, broken := range []error{gomysql.ErrInvalidConn, driver.ErrBadConn, gomysql.ErrMalformPkt, io.EOF, io.ErrUnexpectedEOF,
		context.DeadlineExceeded} {
		if errors.Is(err, broken) {
			return ErrUnreachable
		}
	}
	return nil
}

// classOfNumber maps the server's error numbers (MariaDB and MySQL agree on these).
func classOfNumber(number uint16) error {
	switch number {
	case 1044, 1045, 1142, 1143, 1095, 1227, 1370, 1410, 1419, 1698, 1873, 3118, 3955, 4151:
		return ErrDenied
	case 1049:
		return ErrUnknownDatabase
	case 1007, 1050:
		return ErrExists
	case 1021, 1041, 1114, 1037, 1038:
		return ErrFull
	case 1205, 1213, 1206:
		return ErrBusy
	case 1040, 1053, 1129, 1130, 1203, 1226, 1077, 1079, 1158, 1159, 1160, 1161, 1152, 1927:
		return ErrUnreachable
	case 1153, 1301:
		return ErrTooLarge
	case 1412:
		return ErrChanged
	}
	return nil
}
