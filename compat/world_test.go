package compat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/access"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/test/apiserver"
)

const keysNamespace = "sitewright-keys"

// world is the one API server of these tests, and the HTTP server in front of it. There are no controllers: the tests play them.
var world struct {
	client.Client
	memory cache.Cache
	http   *httptest.Server
	users  *access.Accounts
	tenant client.Client
	log    logged
}

// newServer makes a server that ends its waits when the channel is closed.
func newServer(ctx context.Context, drain <-chan struct{}) (*Server, error) {
	return New(ctx, Options{
		Cache: world.memory, Tenant: world.tenant, Access: access.New(world.Client, world.memory, keysNamespace),
		Log: slog.New(slog.NewJSONHandler(&world.log, nil)), Now: time.Now, Drain: drain,
	})
}

// logged is what the server has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	server, err := apiserver.Start("..")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	config, scheme := server.Config, server.Scheme
	if world.Client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	if world.memory, err = cache.New(config, cache.Options{Scheme: scheme}); err != nil {
		return 0, err
	}
	tenant, err := access.NewTenant(config, world.Client)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := errors.Join(Indexes(ctx, world.memory), prepare(ctx)); err != nil {
		return 0, err
	}
	world.tenant = tenant
	panel, err := newServer(ctx, nil)
	if err != nil {
		return 0, err
	}
	go func() { _ = world.memory.Start(ctx) }()
	if !world.memory.WaitForCacheSync(ctx) {
		return 0, errors.New("the objects could not be listed")
	}
	world.http = httptest.NewUnstartedServer(panel)
	world.http.Listener = wire.Listen(world.http.Listener)
	world.http.Start()
	defer world.http.Close()
	if code = m.Run(); code != 0 {
		for line := range strings.Lines(world.log.String()) {
			if strings.Contains(line, "ERROR") {
				fmt.Fprint(os.Stderr, line)
			}
		}
	}
	return code, nil
}

// prepare makes what the chart does, and a catalogue.
func prepare(ctx context.Context) error {
	world.users = access.NewAccounts(world.Client, keysNamespace)
	if err := world.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: keysNamespace}}); err != nil {
		return err
	}
	roles, err := os.Open(filepath.Join("..", "config", "rbac", "panel.yaml"))
	if err != nil {
		return err
	}
	defer roles.Close()
	decoder := yaml.NewYAMLOrJSONDecoder(roles, 4096)
	for {
		var role rbacv1.ClusterRole
		if err := decoder.Decode(&role); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if err := world.Create(ctx, &role); err != nil {
			return err
		}
	}
	release := func(version, branch string, tags ...string) api.Release {
		return api.Release{
			Version: version, Branch: branch, Tags: tags, UpgradeFrom: "6.0-",
			Requirements: api.Requirements{PHP: "7.2.24-8.4.999", MySQL: "5.5.5-"},
			Source:       api.ReleaseSource{URL: "https://example.org/blog.tar.gz", SHA256: strings.Repeat("0", 64)},
		}
	}
	return errors.Join(world.Create(ctx, &api.Application{
		ObjectMeta: metav1.ObjectMeta{Name: "blog"},
		Spec: api.ApplicationSpec{
			DisplayName: "Blog", Category: "Content Management", Type: "blog", License: "open source", TablePrefix: "wp_", AdminPath: "wp-admin/",
			Languages: []string{"en", "de", "zh_tw"}, Fields: []api.ApplicationField{{Name: "sitetagline", Label: "Tagline", Default: "Just so"}},
			Releases: []api.Release{release("6.7.5", "6.7"), release("6.8.7", "6.8", "minor"), release("6.8.12", "6.8", "security"), release("6.10", "6.10")},
			Recipe:   recipe.Recipe{Database: recipe.DatabaseMySQL, Health: recipe.Health{Path: "/"}},
		},
	}), world.Create(ctx, &api.DatabaseServer{
		ObjectMeta: metav1.ObjectMeta{Name: "main"},
		Spec: api.DatabaseServerSpec{
			Host: "db.example", Default: true, AdminSecretRef: api.NamespacedReference{Namespace: "default", Name: "admin"},
		},
	}))
}

// panel is a user of the API.
type panel struct {
	t               *testing.T
	name, namespace string
	key             string
	server          string // whom to ask; empty: the one of all tests
}

// newPanel makes a panel user of a name of its own, with a key.
func newPanel(t *testing.T, edit ...func(*access.User)) *panel {
	t.Helper()
	u := access.User{Name: strings.ToLower(strings.NewReplacer("/", "-", "_", "-", " ", "-").Replace(t.Name())) + "-" + fmt.Sprint(time.Now().UnixNano()%1e9)}
	u.Name = u.Name[max(0, len(u.Name)-60):]
	u.Name = strings.Trim(u.Name, "-")
	for _, e := range edit {
		e(&u)
	}
	if err := world.users.CreateUser(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	p := &panel{t: t, name: u.Name, namespace: u.Name}
	var err error
	if p.key, err = world.users.CreateKey(t.Context(), u.Name); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the user to be known", func() error {
		_, err := world.memory.GetInformer(t.Context(), &corev1.Namespace{})
		return errors.Join(err, world.memory.Get(t.Context(), client.ObjectKey{Name: p.namespace}, &corev1.Namespace{}))
	})
	return p
}

// reply is a reply as a client reads it.
type reply struct {
	status   int
	text     string
	Result   bool
	Message  string
	ErrCode  string
	ErrField string
	Data     json.RawMessage
	Task     map[string]any
}

// ask sends a command as a form.
func (p *panel) ask(arguments ...string) reply {
	p.t.Helper()
	form := url.Values{"api": {"json"}, "key": {p.key}}
	for _, a := range arguments {
		name, value, _ := strings.Cut(a, "=")
		form.Add(name, value)
	}
	return p.send(form)
}

func (p *panel) send(form url.Values) reply {
	p.t.Helper()
	server := p.server
	if server == "" {
		server = world.http.URL
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, server+"/installatron/index.cgi", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return do(p.t, r)
}

func do(t *testing.T, r *http.Request) reply {
	t.Helper()
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := reply{status: response.StatusCode, text: string(body)}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return got
}

// well is the data of a reply to a command that has to go well.
func (p *panel) well(arguments ...string) reply {
	p.t.Helper()
	got := p.ask(arguments...)
	if !got.Result {
		p.t.Fatalf("%q: %s", arguments, got.text)
	}
	return got
}

// row is the data of a reply that is one table.
func (r reply) row(t *testing.T) map[string]any {
	t.Helper()
	var row map[string]any
	if err := json.Unmarshal(r.Data, &row); err != nil {
		t.Fatalf("%s: %v", r.text, err)
	}
	return row
}

// rows are the data of a reply that is a list.
func (r reply) rows(t *testing.T) []map[string]any {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal(r.Data, &rows); err != nil {
		t.Fatalf("%s: %v", r.text, err)
	}
	return rows
}

// eventually waits for something without an error.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatalf("waiting for %s: %v", what, err)
}

// ready are the conditions of an object that is what it should be, and stalled of one that never will.
func ready(message string) []metav1.Condition {
	now := metav1.Now()
	return []metav1.Condition{
		{Type: api.ConditionReady, Status: metav1.ConditionTrue, Reason: api.ReasonSucceeded, Message: message, LastTransitionTime: now, ObservedGeneration: 1},
		{Type: api.ConditionServing, Status: metav1.ConditionTrue, Reason: api.ReasonSucceeded, Message: message, LastTransitionTime: now, ObservedGeneration: 1},
	}
}

func stalled(reason, message string) []metav1.Condition {
	now := metav1.Now()
	return []metav1.Condition{
		{Type: api.ConditionReady, Status: metav1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: now, ObservedGeneration: 1},
		{Type: api.ConditionStalled, Status: metav1.ConditionTrue, Reason: reason, Message: message, LastTransitionTime: now, ObservedGeneration: 1},
	}
}

// play waits for the one object of a kind in a namespace, and writes its status as a controller would.
func play[T client.Object](t *testing.T, namespace string, list client.ObjectList, status func(T)) T {
	t.Helper()
	var object T
	eventually(t, "an object to be made", func() error {
		if err := world.List(context.WithoutCancel(t.Context()), list, client.InNamespace(namespace)); err != nil {
			return err
		}
		all := objects(list)
		if len(all) == 0 {
			return errors.New("there is none")
		}
		object = all[len(all)-1].(T)
		status(object)
		return world.Status().Update(context.WithoutCancel(t.Context()), object)
	})
	return object
}

// serving makes an Install serve.
func serving(version string) func(*api.Install) {
	return func(in *api.Install) {
		in.Status.ObservedGeneration, in.Status.Conditions = in.Generation, ready("serving generation 1")
		in.Status.Generation, in.Status.Version, in.Status.LatestVersion, in.Status.URL = 1, version, version, string(in.Spec.URL)
		in.Status.Database = &api.DatabaseStatus{Server: "main", Name: "sw_1", User: "sw", Prefix: "wp_"}
		in.Status.Admin = &api.AdminStatus{Login: "boss", SecretRef: &api.LocalReference{Name: in.Name + "-admin"}}
	}
}

// site makes an Install that serves, with its passwords, and returns its id.
func (p *panel) site(host string) (*api.Install, string) {
	p.t.Helper()
	in := &api.Install{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: strings.ReplaceAll(host, ".", "-")}}
	in.Spec = api.InstallSpec{Application: "blog", URL: api.SiteURL("http://" + host + "/"), Title: "Site of " + host}
	secret := func(name, password string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: in.Name + name}, StringData: map[string]string{"password": password}}
	}
	for _, o := range []client.Object{in, secret("-admin", "admin's password"), secret("-database", "database's password")} {
		if err := world.Create(p.t.Context(), o); err != nil {
			p.t.Fatal(err)
		}
	}
	serving("6.8.7")(in)
	if err := world.Status().Update(p.t.Context(), in); err != nil {
		p.t.Fatal(err)
	}
	p.known(in)
	return in, ID(in.UID)
}

// known waits until the server has an object as it is now in memory.
func (p *panel) known(o client.Object) {
	p.t.Helper()
	eventually(p.t, "an object to be known", func() error {
		now := o.DeepCopyObject().(client.Object)
		if err := world.memory.Get(p.t.Context(), client.ObjectKeyFromObject(o), now); err != nil {
			return err
		}
		if now.GetResourceVersion() != o.GetResourceVersion() {
			return errors.New("memory has another state of it")
		}
		return nil
	})
}
