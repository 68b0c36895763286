package controllers_test

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/sitewright/sitewright/api/recipe"
	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/plan"
)

func TestBackupLocationOnAVolume(t *testing.T) {
	w := newWorld(t)
	l := &api.BackupLocation{ObjectMeta: named("local"), Spec: api.BackupLocationSpec{Volume: &api.VolumeLocation{}}}
	w.create(l)
	w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonProgressing, "starting")
	claim := &corev1.PersistentVolumeClaim{}
	same(t, "the volume claim", w.there(claim, "local-backups"), true)
	same(t, "its owner", claim.OwnerReferences[0].UID, l.UID)
	same(t, "its size", claim.Spec.Resources.Requests.Storage().String(), "2Gi")
	p := w.planOf("open-local").Open
	same(t, "where it is mounted", p.Location.Volume.Path, "/repository")
	made := &corev1.Secret{}
	same(t, "the password", w.there(made, l.Status.PasswordSecretRef.Name), true)
	same(t, "its owners", len(made.OwnerReferences), 0)
	if len(made.Data["password"]) < 40 {
		t.Errorf("the password has %d characters", len(made.Data["password"]))
	}

	w.play(l)
	result := w.settle(l)
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded, "the repository answers")
	same(t, "the repository", l.Status.RepositoryID, "repository-1")
	same(t, "where", l.Status.Where, "volume claim local-backups")
	same(t, "the next look", result.RequeueAfter, time.Hour)
	same(t, "the Job of a look that is over", w.there(&batchv1.Job{}, "open-local"), false)
	again := &corev1.Secret{}
	w.there(again, l.Status.PasswordSecretRef.Name)
	same(t, "the password later", string(again.Data["password"]), string(made.Data["password"]))

	w.clock.advance(time.Hour)
	w.settle(l)
	same(t, "another look", w.there(&batchv1.Job{}, "open-local"), true)
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
	w.finish("open-local", failing(plan.ReasonWrongPassword, "another password opens this repository")(plan.Plan{}))
	w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonRetrying, "another password opens this repository")
	w.remove(l)
	w.settle(l)
	same(t, "the location", w.version(l), "")
	same(t, "the password without its location", w.there(&corev1.Secret{}, made.Name), true)
}

func TestBackupLocationOnS3(t *testing.T) {
	w := newWorld(t)
	l := &api.BackupLocation{ObjectMeta: named("s3"), Spec: api.BackupLocationSpec{
		S3: &api.S3Location{Endpoint: "http://s3.test", Bucket: "backups", Prefix: "a", CredentialsSecretRef: api.LocalReference{Name: "keys"}}}}
	w.create(l)
	result := w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonDependencyNotReady, "spec.s3.credentialsSecretRef: Secret keys does not exist in namespace "+w.ns)
	same(t, "the next look", result.RequeueAfter, 30*time.Second)
	keys := w.secret(w.ns, "keys", map[string]string{"access-key": "a"})
	w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonDependencyNotReady, "Secret keys has no key secret-key")
	change(w, keys, func(s *corev1.Secret) { s.StringData = map[string]string{"secret-key": "wrong"} })
	w.answers["open"] = failing(plan.ReasonDenied, "bucket backups refuses the keys: check Secret keys")
	w.settle(l)
	w.playAgents()
	result = w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonRetrying, "check Secret keys")
	same(t, "the next look", result.RequeueAfter, 30*time.Second)
	same(t, "where", l.Status.Where, `bucket backups at http://s3.test, prefix "a"`)
	w.expect(l, status.InProgressStatus, api.ReasonRetrying, "check Secret keys")

	delete(w.answers, "open")
	w.clock.advance(30 * time.Second)
	w.settle(l)
	same(t, "another try", w.there(&batchv1.Job{}, "open-s3"), true)
	w.expect(l, status.InProgressStatus, api.ReasonRetrying, "check Secret keys")
	w.play(l)
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
	change(w, l, func(l *api.BackupLocation) { l.Spec.S3.Bucket = "other" })
	w.settle(l)
	same(t, "the bucket that is tried after the spec changed", w.planOf("open-s3").Open.Location.S3.Bucket, "other")
	w.expect(l, status.InProgressStatus, api.ReasonProgressing)
}

func TestBackupLocationOtherwise(t *testing.T) {
	w := newWorld(t)
	l := &api.BackupLocation{ObjectMeta: named("dav"), Spec: api.BackupLocationSpec{
		WebDAV: &api.WebDAVLocation{URL: "https://dav.test/x", CredentialsSecretRef: api.LocalReference{Name: "keys"}}}}
	w.create(l)
	w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonDependencyNotReady, "spec.webdav.credentialsSecretRef: Secret keys does not exist")
	same(t, "where", l.Status.Where, "https://dav.test/x")
	w.secret(w.ns, "keys", map[string]string{"username": "u", "password": "p"})
	w.play(l)
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
	own := &api.BackupLocation{ObjectMeta: named("own"), Spec: api.BackupLocationSpec{Volume: &api.VolumeLocation{},
		Encryption: &api.EncryptionSpec{PasswordSecretRef: &api.SecretKeyReference{Name: "mine", Key: "pass"}}}}
	w.create(own)
	w.settle(own)
	w.expect(own, status.InProgressStatus, api.ReasonDependencyNotReady, "spec.encryption.passwordSecretRef: Secret mine does not exist")
	same(t, "a Secret made in the user's place", w.there(&corev1.Secret{}, "mine"), false)
	w.secret(w.ns, "mine", map[string]string{"pass": "x"})
	w.play(own)
	w.expect(own, status.CurrentStatus, api.ReasonSucceeded)

	w.create(&corev1.PersistentVolumeClaim{ObjectMeta: named("taken-backups"), Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceStorage: own.Spec.Volume.Size}}}})
	taken := &api.BackupLocation{ObjectMeta: named("taken"), Spec: api.BackupLocationSpec{Volume: &api.VolumeLocation{}}}
	w.create(taken)
	w.settle(taken)
	w.expect(taken, status.FailedStatus, api.ReasonFailed, "PersistentVolumeClaim taken-backups exists and does not belong")
}

// TestBackupLocationOverSSH: the key that the server showed first is asked for from then on, until the location is on another server.
func TestBackupLocationOverSSH(t *testing.T) {
	w := newWorld(t)
	w.secret(w.ns, "keys", map[string]string{"username": "u"})
	l := &api.BackupLocation{ObjectMeta: named("vault"), Spec: api.BackupLocationSpec{
		SFTP: &api.SSHSource{Host: "ssh.test", Path: "backups", CredentialsSecretRef: api.LocalReference{Name: "keys"}}}}
	w.create(l)
	w.settle(l)
	w.expect(l, status.InProgressStatus, api.ReasonDependencyNotReady, "Secret keys has no key password or ssh-privatekey")
	change(w, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "keys", Namespace: w.ns}}, func(s *corev1.Secret) { s.StringData = map[string]string{"ssh-privatekey": "x"} })
	shows := func(key string) answer {
		return func(plan.Plan) plan.Result { return plan.Result{Repository: "repository-1", HostKey: key} }
	}
	w.answers["open"] = shows("ssh-ed25519 AAAA")
	w.settle(l)
	first := w.planOf("open-vault").Open
	same(t, "the key asked for at first", first.Location.SFTP.HostKey, "")
	same(t, "a directory that is missing at first", first.MakeDirectory, true)
	w.play(l)
	w.expect(l, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "what is remembered", l.Status.HostKey, "ssh.test ssh-ed25519 AAAA")
	same(t, "where", l.Status.Where, `directory "backups" at ssh.test:22 by SFTP`)

	w.clock.advance(time.Hour)
	w.settle(l)
	later := w.planOf("open-vault").Open
	same(t, "the key asked for later", later.Location.SFTP.HostKey, "ssh-ed25519 AAAA")
	same(t, "a directory that is missing later", later.MakeDirectory, false)
	w.play(l)

	change(w, l, func(l *api.BackupLocation) { l.Spec.SFTP.Host = "other.test" })
	w.answers["open"] = shows("ssh-ed25519 BBBB")
	w.settle(l)
	moved := w.planOf("open-vault").Open
	same(t, "the key asked for elsewhere", moved.Location.SFTP.HostKey, "")
	same(t, "a directory that is missing elsewhere", moved.MakeDirectory, true)
	w.play(l)
	same(t, "what is remembered", l.Status.HostKey, "other.test ssh-ed25519 BBBB")
	change(w, l, func(l *api.BackupLocation) { l.Spec.SFTP.HostKey = "ssh-ed25519 CCCC" })
	w.settle(l)
	same(t, "the key that the spec has", w.planOf("open-vault").Open.Location.SFTP.HostKey, "ssh-ed25519 CCCC")
	w.play(l)
	same(t, "what is remembered beside it", l.Status.HostKey, "")
}

func TestBackupLocationDeletion(t *testing.T) {
	w, in, b := backedUp(t)
	l := &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "local", Namespace: w.ns}}
	w.remove(l)
	w.settle(l)
	w.expect(l, status.TerminatingStatus, api.ReasonDependencyNotReady, "1 Backups are in this location")
	w.remove(b)
	w.play(b, in)
	same(t, "the Backup", w.version(b), "")
	w.settle(l)
	same(t, "the location", w.version(l), "")
}

func TestDatabaseServer(t *testing.T) {
	w := newWorld(t)
	s := w.server()
	w.expect(s, status.CurrentStatus, api.ReasonSucceeded, "MariaDB", "may create databases")
	result := w.settle(s)
	same(t, "the next look", result.RequeueAfter, 5*time.Minute)
	same(t, "the last look", s.Status.LastChecked.Time.Equal(w.clock.Now()), true)

	admin := &corev1.Secret{}
	w.must(w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "server-admin"}, admin))
	login := func(user, password string) {
		change(w, admin, func(s *corev1.Secret) {
			s.Data = map[string][]byte{"username": []byte(user), "password": []byte(password)}
		})
	}
	good := mysqltest.Start(t).Config()
	login(good.User, "wrong-password")
	result = w.settle(s)
	w.expect(s, status.InProgressStatus, api.ReasonRetrying, "check the login in Secret server-admin of namespace "+w.ns)
	same(t, "the password in the message", contains(w.condition(s, api.ConditionReady).Message, "wrong-password"), false)
	same(t, "the next look", result.RequeueAfter, 10*time.Second)
	login(w.loginWithoutPrivileges(), "weak")
	w.settle(s)
	w.expect(s, status.InProgressStatus, api.ReasonRetrying, "CREATE USER", "privileges")
	login(good.User, "")
	w.settle(s)
	w.expect(s, status.InProgressStatus, api.ReasonDependencyNotReady, "has no key password")
	login(good.User, good.Password)
	change(w, s, func(s *api.DatabaseServer) { s.Spec.Port = 1 })
	w.settle(s)
	w.expect(s, status.InProgressStatus, api.ReasonRetrying, "127.0.0.1:1 does not answer")
	change(w, s, func(s *api.DatabaseServer) { s.Spec.Port = int32(good.Port) })
	w.settle(s)
	w.expect(s, status.CurrentStatus, api.ReasonSucceeded)
	w.remove(admin)
	w.settle(s)
	w.expect(s, status.InProgressStatus, api.ReasonDependencyNotReady, "Secret server-admin does not exist in namespace "+w.ns)
}

// loginWithoutPrivileges makes a user on the database server that may do nothing.
func (w *world) loginWithoutPrivileges() string {
	w.Helper()
	db, err := mysql.Open(w.Context(), mysqltest.Start(w).Config())
	w.must(err)
	defer func() { w.must(db.Close()) }()
	w.must(mysql.NewAdmin(db).EnsureUser(w.Context(), "weak", "weak"))
	return "weak"
}

func TestApplication(t *testing.T) {
	w := newWorld(t)
	a := w.application()
	w.settle(a)
	w.expect(a, status.CurrentStatus, api.ReasonSucceeded, "3 releases")
	same(t, "the newest", a.Status.LatestVersion, "7.0")
	change(w, a, func(a *api.Application) { a.Spec.Releases[1].Requirements.PHP = "8.4-7.2" })
	w.settle(a)
	w.expect(a, status.FailedStatus, api.ReasonInvalidSpec, "spec.releases[6.8.7].requirements.php", "holds nothing")
	w.server()
	in := w.site("blog")
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonInvalidSpec, "Application "+a.Name+" cannot be used")
	change(w, a, func(a *api.Application) {
		a.Spec.Releases[1].Requirements.PHP = ""
		a.Spec.Recipe.Configuration = []recipe.ConfigurationFile{{Path: "config.php", Template: "{{ .Nothing }}"}}
	})
	w.settle(a)
	w.expect(a, status.FailedStatus, api.ReasonInvalidSpec, "spec.recipe: configuration[0].template")
	change(w, a, func(a *api.Application) { a.Spec.Recipe.Configuration[0].Template = "{{ php .URL }}" })
	w.settle(a)
	w.expect(a, status.CurrentStatus, api.ReasonSucceeded)
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing)
}
