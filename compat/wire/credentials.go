package wire

import (
	"net/http"
	"strings"
)

// Credentials are what a request says of who sends it.
type Credentials struct {
	// Login is the name that came with the secret; empty: none did.
	Login string
	// Secret is a password, an API key or a token; empty: there is none.
	Secret string
}

// ReadCredentials finds the credentials of a request, in the order in which clients mean them: a header before an argument. They are taken out of the
// arguments. Cookies are none: a page elsewhere could make a browser send them.
func ReadCredentials(r *http.Request, arguments Arguments) Credentials {
	key, _ := take(arguments, "key")
	user, _ := take(arguments, "cp_username")
	password, _ := take(arguments, "cp_password")
	header := r.Header.Get("X-API-KEY")
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	switch strings.ToLower(scheme) {
	case "bearer":
		return Credentials{Secret: value}
	case "basic":
		login, secret, _ := r.BasicAuth()
		return Credentials{Login: login, Secret: secret}
	case "whm":
		_, secret, _ := strings.Cut(value, ":") // The name is that of the panel's machine account.
		return Credentials{Secret: secret}
	}
	switch {
	case header != "":
		return Credentials{Secret: header}
	case key != "":
		return Credentials{Secret: key}
	}
	return Credentials{Login: user, Secret: password}
}

func take(arguments Arguments, name string) (string, bool) {
	value, ok := arguments.Get(name)
	delete(arguments, Name(name))
	return value, ok
}
