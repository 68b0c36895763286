package controllers_test

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/names"
)

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func release(version, php string) api.Release {
	return api.Release{
		Version: version, Requirements: api.Requirements{PHP: api.VersionRange(php)},
		Source: api.ReleaseSource{URL: api.Link("https://example.org/blog-" + version + ".tar.gz"), SHA256: strings.Repeat("0", 64), StripComponents: 1},
	}
}

// application makes a catalogue entry with a name of its own.
func (w *world) application() *api.Application {
	w.Helper()
	a := &api.Application{
		ObjectMeta: named("app-" + w.ns),
		Spec: api.ApplicationSpec{
			DisplayName: "Blog", TablePrefix: "wp_",
			Fields:   []api.ApplicationField{{Name: "sitetitle", Default: "My blog"}, {Name: "tagline", Default: "Just so"}},
			Releases: []api.Release{release("6.7.5", "7.2.24-8.3.999"), release("6.8.7", "7.2.24-8.4.999"), release("7.0", "8.6-")},
			Recipe:   recipe.Recipe{Database: recipe.DatabaseMySQL, Health: recipe.Health{Path: "/"}},
		},
	}
	w.create(a)
	w.Cleanup(func() { w.must(w.Delete(background(w), a)) })
	return a
}

// secret makes a Secret in a namespace.
func (w *world) secret(ns, name string, data map[string]string) *corev1.Secret {
	w.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, StringData: data}
	w.create(s)
	return s
}

// server makes a DatabaseServer, a real one, which is ready.
func (w *world) server(edit ...func(*api.DatabaseServer)) *api.DatabaseServer {
	w.Helper()
	s := w.serverObject(edit...)
	w.create(s)
	w.Cleanup(func() { w.must(w.Delete(background(w), s)) })
	w.settle(s)
	return s
}

func (w *world) serverObject(edit ...func(*api.DatabaseServer)) *api.DatabaseServer {
	w.Helper()
	login := mysqltest.Start(w).Config()
	w.secret(w.ns, "server-admin", map[string]string{"username": login.User, "password": login.Password})
	s := &api.DatabaseServer{
		ObjectMeta: named("server-" + w.ns),
		Spec: api.DatabaseServerSpec{
			Host: login.Host, Port: int32(login.Port), AdminSecretRef: api.NamespacedReference{Namespace: w.ns, Name: "server-admin"},
		},
	}
	for _, f := range edit {
		f(s)
	}
	return s
}

// site makes an Install on the world's application and server, which must be there.
func (w *world) site(name string, edit ...func(*api.Install)) *api.Install {
	w.Helper()
	in := &api.Install{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns},
		Spec: api.InstallSpec{
			Application: "app-" + w.ns, URL: api.SiteURL("http://" + name + "." + w.ns + ".test/"),
			Database: &api.DatabaseTarget{ServerRef: &api.LocalReference{Name: "server-" + w.ns}},
		},
	}
	for _, f := range edit {
		f(in)
	}
	w.create(in)
	return in
}

// serving makes a site that serves, with all that it needs.
func (w *world) serving(name string, edit ...func(*api.Install)) *api.Install {
	w.Helper()
	if w.version(&api.Application{ObjectMeta: named("app-" + w.ns)}) == "" {
		w.application()
		w.server()
	}
	in := w.site(name, edit...)
	w.play(in)
	if in.Status.Generation != 1 {
		w.Fatalf("Install %s does not serve: %s", name, text(in.Status))
	}
	return in
}

// location makes a BackupLocation on a volume, which is ready.
func (w *world) location(name string, edit ...func(*api.BackupLocation)) *api.BackupLocation {
	w.Helper()
	l := &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns}, Spec: api.BackupLocationSpec{Volume: &api.VolumeLocation{}}}
	for _, f := range edit {
		f(l)
	}
	w.create(l)
	w.play(l)
	return l
}

func isDefault(l *api.BackupLocation) { l.Spec.Default = true }

// backup makes a Backup of an Install.
func (w *world) backup(name, install string, edit ...func(*api.Backup)) *api.Backup {
	w.Helper()
	b := &api.Backup{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns},
		Spec: api.BackupSpec{InstallRef: &api.LocalReference{Name: install}}}
	for _, f := range edit {
		f(b)
	}
	w.create(b)
	return b
}

// restore makes a Restore of a Backup.
func (w *world) restore(name, backup string, edit ...func(*api.Restore)) *api.Restore {
	w.Helper()
	r := &api.Restore{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: w.ns},
		Spec: api.RestoreSpec{BackupRef: api.LocalReference{Name: backup}}}
	for _, f := range edit {
		f(r)
	}
	w.create(r)
	return r
}

// databases are the generations of a site that have a database on the server.
func (w *world) databases(in *api.Install) []int64 {
	w.Helper()
	db, err := mysql.Open(w.Context(), mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	all, err := mysql.NewAdmin(db).ListDatabases(w.Context(), names.DatabasePrefix(string(in.UID)))
	w.must(err)
	var generations []int64
	for _, name := range all {
		n, _ := names.Generation(string(in.UID), name)
		generations = append(generations, n)
	}
	slices.Sort(generations)
	return generations
}

// rights counts the databases in which a site's user may do something, whether they are there or not.
func (w *world) rights(in *api.Install) (n int) {
	w.Helper()
	db, err := mysql.Open(w.Context(), mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	w.must(db.QueryRowContext(w.Context(), "SELECT COUNT(*) FROM mysql.db WHERE User = ?", names.DatabaseUser(string(in.UID))).Scan(&n))
	return n
}

// databaseUser says whether a site's user is on the server.
func (w *world) databaseUser(in *api.Install) bool {
	w.Helper()
	db, err := mysql.Open(w.Context(), mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	exists, err := mysql.NewAdmin(db).UserExists(w.Context(), names.DatabaseUser(string(in.UID)))
	w.must(err)
	return exists
}

// reads says whether a site's user may read the database of another one's first generation.
func (w *world) reads(in, other *api.Install) bool {
	w.Helper()
	db, err := mysql.Open(w.Context(), mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	var privileges []string
	rows, err := db.QueryContext(w.Context(), `SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES
		WHERE GRANTEE = CONCAT("'", ?, "'@'%'") AND REPLACE(TABLE_SCHEMA, '\\', '') = ?`,
		names.DatabaseUser(string(in.UID)), names.Database(string(other.UID), 1))
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var p string
		w.must(rows.Scan(&p))
		privileges = append(privileges, p)
	}
	w.must(rows.Err())
	if len(privileges) > 0 && !slices.Equal(privileges, []string{"SELECT"}) {
		w.Errorf("the user of Install %s may do more than read Install %s: %v", in.Name, other.Name, privileges)
	}
	return len(privileges) > 0
}
