package mysql

import (
	"context"
	"errors"
)

// ChangePassword gives the user that logs in by config another password. The old one is wrong from then on; sessions that are open stay so.
func ChangePassword(ctx context.Context, config Config, password string) (err error) {
	conn, err := openSession(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.end()) }()
	server, err := readServer(ctx, conn)
	if err != nil {
		return err
	}
	statement := "ALTER USER USER() IDENTIFIED BY " + QuoteString(password)
	if server.mariadb { // Where ALTER USER needs a privilege, even for the user's own account.
		statement = "SET PASSWORD = PASSWORD(" + QuoteString(password) + ")"
	}
	_, err = conn.ExecContext(ctx, statement)
	return withoutStatement("change the password of user "+QuoteName(config.User), err)
}
