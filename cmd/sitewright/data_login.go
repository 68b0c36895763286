package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/sitewright/sitewright/internal/mysql"
)

// maxSecret bounds what is read of a file that holds a password or a key.
const maxSecret = 64 << 10

const databaseShape = "a database is mysql://user@host:port/name or mysql://user@host:port/name?prefix=wp_"

// parseDSN reads a database's address. Its errors repeat nothing of it: a password in a wrong place must not be shown.
func parseDSN(dsn string) (config mysql.Config, prefix string, err error) {
	wrong := func(what string) (mysql.Config, string, error) {
		return mysql.Config{}, "", invalid("%s: %s", what, databaseShape)
	}
	rest, found := strings.CutPrefix(dsn, "mysql://")
	if !found {
		return wrong("the address does not begin with mysql://")
	}
	// A password may hold whatever url.Parse cuts at, and an '@' too.
	if at := strings.LastIndexByte(rest, '@'); at >= 0 && strings.Contains(rest[:at], ":") {
		return mysql.Config{}, "", invalid("a password in the address can be read by every user of this machine: "+
			"leave it out, and give --password-file or the variable %s", databasePassword.env)
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return wrong("the address is no URL")
	}
	config = mysql.Config{Host: u.Hostname(), User: u.User.Username(), Database: strings.TrimPrefix(u.Path, "/")}
	switch {
	case config.Host == "":
		return wrong("the address has no host")
	case config.User == "":
		return wrong("the address has no user")
	case config.Database == "" || strings.Contains(config.Database, "/"):
		return wrong("the address has no database's name")
	case u.Fragment != "":
		return wrong("the address has a part behind '#'")
	}
	if p := u.Port(); p != "" {
		if config.Port, err = strconv.Atoi(p); err != nil || config.Port < 1 || config.Port > 65535 {
			return wrong("the port is no number from 1 to 65535")
		}
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return wrong("the part behind '?' cannot be read")
	}
	prefix = options.Get("prefix")
	if delete(options, "prefix"); len(options) > 0 {
		return wrong("behind '?' only prefix is known")
	}
	return config, prefix, nil
}

// secretSource says where a password comes from.
type secretSource struct {
	what, flag, env string
}

// usage describes the flag.
func (s secretSource) usage() string {
	return fmt.Sprintf("file with %s (default: the variable %s)", s.what, s.env)
}

// databasePassword and the two of a copy, which go before it.
var (
	databasePassword = secretSource{"the database password", "password-file", "SITEWRIGHT_DATABASE_PASSWORD"}
	fromPassword     = secretSource{"the password of the first database", "from-password-file", "SITEWRIGHT_FROM_PASSWORD"}
	toPassword       = secretSource{"the password of the second database", "to-password-file", "SITEWRIGHT_TO_PASSWORD"}
)

// secret reads a password: of the first source that has a file, else of the first whose variable is set. Without any it is
// empty. One newline at a file's end is not part of it.
func (t *task) secret(sources ...secretSource) (string, error) {
	for _, s := range sources {
		name, err := t.Flags().GetString(s.flag)
		if err != nil {
			return "", err
		}
		if name == "" {
			continue
		}
		secret, err := readSecret(name)
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", s.what, err)
		}
		t.secrets = append(t.secrets, secret)
		return secret, nil
	}
	for _, s := range sources {
		if secret, set := os.LookupEnv(s.env); set {
			t.secrets = append(t.secrets, secret)
			return secret, nil
		}
	}
	return "", nil
}

func readSecret(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxSecret {
		return "", invalid("%s is longer than %d bytes", name, maxSecret)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

// login is the database of an address with its password.
func (t *task) login(dsn string, sources ...secretSource) (mysql.Config, string, error) {
	config, prefix, err := parseDSN(dsn)
	if err == nil {
		config.Password, err = t.secret(sources...)
	}
	return config, prefix, err
}
