package compat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/wire"
)

// Server answers requests.
type Server struct {
	cache   client.Reader                 // every object of ours, from memory
	memory  map[string]toolscache.Indexer // the same by kind, for lists that are too long to be copied
	tenant  client.Client                 // acts as the caller of the context
	access  *access.Access                // who that is, and what it may
	ends    *ends                         // tells of changes of objects
	deleted *deletions                    // what was deleted recently
	proxies []netip.Prefix                // whose X-Forwarded-For is believed
	log     *slog.Logger
	now     func() time.Time
	drain   <-chan struct{} // closed when requests that wait are to end
}

// Options are what a Server needs.
type Options struct {
	// Cache has every object in memory, with the indexes of Indexes.
	Cache cache.Cache
	// Tenant acts as the caller of the context of each request: see access.NewTenant.
	Tenant client.Client
	// Access tells who that is.
	Access *access.Access
	// Proxies whose word on where a request comes from is believed.
	Proxies []netip.Prefix
	// Log of requests, and of changes.
	Log *slog.Logger
	// Now is the time.
	Now func() time.Time
	// Drain is closed when requests that wait for something are to be answered as if they had not.
	Drain <-chan struct{}
}

// New makes a Server.
func New(ctx context.Context, o Options) (*Server, error) {
	s := &Server{
		cache: o.Cache, memory: map[string]toolscache.Indexer{}, tenant: o.Tenant, access: o.Access, ends: newEnds(), deleted: newDeletions(o.Now),
		proxies: o.Proxies, log: o.Log, now: o.Now, drain: o.Drain,
	}
	for _, k := range kinds {
		informer, err := o.Cache.GetInformer(ctx, k.object())
		if err != nil {
			return nil, fmt.Errorf("watching %s: %w", k.resource, err)
		}
		shared, ok := informer.(toolscache.SharedIndexInformer)
		if !ok {
			return nil, fmt.Errorf("watching %s: %T keeps no list", k.resource, informer)
		}
		s.memory[k.resource] = shared.GetIndexer()
		if _, err := informer.AddEventHandler(s.ends.handler(s.deleted)); err != nil {
			return nil, fmt.Errorf("watching %s: %w", k.resource, err)
		}
	}
	for _, also := range []client.Object{&api.Application{}, &api.DatabaseServer{}, &corev1.Namespace{}} {
		if _, err := o.Cache.GetInformer(ctx, also); err != nil {
			return nil, fmt.Errorf("watching %T: %w", also, err)
		}
	}
	return s, nil
}

// ServeHTTP answers one request, under any path.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := s.now()
	e := &entry{method: r.Method, path: r.URL.Path, source: s.source(r)}
	reply, err := s.serve(w, r, e)
	status := http.StatusOK
	if err != nil {
		failure := wire.AsError(err)
		status, e.code = failure.Status, failure.Code
		reply = wire.Failure(err)
		if failure.Code == "internal_error" {
			e.err = err
		}
	}
	wire.Write(w, status, reply)
	e.write(r.Context(), s.log, s.now().Sub(began))
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, e *entry) (wire.Reply, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return wire.Reply{}, &wire.Error{Status: http.StatusBadRequest, Code: "invalid_argument", Message: "The API takes GET and POST"}
	}
	given, err := wire.Read(w, r)
	if err != nil {
		return wire.Reply{}, err
	}
	caller, err := s.access.Authenticate(r.Context(), wire.ReadCredentials(r, given), e.source)
	if err != nil {
		return wire.Reply{}, err
	}
	e.caller = caller.User
	if version, _ := given.Get("api_version"); strings.HasPrefix(version, "2") || strings.HasPrefix(r.Header.Get("X-API-Version"), "2") {
		return wire.Reply{}, wire.Invalid("api_version", "version 2 of the API is not supported yet: leave X-API-Version out")
	}
	if format, ok := given.Get("api"); ok && format != "json" {
		return wire.Reply{}, wire.Invalid("api", "api must be json")
	}
	name, _ := given.Get("cmd")
	if name == "" {
		return wire.Reply{}, wire.Empty("cmd")
	}
	command := lookUp(name)
	if command == nil {
		return wire.Reply{}, wire.Invalid("cmd", "there is no such command: see the documentation for those that there are")
	}
	e.command, e.changes = command.Name, command.Changes
	e.user, _ = given.Get("user")
	c, err := command.decode(given)
	if err != nil {
		return wire.Reply{}, err
	}
	a, err := command.handle(s, access.As(r.Context(), caller), c)
	e.object = a.object
	if err != nil {
		return wire.Reply{}, told(err)
	}
	return wire.Succeeded(a.data, a.task), nil
}

func lookUp(name string) *Command {
	i := slices.IndexFunc(Commands, func(c Command) bool { return c.Name == name || slices.Contains(c.Aliases, name) })
	if i < 0 {
		return nil
	}
	return &Commands[i]
}

// source is where a request comes from: the last address that no trusted proxy has.
func (s *Server) source(r *http.Request) string {
	address := r.RemoteAddr
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		address = at.Addr().Unmap().String()
	}
	if !s.trusted(address) {
		return address
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		at, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return address
		}
		if address = at.Unmap().String(); !s.trusted(address) {
			return address
		}
	}
	return address
}

func (s *Server) trusted(address string) bool {
	at, err := netip.ParseAddr(address)
	return err == nil && slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(at) })
}

// entry is a line of the log. No argument is in it but the panel user's name: any other may hold a secret.
type entry struct {
	method, path, source  string
	command, caller, user string
	object, code          string
	changes               bool
	err                   error
}

func (e *entry) write(ctx context.Context, log *slog.Logger, took time.Duration) {
	level, message := slog.LevelInfo, "request"
	if e.changes {
		message = "change"
	}
	attributes := []slog.Attr{slog.String("method", e.method), slog.String("path", bounded(e.path)), slog.String("source", e.source), slog.Duration("took", took)}
	for name, value := range map[string]string{"cmd": e.command, "caller": e.caller, "user": bounded(e.user), "object": e.object, "errcode": e.code} {
		if value != "" {
			attributes = append(attributes, slog.String(name, value))
		}
	}
	if e.err != nil && !errors.Is(e.err, context.Canceled) {
		level = slog.LevelError
		attributes = append(attributes, slog.String("error", e.err.Error()))
	}
	log.LogAttrs(ctx, level, message, attributes...)
}

// bounded keeps what a client chose from filling the log.
func bounded(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}
