package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-sql-driver/mysql"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	kept "github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/test/local"
)

const (
	namespace = "chaos"
	// savedBackup is the Backup that is restored, of this version of the site.
	savedBackup  = "saved"
	savedVersion = "v0"
)

// span is how long a work takes undisturbed: its agent, and all of it.
type span struct{ agent, whole time.Duration }

// harness is the site, its servers, and what is known of them.
type harness struct {
	*local.Cluster
	site *site
	// version that the site was brought to last, and how many there were.
	version string
	count   int
	// saved is the id of the snapshot to restore.
	saved string

	login *mysql.Config
	db    *sql.DB
	store kept.Store
	// scratch is a directory for what is restored by hand, state one for caches.
	scratch, state string

	// sitewright is the program, which gets the secrets by its environment; dump what it is to load, and sums what that holds.
	sitewright, dump, location string
	secrets                    []string
	sums                       map[string]int64

	spans  map[string]span
	before map[string]bool
}

// prepare makes the site, its backup and what is loaded by hand, in a namespace of its own.
func prepare(ctx context.Context, program string) (*harness, error) {
	c, err := local.Connect(namespace)
	if err != nil {
		return nil, err
	}
	h := &harness{Cluster: c, sitewright: program, spans: map[string]span{},
		site: &site{Cluster: c, install: "site", url: "http://chaos.localtest/"}}
	for _, dir := range []*string{&h.scratch, &h.state} {
		if *dir, err = os.MkdirTemp("", "sitewright-chaos-"); err != nil {
			return h, err
		}
	}
	for _, step := range []func(context.Context) error{c.RenewNamespace, c.Locations, h.connect, h.makeSite, h.save} {
		if err := step(ctx); err != nil {
			return h, err
		}
	}
	return h, nil
}

// connect finds the database server and where backups are kept.
func (h *harness) connect(ctx context.Context) (err error) {
	if h.login, err = h.Administrator(ctx); err != nil {
		return err
	}
	if h.db, err = h.Database(ctx); err != nil {
		return err
	}
	if h.store, err = h.Store(ctx); err != nil {
		return err
	}
	var l api.BackupLocation
	err = local.Await(ctx, bound, "BackupLocation s3 to be Ready", func() (bool, string) {
		err := h.Get(ctx, client.ObjectKey{Namespace: h.Namespace, Name: "s3"}, &l)
		return err == nil && readyOf(&l), fmt.Sprint(err, l.Status.Conditions)
	})
	if err != nil {
		return err
	}
	repository, err := h.RepositoryPassword(ctx)
	if err != nil {
		return err
	}
	access, err := h.Secret(ctx, "s3-keys", "access-key")
	if err != nil {
		return err
	}
	secret, err := h.Secret(ctx, "s3-keys", "secret-key")
	h.location = fmt.Sprintf("s3://%s@%s.%s/%s?endpoint=http://127.0.0.1:7070&addressing=path", access, l.Spec.S3.Bucket, l.Spec.S3.Region, l.Spec.S3.Prefix)
	h.secrets = []string{"SITEWRIGHT_DATABASE_PASSWORD=" + h.login.Passwd, "SITEWRIGHT_REPOSITORY_PASSWORD=" + repository, "SITEWRIGHT_LOCATION_PASSWORD=" + secret}
	return err
}

func (h *harness) dsn(name string) string {
	return fmt.Sprintf("mysql://%s@%s/%s", h.login.User, h.login.Addr, name)
}

func (h *harness) makeSite(ctx context.Context) error {
	err := h.Apply(ctx, fmt.Sprintf(`
apiVersion: sitewright.dev/v1alpha1
kind: Install
metadata: {name: %s}
spec: {application: wordpress, url: %q, keepPrevious: 0s}
`, h.site.install, h.site.url))
	if err != nil {
		return err
	}
	var in api.Install
	err = local.Await(ctx, bound, "the site to be installed", func() (bool, string) {
		err := h.Get(ctx, client.ObjectKey{Namespace: h.Namespace, Name: h.site.install}, &in)
		return err == nil && readyOf(&in), fmt.Sprint(err, in.Status.Conditions)
	})
	if err != nil {
		return err
	}
	h.version = savedVersion
	if err := h.site.write(ctx, h.version); err != nil {
		return err
	}
	if _, err := h.site.await(ctx); err != nil {
		return err
	}
	return h.prepareLoad(ctx, in.Status.Database.Name)
}

// save makes the Backup that is restored again and again.
func (h *harness) save(ctx context.Context) error {
	b := h.newBackup(savedBackup)
	if err := b.begin(ctx); err != nil {
		return err
	}
	o, err := h.await(ctx, b)
	if err == nil && !o.ready {
		err = errors.New(o.message)
	}
	if err != nil {
		return fmt.Errorf("saving the site: %w", err)
	}
	h.saved = b.object.object.(*api.Backup).Status.Snapshot.ID
	return nil
}

// advance brings the site to its next version.
func (h *harness) advance(ctx context.Context) error {
	h.count++
	h.version = fmt.Sprintf("v%d", h.count)
	return h.site.write(ctx, h.version)
}

// await waits for a task to end.
func (h *harness) await(ctx context.Context, t task) (*outcome, error) {
	var o *outcome
	var failed error
	err := local.Await(ctx, bound, "the task to end", func() (bool, string) {
		o, failed = t.ended(ctx)
		return o != nil, fmt.Sprint(failed)
	})
	return o, err
}

// newTask is a run of a work; the name must be new.
func (h *harness) newTask(work, victim, name string) task {
	switch work {
	case backup:
		return h.newBackup(name)
	case restore:
		return h.newRestore(name)
	case clone:
		return h.newClone(name)
	}
	return h.newLoad(victim)
}

// victim is the process to kill, as it runs now: a server's, nil for the agent, which is the task's own.
func (h *harness) victim(ctx context.Context, kind string) (*local.Process, error) {
	var pod *corev1.Pod
	var err error
	program := ""
	switch kind {
	case agent:
		return nil, nil
	case database:
		program = "mariadbd"
		pod, err = h.Pod(ctx, "sitewright-system", map[string]string{"app.kubernetes.io/component": "mariadb"})
	case storage:
		program = "versitygw"
		pod, err = h.Pod(ctx, "storage", map[string]string{"app": "s3"})
	}
	if err != nil {
		return nil, err
	}
	if pod != nil {
		if p := local.Find(pod, program); p != nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s runs nowhere", program)
}

// serves says whether both servers answer.
func (h *harness) serves(ctx context.Context) error {
	if err := h.db.PingContext(ctx); err != nil {
		return fmt.Errorf("the database server: %w", err)
	}
	for _, err := range h.store.List(ctx, "kopia.") {
		if err != nil {
			return fmt.Errorf("the storage server: %w", err)
		}
	}
	return nil
}

// close removes what was made outside the cluster; with all, the namespace too.
func (h *harness) close(ctx context.Context, all bool) error {
	if h.db != nil && all {
		_, err := h.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+scratch)
		if err = errors.Join(err, h.DeleteNamespace(ctx), h.db.Close()); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(h.scratch), os.RemoveAll(filepath.Clean(h.state)))
}

func readyOf(o client.Object) bool {
	for _, c := range local.Conditions(o) {
		if c.Type == api.ConditionReady {
			return c.Status == "True"
		}
	}
	return false
}
