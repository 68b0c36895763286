package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/sitewright/sitewright/internal/mysql"
)

const (
	adminUser     = "administrator"
	adminPassword = "a password for the administrator"
	// siteUser is the one user of all sites here: what users may do is not what is measured.
	siteUser     = "site"
	sitePassword = "a-password-for-the-site"
)

// server is a MariaDB of this run.
type server struct {
	dir    string
	port   int
	cmd    *exec.Cmd
	exited chan struct{}
	pool   *sql.DB
	admin  *mysql.Admin
}

// startServer starts a server that is configured as Debian's is: MariaDB's own defaults, among them a commit that is on
// disk when it returns and a buffer pool of 128 MiB, and utf8mb4.
func startServer(ctx context.Context, dir string) (*server, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	s := &server{dir: dir, exited: make(chan struct{})}
	u, err := user.Current()
	if err != nil {
		return nil, err
	}
	data, script := filepath.Join(dir, "data"), filepath.Join(dir, "init.sql")
	install := exec.CommandContext(ctx, "mariadb-install-db", "--no-defaults", "--datadir="+data, "--skip-test-db",
		"--auth-root-authentication-method=normal", "--user="+u.Username)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w: %s", err, lastLines(string(out), 15))
	}
	grant := "GRANT ALL PRIVILEGES ON *.* TO '" + adminUser + "'@'%' IDENTIFIED BY '" + adminPassword + "' WITH GRANT OPTION;\n"
	if err := os.WriteFile(script, []byte(grant), 0o600); err != nil {
		return nil, err
	}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.Command("mariadbd", "--no-defaults", "--user="+u.Username, "--datadir="+data, "--socket="+filepath.Join(dir, "sock"),
		"--pid-file="+filepath.Join(dir, "pid"), "--bind-address=127.0.0.1", "--port="+strconv.Itoa(s.port), "--init-file="+script,
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	err = s.await(ctx)
	if err == nil {
		err = s.admin.EnsureUser(ctx, siteUser, sitePassword)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// await returns when the server answers.
func (s *server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		pool, err := mysql.Open(ctx, s.login(adminUser, adminPassword, ""))
		if err == nil {
			s.pool, s.admin = pool, mysql.NewAdmin(pool)
			return nil
		}
		select {
		case <-s.exited:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("mariadbd ended: %s", lastLines(string(log), 15))
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func (s *server) login(user, password, database string) mysql.Config {
	return mysql.Config{Host: "127.0.0.1", Port: s.port, User: user, Password: password, Database: database}
}

// close kills the server: its data goes too.
func (s *server) close() error {
	var err error
	if s.pool != nil {
		err = s.pool.Close()
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
	return err
}

// fresh makes a database anew, empty.
func (s *server) fresh(ctx context.Context, name string) error {
	if err := s.admin.DropDatabase(ctx, name); err != nil {
		return err
	}
	if err := s.admin.CreateDatabase(ctx, name, mysql.DatabaseOptions{}); err != nil {
		return err
	}
	return s.admin.Grant(ctx, siteUser, name)
}

// drop removes databases.
func (s *server) drop(ctx context.Context, names ...string) error {
	for _, name := range names {
		if err := s.admin.DropDatabase(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// settle brings to disk what the last turn left to be written, so that the next one does not pay for it.
func (b *bench) settle(ctx context.Context) error {
	return b.server.flush(ctx)
}

// flush has the server write what it has changed in memory only, then the kernel.
func (s *server) flush(ctx context.Context) error {
	const setting = "SET GLOBAL innodb_max_dirty_pages_pct = "
	if _, err := s.pool.ExecContext(ctx, setting+"0"); err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 20 * 60 {
		var name string
		var dirty int
		row := s.pool.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")
		if err := row.Scan(&name, &dirty); err != nil {
			return err
		}
		if dirty == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	_, err := s.pool.ExecContext(ctx, setting+"90")
	syscall.Sync()
	return err
}
