package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/plan"
)

const (
	siteURL  = "http://reference.example"
	cloneURL = "https://www.moved-site.example"
	// prefix of the tables.
	prefix = "wp_"

	wordpress = "6.8.12"

	uploadFiles   = 3000
	uploadBytes   = 300e6
	databaseBytes = 300e6

	seed = 20240229
)

// site is a WordPress as a user's, of a certain size.
type site struct {
	plan  plan.Site
	scale float64
}

// www is the directory of its files.
func (s *site) www() string { return generationDir(&s.plan) }

func generationDir(p *plan.Site) string {
	return filepath.Join(p.Volume, "gen", strconv.FormatInt(p.Generation, 10), "www")
}

// uploads is the directory of its uploads.
func (s *site) uploads() string { return filepath.Join(s.www(), "wp-content", "uploads") }

// makeSite has the agent install a WordPress, as it does for an Install, and fills it.
func (b *bench) makeSite(ctx context.Context, name string, scale float64) (*site, error) {
	var app v1alpha1.Application
	manifest, err := os.ReadFile("config/applications/wordpress.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the catalogue: %w", err)
	}
	if err := yaml.UnmarshalStrict(manifest, &app); err != nil {
		return nil, fmt.Errorf("reading config/applications/wordpress.yaml: %w", err)
	}
	s := &site{scale: scale, plan: b.sitePlan(name, siteURL, 1)}
	s.plan.Recipe = app.Spec.Recipe
	if err := b.step("installing WordPress "+wordpress, func() error { return b.install(ctx, s) }); err != nil {
		return nil, err
	}
	if err := b.step("making uploads", func() error {
		return makeUploads(ctx, s.uploads(), int(uploadFiles*scale), int64(uploadBytes*scale))
	}); err != nil {
		return nil, err
	}
	return s, b.step("filling the database", func() error { return b.fill(ctx, s) })
}

// sitePlan is a site, or a further generation of one, as plans name it.
func (b *bench) sitePlan(name, url string, generation int64) plan.Site {
	return plan.Site{
		Namespace: "bench", Name: name, UID: "uid-of-" + name, Application: "wordpress", Runtime: "php-8.2", URL: url, Title: "Reference",
		Volume: b.path("volumes", name), Generation: generation,
		Database: &plan.Database{
			Host: "127.0.0.1", Port: b.server.port, Name: fmt.Sprintf("%s_%d", name, generation), User: siteUser,
			PasswordFile: b.path("secrets", "database"), Prefix: prefix,
		},
	}
}

// install installs a release that is served as the vendor serves it.
func (b *bench) install(ctx context.Context, s *site) error {
	releases, sum, err := b.releases(ctx)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	vendor := &http.Server{Handler: http.FileServer(http.Dir(releases)), ReadHeaderTimeout: time.Minute}
	go func() { _ = vendor.Serve(l) }()
	defer func() { _ = vendor.Close() }()
	if err := os.MkdirAll(s.plan.Volume, 0o750); err != nil {
		return err
	}
	if err := b.server.fresh(ctx, s.plan.Database.Name); err != nil {
		return err
	}
	_, err = b.agent(ctx, &plan.Plan{Install: &plan.Install{
		Site: s.plan,
		Release: plan.Release{Version: wordpress, URL: "http://" + l.Addr().String() + "/wordpress-" + wordpress + ".tar.gz",
			SHA256: sum, StripComponents: 1},
		Admin:    plan.Admin{Login: "admin", Email: "admin@reference.example", PasswordFile: b.path("secrets", "admin")},
		Language: "en", Content: "yes", Fields: map[string]string{"sitetitle": "Reference"},
	}})
	return err
}

// releases is the folder of the release archives, which is filled when it is not yet, and the checksum of the one that is
// installed.
func (b *bench) releases(ctx context.Context) (dir, sum string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	dir = filepath.Join(cache, "sitewright", "releases")
	if _, err := b.do(ctx, exec.Command("go", "run", "./hack/releases", "--out", dir)); err != nil {
		return "", "", fmt.Errorf("no release of WordPress can be had: %w", err)
	}
	pins, err := os.ReadFile("hack/releases/SHA256SUMS")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(pins)) {
		if pinned, name, _ := strings.Cut(strings.TrimSpace(line), "  "); name == "wordpress-"+wordpress+".tar.gz" {
			return dir, pinned, nil
		}
	}
	return "", "", fmt.Errorf("hack/releases/SHA256SUMS has no WordPress %s", wordpress)
}
