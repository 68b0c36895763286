// Package recipe carries out what an Application's recipe says: it renders and updates configuration files, finds
// versions, runs the application's own commands and checks a site's health. It knows no application by name.
package recipe

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// mysqlPort is the port that applications assume when they are told none.
const mysqlPort = 3306

// Values are the data of a configuration file's template.
type Values struct {
	// URL of the site without a trailing slash; Scheme, Host (with a port that is not the scheme's own) and Path (empty
	// or beginning with a slash) are its parts.
	URL, Scheme, Host, Path string
	// Title, Language and Content are the Install's.
	Title, Language, Content string
	// Database of the site; zero when it has none.
	Database Database
	// Secrets are the generated ones, by name; Fields the application's fields.
	Secrets, Fields map[string]string
	// DocumentRoot, DataDir and TmpDir are absolute paths as the site sees them.
	DocumentRoot, DataDir, TmpDir string
}

// Database is how a site reaches its database.
type Database struct {
	Host     string `json:"host"`
	Port     int    `json:"port"`
	Name     string `json:"name"`
	User     string `json:"user"`
	Password string `json:"password"`
	Prefix   string `json:"prefix"`
}

// Address is the host, with the port behind a colon unless it is MySQL's own.
func (d Database) Address() string {
	if d.Port == 0 || d.Port == mysqlPort {
		return d.Host
	}
	return net.JoinHostPort(d.Host, strconv.Itoa(d.Port))
}

// SetURL sets URL and its parts.
func (v *Values) SetURL(site string) error {
	u, err := url.Parse(site)
	if err != nil || u.Host == "" || u.Scheme == "" {
		return fmt.Errorf("the site's URL %q has no scheme or no host", site)
	}
	v.URL = strings.TrimRight(site, "/")
	v.Scheme, v.Host, v.Path = u.Scheme, u.Host, strings.TrimRight(u.Path, "/")
	return nil
}

// Lookup returns a value by the name that a configuration file's read gives it: Database.Host, Database.Address,
// Database.Port, Database.Name, Database.User, Database.Password, Database.Prefix, URL, Scheme, Host, Path, TmpDir,
// DataDir, DocumentRoot, Secrets.<name>, Fields.<name>.
func (v *Values) Lookup(name string) (string, bool) {
	if key, ok := strings.CutPrefix(name, "Secrets."); ok {
		s, found := v.Secrets[key]
		return s, found
	}
	if key, ok := strings.CutPrefix(name, "Fields."); ok {
		s, found := v.Fields[key]
		return s, found
	}
	switch name {
	case "Database.Host":
		return v.Database.Host, true
	case "Database.Address":
		return v.Database.Address(), true
	case "Database.Port":
		return strconv.Itoa(v.Database.Port), true
	case "Database.Name":
		return v.Database.Name, true
	case "Database.User":
		return v.Database.User, true
	case "Database.Password":
		return v.Database.Password, true
	case "Database.Prefix":
		return v.Database.Prefix, true
	}
	return v.lookupPlace(name)
}

func (v *Values) lookupPlace(name string) (string, bool) {
	switch name {
	case "URL":
		return v.URL, true
	case "Scheme":
		return v.Scheme, true
	case "Host":
		return v.Host, true
	case "Path":
		return v.Path, true
	case "TmpDir":
		return v.TmpDir, true
	case "DataDir":
		return v.DataDir, true
	case "DocumentRoot":
		return v.DocumentRoot, true
	}
	return "", false
}

// secretAlphabet has 64 characters, so that a random byte chooses among them evenly, and none of them has a meaning in
// any syntax.
const secretAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// SecretLength is the number of characters of a generated secret.
const SecretLength = 64

// Secrets makes one secret for each name out of random, normally crypto/rand's Reader.
func Secrets(random io.Reader, names []string) (map[string]string, error) {
	secrets := make(map[string]string, len(names))
	for _, name := range names {
		b := make([]byte, SecretLength)
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, fmt.Errorf("making secret %s: %w", name, err)
		}
		for i := range b {
			b[i] = secretAlphabet[b[i]%64]
		}
		secrets[name] = string(b)
	}
	return secrets, nil
}
