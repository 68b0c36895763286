package access

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/compat/wire"
)

const (
	// knownFor is how long credentials and permissions are remembered: so long it takes until one that was taken back is of no use any more.
	knownFor = 10 * time.Second
	// mostKnown is how many of each are remembered.
	mostKnown = 8192
)

// Access knows callers and what they may.
type Access struct {
	own     client.Client // with the program's own, small powers
	spaces  client.Reader // the namespaces, from memory
	keys    string        // the namespace of API keys
	known   *cache.LRUExpireCache
	allowed *cache.LRUExpireCache
	slow    *brake
}

// New makes an Access. The first client may review tokens and permissions and read the Secrets of the namespace of API keys; the second one has the namespaces in
// memory, with the indexes of Indexes.
func New(own client.Client, spaces client.Reader, keys string) *Access {
	return &Access{
		own: own, spaces: spaces, keys: keys,
		known: cache.NewLRUExpireCache(mostKnown), allowed: cache.NewLRUExpireCache(mostKnown), slow: newBrake(time.Now),
	}
}

// Authenticate is the caller who has these credentials. Whoever fails to be one again and again, from the same source, waits longer each time.
func (a *Access) Authenticate(ctx context.Context, given wire.Credentials, source string) (*Caller, error) {
	caller, err := a.authenticate(ctx, given)
	switch {
	case err == nil:
		return caller, nil
	case errors.Is(err, errUnknown):
		if err := a.slow.wait(ctx, source); err != nil {
			return nil, err
		}
		return nil, denied()
	}
	return nil, err
}

func (a *Access) authenticate(ctx context.Context, given wire.Credentials) (*Caller, error) {
	if given.Secret == "" {
		return nil, errUnknown
	}
	caller, err := a.bySecret(ctx, given.Secret)
	if err != nil {
		return nil, err
	}
	if given.Login != "" && given.Login != caller.User && given.Login != a.PanelUser(ctx, caller.Namespace) {
		return nil, errUnknown
	}
	return caller, nil
}

func (a *Access) bySecret(ctx context.Context, secret string) (*Caller, error) {
	id := hash(secret)
	if c, ok := a.known.Get(id); ok {
		return c.(*Caller), nil
	}
	by := a.byToken
	if strings.HasPrefix(secret, keyPrefix) {
		by = a.byKey
	}
	caller, err := by(ctx, secret)
	if err != nil {
		return nil, err
	}
	a.known.Add(id, caller, knownFor)
	return caller, nil
}

// byToken is the caller whom the API server knows by a token.
func (a *Access) byToken(ctx context.Context, token string) (*Caller, error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	if err := a.own.Create(ctx, review); err != nil {
		return nil, fmt.Errorf("reviewing a token: %w", err)
	}
	if !review.Status.Authenticated || review.Status.User.Username == "" {
		return nil, errUnknown
	}
	return user(review.Status.User.Username, review.Status.User.Groups), nil
}

// Right is something that one may do to the objects of a namespace, or, where that is empty, of all.
type Right struct {
	Verb, Group, Resource, Namespace string
}

// May tells whether a caller has a right.
func (a *Access) May(ctx context.Context, c *Caller, r Right) (bool, error) {
	id := strings.Join([]string{c.id(), r.Verb, r.Group, r.Resource, r.Namespace}, "\x01")
	if may, ok := a.allowed.Get(id); ok {
		return may.(bool), nil
	}
	groups := append([]string{"system:authenticated"}, c.Groups...)
	if c.Namespace != "" {
		groups = append(groups, "system:serviceaccounts", "system:serviceaccounts:"+c.Namespace)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: c.User, Groups: groups,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: r.Verb, Group: r.Group, Resource: r.Resource, Namespace: r.Namespace},
	}}
	if err := a.own.Create(ctx, review); err != nil {
		return false, fmt.Errorf("asking whether %s may %s %s: %w", c.User, r.Verb, r.Resource, err)
	}
	a.allowed.Add(id, review.Status.Allowed, knownFor)
	return review.Status.Allowed, nil
}
