// Package mysqltest starts a real, throwaway MariaDB or MySQL server for tests.
//
// The server keeps its data in a temporary directory, listens on loopback only, and lives as long as the test
// program: one server serves all the tests of a package. Its settings trade durability for speed.
package mysqltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
)

// adminUser and adminPassword are the login which Server.Config hands out: every privilege, with GRANT OPTION.
const (
	adminUser     = "admin"
	adminPassword = "admin's \\ secret"
	startTimeout  = 60 * time.Second
)

// Server is a running server.
type Server struct {
	dir      string
	release  *release // nil for the machine's own programs
	port     int
	cmd      *exec.Cmd
	exited   chan struct{}
	sequence atomic.Int64
}

// shared is the one server of this test program: starting one takes seconds, so tests share it and take databases
// of their own (Server.Database).
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Start returns the test program's server and starts it on the first call. A machine without MariaDB fails the test
// and names the package to install.
func Start(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start() })
	if shared.err != nil {
		t.Fatalf("start MariaDB: %v", shared.err)
	}
	return shared.server
}

// Main runs the tests of a package and stops the server afterwards: func TestMain(m *testing.M) {
// os.Exit(mysqltest.Main(m)) }. Without it the server still ends with the test program, but its directory stays.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		shared.server.stop()
	}
	stopVersions()
	return code
}

// Config is the administrator's login, without a database.
func (s *Server) Config() mysql.Config {
	return mysql.Config{Host: "127.0.0.1", Port: s.port, User: adminUser, Password: adminPassword}
}

// Database creates an empty database with a name of its own and returns the administrator's login to it. It is
// dropped when the test ends.
func (s *Server) Database(t testing.TB) mysql.Config {
	t.Helper()
	config := s.Config()
	config.Database = fmt.Sprintf("test_%d", s.sequence.Add(1))
	db, err := mysql.Open(t.Context(), s.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := mysql.NewAdmin(db).CreateDatabase(t.Context(), config.Database, mysql.DatabaseOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.drop(t, config.Database) })
	return config
}

func (s *Server) drop(t testing.TB, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), startTimeout)
	defer cancel()
	db, err := mysql.Open(ctx, s.Config())
	if err != nil {
		t.Error(err)
		return
	}
	defer db.Close()
	if err := mysql.NewAdmin(db).DropDatabase(ctx, name); err != nil {
		t.Error(err)
	}
}

// ClientArgs are the arguments with which a stock client program (mariadb, mariadb-dump) reaches the server over its
// socket as an administrator.
func (s *Server) ClientArgs() []string {
	return []string{"--no-defaults", "--socket=" + s.socket(), "--user=root", "--default-character-set=utf8mb4"}
}

func (s *Server) socket() string { return filepath.Join(s.dir, "sock") }

func start() (*Server, error) {
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("%w: install the package mariadb-server", err)
		}
	}
	dir, err := os.MkdirTemp("", "mysqltest-")
	if err != nil {
		return nil, err
	}
	return (&Server{dir: dir}).begin()
}

// begin makes the server's data and starts it. When that fails nothing is left.
func (s *Server) begin() (*Server, error) {
	if err := s.install(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	if err := s.run(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

func (s *Server) install() error {
	data := filepath.Join(s.dir, "data")
	if s.release != nil {
		if err := s.release.install(data); err != nil {
			return err
		}
	} else if out, err := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+data, "--skip-test-db",
		"--auth-root-authentication-method=normal", "--user="+osUser(), "--innodb-log-file-size=16M").CombinedOutput(); err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(adminPassword)
	init := "CREATE USER '" + adminUser + "'@'%' IDENTIFIED BY '" + quoted + "';\n" +
		"GRANT ALL PRIVILEGES ON *.* TO '" + adminUser + "'@'%' WITH GRANT OPTION;\n"
	return os.WriteFile(filepath.Join(s.dir, "init.sql"), []byte(init), 0o600)
}

func (s *Server) run() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	s.cmd = s.release.server(append([]string{"--no-defaults", "--user=" + osUser(), "--datadir=" + filepath.Join(s.dir, "data"),
		"--socket=" + s.socket(), "--pid-file=" + filepath.Join(s.dir, "pid"), "--bind-address=127.0.0.1",
		"--port=" + strconv.Itoa(s.port), "--init-file=" + filepath.Join(s.dir, "init.sql"), "--skip-name-resolve",
		"--skip-log-bin", "--performance-schema=OFF", "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0",
		"--innodb-buffer-pool-size=128M", "--max-allowed-packet=128M", "--character-set-server=utf8mb4", "--event-scheduler=OFF",
		"--secure-file-priv=" + s.dir}, s.release.options()...)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// The server must not outlive the test program, however that ends.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	return s.await()
}

// await returns when the server answers the administrator's login, which the init file creates.
func (s *Server) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		db, err := mysql.Open(ctx, s.Config())
		if err == nil {
			return db.Close()
		}
		select {
		case <-s.exited:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server ended: %s", log)
		case <-ctx.Done():
			s.stop()
			return err
		case <-tick.C:
		}
	}
}

func (s *Server) stop() {
	_ = s.cmd.Process.Kill()
	<-s.exited
	_ = os.RemoveAll(s.dir)
}

func osUser() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	return os.Getenv("USER")
}
