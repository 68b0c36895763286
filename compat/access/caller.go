package access

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/compat/wire"
)

// Caller is who sends a request, by the names that Kubernetes knows.
type Caller struct {
	// User is the name of the user or service account.
	User string
	// Groups that the caller is in, without those that Kubernetes adds by itself.
	Groups []string
	// Namespace of the caller's own: that of a service account; empty for anyone else.
	Namespace string
}

const accountPrefix = "system:serviceaccount:"

// account is the caller that a service account is.
func account(namespace, name string) *Caller {
	return &Caller{User: accountPrefix + namespace + ":" + name, Namespace: namespace}
}

// user is the caller that a user name and groups are. Of a service account's groups Kubernetes knows by itself.
func user(name string, groups []string) *Caller {
	if rest, ok := strings.CutPrefix(name, accountPrefix); ok {
		if namespace, account0, ok := strings.Cut(rest, ":"); ok {
			return account(namespace, account0)
		}
	}
	return &Caller{User: name, Groups: slices.DeleteFunc(slices.Clone(groups), func(g string) bool { return g == "system:authenticated" })}
}

// id tells callers apart.
func (c *Caller) id() string { return c.User + "\x00" + strings.Join(c.Groups, "\x00") }

type callerKey struct{}

// As makes a context in which the tenant's client acts as that caller.
func As(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// Of is the caller of a context; nil where there is none.
func Of(ctx context.Context) *Caller {
	c, _ := ctx.Value(callerKey{}).(*Caller)
	return c
}

// NewTenant makes a client whose requests are made as the caller of their context, and fail where there is none. What kinds there are it asks
// as the program itself, whose client is the other one.
func NewTenant(config *rest.Config, own client.Client) (client.Client, error) {
	c := rest.CopyConfig(config)
	c.Wrap(func(next http.RoundTripper) http.RoundTripper { return impersonator{next} })
	return client.New(c, client.Options{Scheme: own.Scheme(), Mapper: own.RESTMapper()})
}

type impersonator struct{ next http.RoundTripper }

func (i impersonator) RoundTrip(r *http.Request) (*http.Response, error) {
	c := Of(r.Context())
	if c == nil {
		return nil, fmt.Errorf("%s %s: nobody asks for it", r.Method, r.URL.Path)
	}
	r = r.Clone(r.Context())
	r.Header.Set(transport.ImpersonateUserHeader, c.User)
	r.Header.Del(transport.ImpersonateGroupHeader)
	for _, group := range c.Groups {
		r.Header.Add(transport.ImpersonateGroupHeader, group)
	}
	return i.next.RoundTrip(r)
}

// denied is what a caller hears whose credentials are of no use. Why is in the log alone: it would help who guesses.
func denied() error {
	return wire.Denied("invalid_api_key", "The API key, token or password is missing or is not valid")
}
