package compat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/compat/wire"
	"github.com/sitewright/sitewright/internal/names"
)

// Keys of the Secrets that are made for passwords which came with a request.
const (
	adminKey    = "admin-password"
	databaseKey = "database-password"
)

// managedBy marks what is made here.
const managedBy = "app.kubernetes.io/managed-by"

// site is where a new site is to be: what install, clone and restore have in common.
type site struct {
	namespace string
	name      string
	url       api.SiteURL
	address   string
	database  *api.DatabaseTarget
	passwords map[string]string // for a Secret of the name secret
	secret    string
}

// siteURL is a URL in the one form that an Install has. Clients leave the scheme out.
func siteURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return nil, wire.Invalid("url", "url must be a URL such as http://example.com/blog")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// siteName is the name of the Install at a URL: it can be read, and two URLs never have the same one. That of http and https is: they are one place.
func siteName(u *url.URL) string {
	place := u.Host + strings.TrimSuffix(u.Path, "/")
	sum := sha256.Sum256([]byte(place))
	readable := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, place), "-")
	if readable == "" || readable[0] < 'a' {
		readable = "site-" + readable
	}
	const most = 52 - 7
	readable = strings.TrimRight(readable[:min(len(readable), most)], "-")
	return readable + "-" + hex.EncodeToString(sum[:])[:6]
}

// site reads where a new site is to be. Its name may be that of a site that has moved away from there.
func (s *Server) site(ctx context.Context, c *call, namespace string) (*site, error) {
	t, err := c.site(namespace)
	if err != nil {
		return nil, err
	}
	before := &api.Install{}
	err = s.tenant.Get(ctx, client.ObjectKey{Namespace: namespace, Name: t.name}, before)
	if apierrors.IsNotFound(err) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	elsewhere := func(place string) bool {
		u, err := siteURL(place)
		return err == nil && siteName(u) != t.name
	}
	if before.Status.Generation > 0 && elsewhere(before.Status.URL) && elsewhere(string(before.Spec.URL)) {
		t.name = names.Bounded(52, t.name, strings.ToLower(rand.Text()[:4]))
	}
	return t, nil
}

// site reads where a new site is to be.
func (c *call) site(namespace string) (*site, error) {
	u, err := siteURL(c.text("url"))
	if err != nil {
		return nil, err
	}
	t := &site{namespace: namespace, name: siteName(u), url: api.SiteURL(u.String()), address: c.text("url_ip"), passwords: map[string]string{}}
	if t.address != "" {
		if _, err := netip.ParseAddr(t.address); err != nil {
			return nil, wire.Invalid("url_ip", "url_ip must be an IP address")
		}
	}
	t.secret = names.Bounded(63, t.name, strings.ToLower(rand.Text()[:8]))
	t.database, err = c.database(t)
	return t, err
}

// database reads where the tables are to be: nothing means that a database is made.
func (c *call) database(t *site) (*api.DatabaseTarget, error) {
	host, name, login, password, prefix := c.text("db_host"), c.text("db_name"), c.text("db_user"), c.text("db_pass"), c.text("db_prefix")
	manual := c.text("db") == "manual"
	if c.text("db") == "auto" {
		host, name, login, password = "", "", "", ""
	}
	if host == "" && name == "" && login == "" && password == "" && !manual {
		if prefix == "" {
			return nil, nil
		}
		return &api.DatabaseTarget{Prefix: prefix}, nil
	}
	for _, a := range []struct{ name, value string }{{"db_host", host}, {"db_name", name}, {"db_user", login}, {"db_pass", password}} {
		if a.value == "" {
			return nil, wire.Empty(a.name)
		}
	}
	existing := &api.ExistingDatabase{Name: name, User: login, PasswordSecretRef: api.SecretKeyReference{Name: t.secret, Key: databaseKey}}
	if err := setHost(existing, host); err != nil {
		return nil, err
	}
	if c.has("db_host_ip") {
		existing.ConnectHost = c.text("db_host_ip")
	}
	t.passwords[databaseKey] = password
	return &api.DatabaseTarget{Existing: existing, Prefix: prefix}, nil
}

// setHost gives a database its host and, where the text names one, its port.
func setHost(d *api.ExistingDatabase, text string) error {
	d.Host = text
	host, number, err := net.SplitHostPort(text)
	if err != nil {
		return nil //nolint:nilerr // it names no port
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return wire.Invalid("db_host", "db_host has a port that is none")
	}
	d.Host, d.Port = host, int32(port)
	return nil
}

// copyTarget is the site as clones and restores name it.
func (t *site) copyTarget() api.CopyTarget {
	return api.CopyTarget{Name: t.name, URL: t.url, Address: t.address, Database: t.database}
}

// keep makes the Secret with the site's passwords, and gives a function that takes it away again. Its name is its own, so that of several requests for one site
// each has one, and only the one that wins keeps it.
func (s *Server) keep(ctx context.Context, t *site) (undo func(context.Context), err error) {
	if len(t.passwords) == 0 {
		return func(context.Context) {}, nil
	}
	secret := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: t.namespace, Name: t.secret, Labels: map[string]string{managedBy: "sitewright", api.LabelInstall: t.name},
		},
		StringData: t.passwords,
	}
	if err := s.tenant.Create(ctx, secret); err != nil {
		return nil, fmt.Errorf("keeping the passwords of %s: %w", t.name, err)
	}
	return func(ctx context.Context) {
		if err := client.IgnoreNotFound(s.tenant.Delete(context.WithoutCancel(ctx), secret)); err != nil {
			s.log.ErrorContext(ctx, "a Secret is left over", "secret", t.namespace+"/"+t.secret, "error", err)
		}
	}, nil
}

// own makes an Install the owner of the site's Secret, which goes with it. Where that fails the site works all the same, and the Secret outlives it.
func (s *Server) own(ctx context.Context, t *site, owner *api.Install) {
	if len(t.passwords) == 0 {
		return
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: t.namespace, Name: t.secret}}
	patch := client.MergeFrom(secret.DeepCopy())
	secret.OwnerReferences = []metav1.OwnerReference{{APIVersion: api.GroupVersion.String(), Kind: "Install", Name: owner.Name, UID: owner.UID}}
	if err := s.tenant.Patch(context.WithoutCancel(ctx), secret, patch); err != nil {
		s.log.ErrorContext(ctx, "a Secret belongs to nobody", "secret", t.namespace+"/"+t.secret, "install", owner.Name, "error", err)
	}
}
