package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

const (
	// dialTimeout bounds the TCP connect, openTimeout that and the login: a server that is gone, or accepts and
	// stays silent, costs no more than this.
	dialTimeout = 10 * time.Second
	openTimeout = 15 * time.Second
	// writeTimeout bounds how long one packet may wait for a server which has stopped reading. Reads have no
	// timeout, since a statement may rightly run for long; TCP keep-alive notices a peer that is gone.
	writeTimeout = 5 * time.Minute

	defaultPort = 3306
	charset     = "utf8mb4"
	// sqlMode is the one all sessions of the package use. It is lax on purpose: data that is in one database
	// (zero dates, values a later CHECK refuses) must be storable in another one.
	sqlMode = "NO_AUTO_VALUE_ON_ZERO"
)

// Config says where a server is and who logs in to it.
type Config struct {
	// Host is a name or address, Port a TCP port; 0 means 3306.
	Host string
	Port int
	// User and Password log in. The password never appears in an error.
	User, Password string
	// Database is selected at login. It may be empty for administration, and must be set for everything that
	// works in one database.
	Database string
}

// address is the host and port in the form in which errors name a server.
func (c Config) address() string {
	port := c.Port
	if port == 0 {
		port = defaultPort
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(port))
}

// String describes the login without its password.
func (c Config) String() string { return c.User + "@" + c.address() + "/" + c.Database }

// GoString is String, so that %#v shows no password either.
func (c Config) GoString() string { return c.String() }

// Open connects to a server and logs in once, so that what is wrong shows here. The sessions of the pool use utf8mb4,
// UTC and a lax sql_mode. Errors are of the classes of Classify. The caller closes the pool.
func Open(ctx context.Context, config Config) (*sql.DB, error) {
	connector, err := driver.NewConnector(driverConfig(config))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", config, Classify(err))
	}
	db := sql.OpenDB(connector)
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("connect to %s: %w", config, Classify(err))
	}
	return db, nil
}

func driverConfig(config Config) *driver.Config {
	c := driver.NewConfig()
	c.Net, c.Addr = "tcp", config.address()
	c.User, c.Passwd, c.DBName = config.User, config.Password, config.Database
	c.Timeout, c.WriteTimeout = dialTimeout, writeTimeout
	c.MaxAllowedPacket = 0 // as the server says
	c.InterpolateParams = true
	c.Logger = &driver.NopLogger{} // what happens is returned as an error
	c.Params = map[string]string{
		"sql_mode":              "'" + sqlMode + "'",
		"time_zone":             "'+00:00'",
		"sql_quote_show_create": "1",
	}
	_ = c.Apply(driver.Charset(charset, "")) // never fails
	return c
}

// session opens one connection which is nobody else's, with a pool of its own. Closing it closes the pool.
type session struct {
	*sql.Conn
	db *sql.DB
}

func openSession(ctx context.Context, config Config) (*session, error) {
	if config.Database == "" {
		return nil, fmt.Errorf("connect to %s: no database is named: %w", config, ErrUnknownDatabase)
	}
	db, err := Open(ctx, config)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("connect to %s: %w", config, Classify(err))
	}
	s := &session{Conn: conn, db: db}
	if err := s.prepare(ctx); err != nil {
		_ = s.end()
		return nil, err
	}
	return s, nil
}

// prepare lifts the limits which a server may put on idle or long sessions: a worker waits while others work, and a
// slow backup location makes a dump read slowly.
func (s *session) prepare(ctx context.Context) error {
	limits := []string{"wait_timeout=86400", "net_write_timeout=7200", "net_read_timeout=7200"}
	server, err := readServer(ctx, s)
	if err != nil {
		return err
	}
	if server.mariadb {
		limits = append(limits, "max_statement_time=0", "idle_transaction_timeout=0", "check_constraint_checks=0")
	} else {
		limits = append(limits, "max_execution_time=0")
	}
	for _, limit := range limits {
		if err := s.exec(ctx, "SET SESSION "+limit); err != nil {
			return err
		}
	}
	return nil
}

// exec runs one statement and classifies its error.
func (s *session) exec(ctx context.Context, query string) error {
	_, err := s.ExecContext(ctx, query)
	return Classify(err)
}

// end closes the session; the server releases its locks and rolls back what it had not committed.
func (s *session) end() error {
	err := s.Close()
	if errors.Is(err, driver.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) {
		err = nil // broken before, which was reported then
	}
	return errors.Join(err, s.db.Close())
}
