package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/location"
	"github.com/sitewright/sitewright/internal/storage/sftp"
	"github.com/sitewright/sitewright/internal/storage/volume"
)

// locationHelp explains the first argument of every verb that works on a repository.
const locationHelp = `A LOCATION is where a repository is, without any secret:
  /backups, file:///backups                       a directory of this machine, which must exist
  s3://access-key@bucket.region/prefix            ?endpoint=URL for other services than Amazon's, &addressing=path
  sftp://user@host[:port]/directory               ssh:// is the same; ?hostkey=ssh-ed25519%20AAAA… insists on the host's key
  ftp://, ftps://user@host[:port]/directory       ftps is over TLS; ?tls=implicit, or port 990, from the beginning
  webdav://, webdavs://user@host[:port]/path      webdavs is over TLS
  dropbox2://app-key/folder
Directories are relative to where the login leads; an absolute one has two slashes in front.`

// locationEnvironment lists where the secrets of a location come from. Every flag of this kind has a variable.
const locationEnvironment = `  SITEWRIGHT_REPOSITORY_PASSWORD  the password of the repository, when there is no --repository-password-file
  SITEWRIGHT_LOCATION_PASSWORD    the location's password, S3 secret key or Dropbox refresh token
  SITEWRIGHT_LOCATION_KEY         the private key for sftp, in the format of OpenSSH or PEM
  SITEWRIGHT_LOCATION_PASSPHRASE  what opens that key, when it is encrypted
  SITEWRIGHT_LOCATION_APP_SECRET  the Dropbox app's secret
  TMPDIR                          where caches are kept while the verb runs`

// The secrets of a location and of the repository in it.
var (
	repositoryPassword = secretSource{"the repository's password", "repository-password-file", "SITEWRIGHT_REPOSITORY_PASSWORD"}
	locationPassword   = secretSource{"the location's password, S3 secret key or Dropbox refresh token", "location-password-file",
		"SITEWRIGHT_LOCATION_PASSWORD"}
	locationKey        = secretSource{"the private key for sftp", "location-key-file", "SITEWRIGHT_LOCATION_KEY"}
	locationPassphrase = secretSource{"the passphrase of the private key", "location-passphrase-file", "SITEWRIGHT_LOCATION_PASSPHRASE"}
	locationAppSecret  = secretSource{"the Dropbox app's secret", "location-app-secret-file", "SITEWRIGHT_LOCATION_APP_SECRET"}
)

// locationFlags are those of every verb that works on a repository.
func locationFlags(command *cobra.Command) {
	for _, s := range []secretSource{repositoryPassword, locationPassword, locationKey, locationPassphrase, locationAppSecret} {
		command.Flags().String(s.flag, "", s.usage())
	}
	command.Flags().String("ca-file", "", "`file` with PEM certificates to trust besides the system's, for s3, ftps and webdavs")
}

// parseLocation reads a location. Its errors repeat nothing that may be a password in a wrong place.
func parseLocation(text string) (location.Location, error) {
	if strings.HasPrefix(text, "/") || strings.HasPrefix(text, ".") {
		dir, err := filepath.Abs(text)
		if err != nil {
			return location.Location{}, fmt.Errorf("LOCATION: %w", err)
		}
		return location.Location{Volume: &volume.Config{Path: dir}}, nil
	}
	_, rest, found := strings.Cut(text, "://")
	if !found {
		return location.Location{}, invalid("LOCATION is neither a directory, such as /backups, nor a URI, such as sftp://user@host/directory")
	}
	l, err := location.Parse(text)
	at := strings.LastIndexByte(rest, '@')
	if err == nil && l.HasSecret() || err != nil && at >= 0 && strings.Contains(rest[:at], ":") {
		return location.Location{}, invalid("a password or key in the LOCATION can be read by every user of this machine: "+
			"leave it out, and give --%s or the variable %s", locationPassword.flag, locationPassword.env)
	}
	if err != nil {
		return location.Location{}, invalid("LOCATION: %w", err)
	}
	return l, nil
}

// location is a location with its secrets.
func (t *task) location(text string) (location.Location, error) {
	l, err := parseLocation(text)
	if err != nil {
		return l, err
	}
	secrets := map[secretSource]string{}
	for _, s := range []secretSource{locationPassword, locationKey, locationPassphrase, locationAppSecret} {
		if secrets[s], err = t.secret(s); err != nil {
			return l, err
		}
	}
	if password := secrets[locationPassword]; password != "" {
		l.SetSecret(password)
	}
	if l.SFTP != nil && secrets[locationKey] != "" {
		l.SFTP.PrivateKey = []byte(secrets[locationKey] + "\n")
		l.SFTP.Passphrase = secrets[locationPassphrase]
	}
	if l.Dropbox != nil {
		l.Dropbox.AppSecret = secrets[locationAppSecret]
	}
	return l, t.trust(l)
}

// trust adds the certificates of --ca-file.
func (t *task) trust(l location.Location) error {
	name, err := t.Flags().GetString("ca-file")
	if err != nil || name == "" {
		return err
	}
	certificates, err := readSecret(name)
	if err != nil {
		return fmt.Errorf("reading --ca-file: %w", err)
	}
	switch ca := []byte(certificates); {
	case l.S3 != nil:
		l.S3.CA = ca
	case l.FTP != nil:
		l.FTP.CA = ca
	case l.WebDAV != nil:
		l.WebDAV.CA = ca
	default:
		return invalid("--ca-file is for s3, ftps and webdavs: leave it out")
	}
	return nil
}

// atLocation opens the place where a repository is or is to be, and calls do.
func (t *task) atLocation(ctx context.Context, text string, do func(context.Context, repository.Options) error) (err error) {
	l, err := t.location(text)
	if err != nil {
		return err
	}
	password, err := t.secret(repositoryPassword)
	if err != nil {
		return err
	}
	if password == "" {
		return invalid("the repository's password is missing: give --%s or the variable %s", repositoryPassword.flag, repositoryPassword.env)
	}
	store, err := l.Open()
	if _, talked := errors.AsType[*storage.Error](err); err != nil && !talked {
		return invalid("LOCATION: %w", err) // What opens without a server fails by what it was told.
	}
	if err != nil {
		return fmt.Errorf("LOCATION: %w", err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	state, err := os.MkdirTemp("", "sitewright-data-")
	if err != nil {
		return fmt.Errorf("making a directory for caches: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(state)) }()
	err = do(ctx, repository.Options{Store: store, Password: password, StateDir: state})
	t.tellHostKey(l, store)
	return err
}

// tellHostKey says which key a host showed, when nobody said which one it has to be: nothing else tells it from an impostor.
func (t *task) tellHostKey(l location.Location, store storage.Store) {
	if s, ok := store.(*sftp.Store); ok && l.SFTP.HostKey == "" && s.HostKey() != "" {
		l.SFTP.HostKey = s.HostKey()
		t.warn("the host's key was taken as it came; to insist on it, name the location %s", l)
	}
}

// inRepository opens the repository in a location and calls do.
func (t *task) inRepository(ctx context.Context, text string, do func(context.Context, *repository.Repository) error) error {
	return t.atLocation(ctx, text, func(ctx context.Context, o repository.Options) error {
		err := opened(ctx, o, do)
		if errors.Is(err, repository.ErrNotInitialized) {
			err = fmt.Errorf("%w: make one with \"sitewright data create\", or correct the LOCATION", err)
		}
		return err
	})
}

// opened opens a repository and calls do.
func opened(ctx context.Context, o repository.Options, do func(context.Context, *repository.Repository) error) error {
	r, err := repository.Open(ctx, o)
	if err != nil {
		return err
	}
	// A verb that was stopped still has to let go of its connections.
	return errors.Join(do(ctx, r), r.Close(context.WithoutCancel(ctx)))
}

// snapshot finds the one that an argument names: by its id, or as the newest of a site.
func (t *task) snapshot(ctx context.Context, r *repository.Repository, name string) (repository.Snapshot, error) {
	if !strings.Contains(name, "/") {
		return r.Get(ctx, name)
	}
	source, err := parseSite(name)
	if err != nil {
		return repository.Snapshot{}, err
	}
	list, err := r.List(ctx, source)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("a snapshot of site %s: %w; \"sitewright data list\" shows what there is", name, repository.ErrNotFound)
	}
	if err != nil {
		return repository.Snapshot{}, err
	}
	return list[len(list)-1], nil
}

// siteName is what namespaces and sites may be called, so that a cluster can adopt their snapshots.
var siteName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// parseSite reads NAMESPACE/NAME.
func parseSite(text string) (*repository.Source, error) {
	namespace, name, _ := strings.Cut(text, "/")
	if !siteName.MatchString(namespace) || !siteName.MatchString(name) {
		return nil, invalid("a site is NAMESPACE/NAME, such as acme/blog: lower case letters, digits and '-', each at most 63 characters")
	}
	return &repository.Source{Namespace: namespace, Name: name}, nil
}
