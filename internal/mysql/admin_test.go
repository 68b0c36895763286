package mysql_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

func TestAdminIsIdempotent(t *testing.T) {
	s := mysqltest.Start(t)
	ctx := t.Context()
	admin := mysql.NewAdmin(open(t, s.Config()))
	const database, user = "adm`in_1", "adm'in_1"
	steps := []struct {
		name             string
		do               func() error
		database, exists bool
	}{
		{"create database", func() error { return admin.CreateDatabase(ctx, database, mysql.DatabaseOptions{}) }, true, false},
		{"create user", func() error { return admin.EnsureUser(ctx, user, `a'"\`) }, true, true},
		{"set password", func() error { return admin.EnsureUser(ctx, user, `other`) }, true, true},
		{"grant", func() error { return admin.Grant(ctx, user, database) }, true, true},
		{"drop user", func() error { return admin.DropUser(ctx, user) }, true, false},
		{"drop database", func() error { return admin.DropDatabase(ctx, database) }, false, false},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			for range 2 {
				if err := step.do(); err != nil {
					t.Fatal(err)
				}
			}
			has, err := admin.DatabaseExists(ctx, database)
			if err != nil || has != step.database {
				t.Errorf("the database exists: %v, %v", has, err)
			}
			has, err = admin.UserExists(ctx, user)
			if err != nil || has != step.exists {
				t.Errorf("the user exists: %v, %v", has, err)
			}
		})
	}
	names, err := admin.ListDatabases(ctx, "my")
	if err != nil || !slices.Equal(names, []string{"mysql"}) {
		t.Errorf("databases: %v, %v", names, err)
	}
}

func TestDatabaseOptions(t *testing.T) {
	s := mysqltest.Start(t)
	db := open(t, s.Config())
	admin := mysql.NewAdmin(db)
	for _, c := range []struct {
		options mysql.DatabaseOptions
		want    string
	}{
		{mysql.DatabaseOptions{}, "utf8mb4"},
		{mysql.DatabaseOptions{Charset: "latin1", Collation: "latin1_german2_ci"}, "latin1_german2_ci"},
	} {
		name := "options_" + c.want
		if err := admin.CreateDatabase(t.Context(), name, c.options); err != nil {
			t.Fatal(err)
		}
		var got string
		err := db.QueryRow("SELECT CONCAT(DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME) FROM information_schema.SCHEMATA "+
			"WHERE SCHEMA_NAME = ?", name).Scan(&got)
		if err != nil || !strings.Contains(got, c.want) {
			t.Errorf("defaults are %s, %v", got, err)
		}
		if err := admin.DropDatabase(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	err := admin.CreateDatabase(t.Context(), "x", mysql.DatabaseOptions{Charset: "latin1; DROP DATABASE mysql"})
	if !errors.Is(err, mysql.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
}

// TestGrantIsExact makes sure that _ in a database's name matches no other character: a pattern would let one site
// into another's database.
func TestGrantIsExact(t *testing.T) {
	s := mysqltest.Start(t)
	ctx := t.Context()
	db := open(t, s.Config())
	admin := mysql.NewAdmin(db)
	for _, name := range []string{"sw_a_1", "swxa_1", "sw_ax1"} {
		if err := admin.CreateDatabase(ctx, name, mysql.DatabaseOptions{}); err != nil {
			t.Fatal(err)
		}
		exec1(ctx, t, db, "CREATE TABLE "+name+".t (id int)")
	}
	config := s.Config()
	config.User, config.Password, config.Database = "sw_a", "secret", "sw_a_1"
	if err := errors.Join(admin.EnsureUser(ctx, config.User, config.Password), admin.Grant(ctx, config.User, "sw_a_1")); err != nil {
		t.Fatal(err)
	}
	user := open(t, config)
	exec1(ctx, t, user, "INSERT INTO sw_a_1.t VALUES (1)")
	for _, name := range []string{"swxa_1", "sw_ax1", "mysql"} {
		config.Database = name
		if _, err := mysql.Open(ctx, config); !errors.Is(err, mysql.ErrDenied) {
			t.Errorf("open %s: %v", name, err)
		}
	}
	visible, err := mysql.NewAdmin(user).ListDatabases(ctx, "sw")
	if err != nil || !slices.Equal(visible, []string{"sw_a_1"}) {
		t.Errorf("the user sees %v, %v", visible, err)
	}

	config.Database = "swxa_1"
	if err := admin.GrantRead(ctx, config.User, "swxa_1"); err != nil {
		t.Fatal(err)
	}
	reader := open(t, config)
	exec1(ctx, t, reader, "SELECT * FROM t", "LOCK TABLES t READ", "UNLOCK TABLES")
	if _, err := reader.Exec("INSERT INTO t VALUES (1)"); !errors.Is(mysql.Classify(err), mysql.ErrDenied) {
		t.Errorf("a reader could write: %v", err)
	}
	for range 2 {
		if err := admin.RevokeRead(ctx, config.User, "swxa_1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mysql.Open(ctx, config); !errors.Is(err, mysql.ErrDenied) {
		t.Errorf("after RevokeRead: %v", err)
	}
	if err := admin.GrantRows(ctx, config.User, "swxa_1"); err != nil {
		t.Fatal(err)
	}
	reader = open(t, config)
	exec1(ctx, t, reader, "SELECT * FROM t")
	if _, err := reader.Exec("LOCK TABLES t READ"); !errors.Is(mysql.Classify(err), mysql.ErrDenied) {
		t.Errorf("a reader of rows could lock: %v", err)
	}
	for range 2 {
		if err := admin.RevokeRows(ctx, config.User, "swxa_1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := mysql.Open(ctx, config); !errors.Is(err, mysql.ErrDenied) {
		t.Errorf("after RevokeRows: %v", err)
	}
	for range 2 {
		if err := errors.Join(admin.DropDatabase(ctx, "sw_a_1"), admin.Revoke(ctx, config.User, "sw_a_1")); err != nil {
			t.Fatal(err)
		}
	}
	var rights int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM mysql.db WHERE User = ?", config.User).Scan(&rights); err != nil || rights != 0 {
		t.Errorf("after everything was revoked the user has rights in %d databases (%v)", rights, err)
	}
	if err := errors.Join(admin.DropUser(ctx, config.User), admin.RevokeRead(ctx, config.User, "swxa_1"), admin.Revoke(ctx, config.User, "swxa_1")); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"sw_a_1", "swxa_1", "sw_ax1"} {
		if err := admin.DropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	}
}

func TestCanCreate(t *testing.T) {
	s := mysqltest.Start(t)
	ctx := t.Context()
	db := open(t, s.Config())
	before := client(t, s, "mariadb", nil, "-N", "-e", "SHOW DATABASES; SELECT User, Host FROM mysql.user")
	version, err := mysql.NewAdmin(db).CanCreate(ctx)
	if err != nil || !strings.Contains(version, "MariaDB") {
		t.Errorf("administrator: %q, %v", version, err)
	}
	if after := client(t, s, "mariadb", nil, "-N", "-e", "SHOW DATABASES; SELECT User, Host FROM mysql.user"); after != before {
		t.Errorf("something was left behind:\n%s", after)
	}
	for i, c := range []struct{ name, grant, missing string }{
		{"nothing", "GRANT USAGE ON *.* TO %s", "CREATE USER, SELECT, INSERT"},
		{"no grant option", "GRANT ALL PRIVILEGES ON *.* TO %s", "lacks GRANT OPTION"},
		{"no users", "GRANT ALL PRIVILEGES ON `sw\\_%%`.* TO %s WITH GRANT OPTION", "lacks CREATE USER"},
		{"one database", "GRANT ALL PRIVILEGES ON `sw\\_a`.* TO %s WITH GRANT OPTION", "CREATE USER, SELECT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := s.Config()
			config.User, config.Password = fmt.Sprintf("can_%d", i), "x"
			admin := mysql.NewAdmin(db)
			if err := admin.EnsureUser(ctx, config.User, config.Password); err != nil {
				t.Fatal(err)
			}
			exec1(ctx, t, db, fmt.Sprintf(c.grant, "`"+config.User+"`@`%`"))
			_, err := mysql.NewAdmin(open(t, config)).CanCreate(ctx)
			if !errors.Is(err, mysql.ErrDenied) || !strings.Contains(err.Error(), c.missing) {
				t.Errorf("got %v", err)
			}
			if err := admin.DropUser(ctx, config.User); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	s := mysqltest.Start(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	const secret = "hunter2'"
	for _, c := range []struct {
		name   string
		change func(*mysql.Config)
		want   error
	}{
		{"wrong password", func(c *mysql.Config) { c.Password = secret }, mysql.ErrDenied},
		{"unknown user", func(c *mysql.Config) { c.User, c.Password = "nobody", secret }, mysql.ErrDenied},
		{"closed port", func(c *mysql.Config) { c.Port, c.Password = closed, secret }, mysql.ErrUnreachable},
		{"unknown host", func(c *mysql.Config) { c.Host, c.Password = "no.such.host.invalid", secret }, mysql.ErrUnreachable},
		{"unknown database", func(c *mysql.Config) { c.Database = "nowhere" }, mysql.ErrUnknownDatabase},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := s.Config()
			c.change(&config)
			_, err := mysql.Open(t.Context(), config)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if strings.Contains(err.Error(), config.Password) || !strings.Contains(err.Error(), config.Host) {
				t.Errorf("the error shows the password, or not the server: %v", err)
			}
		})
	}
	text := fmt.Sprintf("%v %+v %#v %s", mysql.Config{Password: secret}, mysql.Config{Password: secret},
		mysql.Config{Password: secret}, mysql.Config{Password: secret})
	if strings.Contains(text, secret) {
		t.Error("a printed Config shows its password")
	}
	user := open(t, site(t, s))
	if err := mysql.NewAdmin(user).EnsureUser(t.Context(), "x", secret); !errors.Is(err, mysql.ErrDenied) ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	if _, err := mysql.NewAdmin(user).UserExists(t.Context(), "x"); !errors.Is(err, mysql.ErrDenied) {
		t.Errorf("got %v", err)
	}
}
