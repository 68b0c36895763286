package controllers_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
	"sigs.k8s.io/controller-runtime/pkg/client"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/names"
	"github.com/sitewright/sitewright/internal/plan"
)

// TestInstallOfARelease follows a site from its manifest to its first page.
func TestInstallOfARelease(t *testing.T) {
	w := newWorld(t)
	w.application()
	server := w.server()
	in := w.site("blog", func(in *api.Install) {
		in.Spec.Title, in.Spec.Language = "A blog", "de"
		in.Spec.Admin = &api.AdminSpec{Login: "jane"}
		in.Spec.Fields = map[string]api.FieldValue{"sitetitle": "Jane's"}
	})
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "starting")
	same(t, "DatabaseReady", w.condition(in, api.ConditionDatabaseReady).Status, metav1.ConditionTrue)

	p := w.planOf("install-blog").Install
	same(t, "the release", p.Release.Version, "6.8.7")
	same(t, "the database", p.Site.Database.Name, names.Database(string(in.UID), 1))
	same(t, "the prefix", p.Site.Database.Prefix, "wp_")
	same(t, "the server", p.Site.Database.Port, int(server.Spec.Port))
	same(t, "a field that is set", p.Fields["sitetitle"], "Jane's")
	same(t, "a field that is not", p.Fields["tagline"], "Just so")
	same(t, "the login", p.Admin.Login, "jane")
	same(t, "the address", p.Admin.Email, "admin@blog."+w.ns+".test")
	same(t, "the language", p.Language, "de")
	same(t, "the image", w.job("install-blog").Spec.Template.Spec.Containers[0].Image, "example/runtime:php-8.4")
	same(t, "databases", len(w.databases(in)), 1)
	same(t, "the database's user", w.databaseUser(in), true)
	same(t, "a Deployment before there is anything to serve", w.there(&appsv1.Deployment{}, "blog"), false)

	w.finish("install-blog", well(w.planOf("install-blog")))
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonProgressing, "generation 1")
	same(t, "the generation before it answers", in.Status.Generation, 0)
	same(t, "the template's generation", w.serves("blog"), "1")
	same(t, "the Service", w.there(&corev1.Service{}, "blog"), true)
	same(t, "the Ingress", w.there(&networkingv1.Ingress{}, "blog"), true)

	w.rollOut("blog")
	w.settle(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded, "serving generation 1", "blog."+w.ns+".test")
	w.checkServing(in)
}

func (w *world) checkServing(in *api.Install) {
	w.Helper()
	st := in.Status
	same(w, "url", st.URL, string(in.Spec.URL))
	same(w, "version", st.Version, "6.8.7")
	same(w, "the newest version that it can be upgraded to", st.LatestVersion, "6.8.7")
	same(w, "schema version", st.SchemaVersion, "1")
	same(w, "runtime", st.Runtime, "php-8.4")
	same(w, "generation", st.Generation, 1)
	same(w, "generations", len(st.Generations), 1)
	same(w, "sealed", st.Generations[0].Sealed, true)
	same(w, "files", st.Size.Files, 10)
	same(w, "database", *st.Database, api.DatabaseStatus{Server: "server-" + w.ns, Name: names.Database(string(in.UID), 1),
		User: names.DatabaseUser(string(in.UID)), Prefix: "wp_"})
	same(w, "the administrator", st.Admin.Login, "jane")
	same(w, "Serving", w.condition(in, api.ConditionServing).Status, metav1.ConditionTrue)
	admin := &corev1.Secret{}
	w.must(w.Get(w.Context(), client.ObjectKey{Namespace: w.ns, Name: st.Admin.SecretRef.Name}, admin))
	for key, want := range map[string]string{"username": "jane", "email": "admin@blog." + w.ns + ".test", "url": st.URL} {
		same(w, key, string(admin.Data[key]), want)
	}
	if len(admin.Data["password"]) < 20 {
		w.Errorf("the generated password has %d characters", len(admin.Data["password"]))
	}
	if in.Status.Progress != nil {
		w.Errorf("progress is still %v", in.Status.Progress)
	}
}

// TestInstallRefused holds wrong specs against what is said about them, before anything is made.
func TestInstallRefused(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	selective := w.serverFor("picky", &metav1.LabelSelector{MatchLabels: map[string]string{"plan": "gold"}})
	for _, c := range []struct {
		name   string
		edit   func(*api.Install)
		status status.Status
		reason string
		parts  []string
	}{
		{"no-such-application", func(in *api.Install) { in.Spec.Application = "nothing" },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"spec.application nothing", "catalogue"}},
		{"no-such-version", func(in *api.Install) { in.Spec.Version = "1.2.3" },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"spec.version 1.2.3", "6.7.5, 6.8.7, 7.0"}},
		{"php-too-old", func(in *api.Install) { in.Spec.Version = "7.0" },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"7.0 needs PHP 8.6-", "php-7.4, php-8.2, php-8.4"}},
		{"runtime-too-new", func(in *api.Install) { in.Spec.Version, in.Spec.Runtime.Name = "6.7.5", "php-8.4" },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"6.7.5 needs PHP", "php-8.4"}},
		{"no-such-runtime", func(in *api.Install) { in.Spec.Runtime.Name = "php-5.6" },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"spec.runtime.name php-5.6"}},
		{"no-such-field", func(in *api.Install) { in.Spec.Fields = map[string]api.FieldValue{"colour": "red"} },
			status.FailedStatus, api.ReasonInvalidSpec, []string{"spec.fields.colour"}},
		{"namespace-not-admitted", func(in *api.Install) { in.Spec.Database.ServerRef.Name = selective.Name },
			status.FailedStatus, api.ReasonInvalidSpec, []string{selective.Name, "namespaceSelector"}},
		{"no-such-server", func(in *api.Install) { in.Spec.Database.ServerRef.Name = "nowhere" },
			status.InProgressStatus, api.ReasonDependencyNotReady, []string{"DatabaseServer nowhere does not exist"}},
		{"import", func(in *api.Install) {
			in.Spec.Bootstrap = &api.BootstrapSpec{Import: &api.ImportBootstrap{URL: "http://old.test/",
				Source: api.ImportSource{Application: &api.ApplicationSource{CredentialsSecretRef: api.LocalReference{Name: "x"}}}}}
		}, status.FailedStatus, api.ReasonNotImplemented, []string{"spec.bootstrap.import"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.in(t)
			in := w.site(c.name, c.edit)
			w.settle(in)
			w.expect(in, c.status, c.reason, c.parts...)
			same(t, "a Job", w.there(&batchv1.Job{}, "install-"+c.name), false)
			same(t, "observedGeneration", in.Status.ObservedGeneration, in.Generation)
		})
	}
}

// in is the same world for a subtest.
func (w *world) in(t *testing.T) *world {
	inner := *w
	inner.T = t
	return &inner
}

// serverFor makes another DatabaseServer, for certain namespaces.
func (w *world) serverFor(name string, selector *metav1.LabelSelector) *api.DatabaseServer {
	w.Helper()
	login := mysqltest.Start(w).Config()
	s := &api.DatabaseServer{ObjectMeta: named(name + "-" + w.ns), Spec: api.DatabaseServerSpec{Host: login.Host, Port: int32(login.Port),
		AdminSecretRef: api.NamespacedReference{Namespace: w.ns, Name: "server-admin"}, NamespaceSelector: selector}}
	w.create(s)
	w.Cleanup(func() { w.must(w.Delete(background(w), s)) })
	w.settle(s)
	return s
}

func TestInstallAdmittedBySelector(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server(func(s *api.DatabaseServer) {
		s.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": w.ns}}
	})
	in := w.site("blog")
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestInstallWithoutDefaultServer(t *testing.T) {
	w := newSerialWorld(t)
	w.application()
	in := w.site("blog", func(in *api.Install) { in.Spec.Database = nil })
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonDependencyNotReady, "no default DatabaseServer")
	same(t, "DatabaseReady", w.condition(in, api.ConditionDatabaseReady).Status, metav1.ConditionFalse)
	server := w.server(func(s *api.DatabaseServer) { s.Spec.Default = true })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the server", in.Status.Database.Server, server.Name)
}

func TestInstallOnOneURL(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	stranger := w.namespace(nil)
	for _, c := range []struct{ name, url, ns string }{
		{"same-namespace", "http://%s/x", w.ns},
		{"other-namespace", "http://%s/x", stranger},
		{"other-scheme-and-slash", "https://%s/x/", stranger},
		{"other-port", "http://%s:8081/x", stranger},
		{"other-path", "http://%s/x/login", stranger},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, host := w.in(t), c.name+"."+w.ns+".test"
			c.url = fmt.Sprintf(c.url, host)
			first := w.site(c.name, func(in *api.Install) { in.Spec.URL = api.SiteURL("http://" + host + "/x") })
			w.settle(first)
			w.expect(first, status.InProgressStatus, api.ReasonProgressing)
			// It serves, so that which of the two is older in one second does not matter.
			w.play(first)
			second := w.site("secret-name-"+c.name, func(in *api.Install) { in.Namespace, in.Spec.URL = c.ns, api.SiteURL(c.url) })
			w.settle(second)
			w.expect(second, status.FailedStatus, api.ReasonInvalidSpec, "spec.url "+c.url+" is taken")
			message := w.condition(second, api.ConditionReady).Message
			outside := replace(message, c.url)
			same(t, "a word of "+first.Name+" in "+outside, contains(outside, first.Name), c.ns == w.ns)
			same(t, "a word of "+w.ns+" outside the URL", contains(outside, w.ns), false)

			w.remove(first)
			w.settle(first)
			w.settle(second)
			if c.ns == w.ns {
				w.play(second)
				w.expect(second, status.CurrentStatus, api.ReasonSucceeded)
			} else {
				w.expect(second, status.InProgressStatus, api.ReasonProgressing)
			}
		})
	}
}

func TestInstallUserSecret(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	in := w.site("blog", func(in *api.Install) {
		in.Spec.Admin = &api.AdminSpec{Login: "jane", Email: "jane@example.org", PasswordSecretRef: &api.SecretKeyReference{Name: "mine", Key: "pass"}}
	})
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonDependencyNotReady, "spec.admin.passwordSecretRef", "Secret mine does not exist")
	mine := w.secret(w.ns, "mine", map[string]string{"other": "x"})
	w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonDependencyNotReady, "Secret mine has no key pass")
	change(w, mine, func(s *corev1.Secret) { s.StringData = map[string]string{"pass": "s3cret\n"} })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	admin := &corev1.Secret{}
	w.must(w.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "blog-admin"}, admin))
	same(t, "the password", string(admin.Data["password"]), "s3cret")
}

func TestInstallFailedAgent(t *testing.T) {
	w := newWorld(t)
	app := w.application()
	w.server()
	w.answers["install"] = failing(plan.ReasonChecksum, "blog-6.8.7.tar.gz is not what the catalogue says: correct the checksum")
	in := w.site("blog")
	w.play(in)
	w.expect(in, status.FailedStatus, api.ReasonFailed, "correct the checksum")
	before := w.job("install-blog").UID

	delete(w.answers, "install")
	change(w, app, func(a *api.Application) { a.Spec.Releases[1].Source.StripComponents = 2 })
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	if w.job("install-blog").UID == before {
		t.Error("the failed Job was not replaced when the Application was mended")
	}
}

// TestInstallAgentWithoutAnswer loses the pod, and with it the answer: a run again answers from the seal.
func TestInstallAgentWithoutAnswer(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	in := w.site("blog")
	w.settle(in)
	before := w.job("install-blog").UID
	w.conclude("install-blog", false)
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	if w.job("install-blog").UID == before {
		t.Error("the Job without an answer was not run again")
	}
	other := w.site("other")
	w.settle(other)
	w.conclude("install-other", true)
	w.settle(other)
	w.expect(other, status.FailedStatus, api.ReasonFailed, "the agent gave no answer", "as played by the test")
}

// TestInstallForeignChildren leaves alone what is of the site's name and somebody else's.
func TestInstallForeignChildren(t *testing.T) {
	labels := map[string]string{"app": "shop"}
	pod := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "shop", Image: "example/shop"}}}}
	meta := metav1.ObjectMeta{Name: "blog", Labels: labels}
	for kind, foreign := range map[string]client.Object{
		"Deployment": &appsv1.Deployment{ObjectMeta: meta, Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: pod}},
		"Service":    &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Port: 1}}}},
		"Ingress": &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{DefaultBackend: &networkingv1.IngressBackend{
			Service: &networkingv1.IngressServiceBackend{Name: "shop", Port: networkingv1.ServiceBackendPort{Number: 1}}}}},
		"Secret": &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "blog-admin"}},
		"Job": &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "install-blog", Labels: map[string]string{"app.kubernetes.io/managed-by": "sitewright"}},
			Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: pod.Spec.Containers}}}},
	} {
		t.Run(kind, func(t *testing.T) {
			w := newWorld(t)
			w.application()
			w.server()
			w.create(foreign)
			in := w.site("blog")
			w.settle(in)
			if kind != "Job" {
				w.play(in)
			}
			w.expect(in, status.FailedStatus, api.ReasonFailed, kind+" "+foreign.GetName(), "belong")
			w.version(foreign)
			for _, f := range foreign.GetManagedFields() {
				same(t, "a field of the foreign "+kind+" that is ours", f.Manager == "sitewright", false)
			}
			same(t, "its owners", len(foreign.GetOwnerReferences()), 0)
		})
	}
}

func TestInstallNotImplementedFields(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog")
	change(w, in, func(in *api.Install) {
		in.Spec.Notifications = &api.NotificationsSpec{Events: []api.NotificationEvent{"install"}}
	})
	w.settle(in)
	w.expect(in, status.FailedStatus, api.ReasonNotImplemented, "spec.notifications")
	same(t, "Serving", w.condition(in, api.ConditionServing).Status, metav1.ConditionTrue)
	same(t, "the generation", in.Status.Generation, 1)
	change(w, in, func(in *api.Install) {
		in.Spec.Notifications = nil
	})
	w.settle(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestInstallExposure(t *testing.T) {
	w := newWorld(t)
	in := w.serving("blog", func(in *api.Install) { in.Spec.Exposure = &api.ExposureSpec{None: &api.NoExposure{}} })
	same(t, "an Ingress without exposure", w.there(&networkingv1.Ingress{}, "blog"), false)
	change(w, in, func(in *api.Install) {
		in.Spec.Exposure = &api.ExposureSpec{Ingress: &api.IngressExposure{ClassName: new("special"), TLSSecretName: "certificate"}}
	})
	w.settle(in)
	i := &networkingv1.Ingress{}
	same(t, "an Ingress", w.there(i, "blog"), true)
	same(t, "its class", *i.Spec.IngressClassName, "special")
	same(t, "its certificate", i.Spec.TLS[0].SecretName, "certificate")
	change(w, in, func(in *api.Install) { in.Spec.Exposure = &api.ExposureSpec{None: &api.NoExposure{}} })
	w.settle(in)
	same(t, "an Ingress that is no longer wanted", w.there(&networkingv1.Ingress{}, "blog"), false)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
}

func TestInstallExistingDatabase(t *testing.T) {
	w := newWorld(t)
	w.application()
	db := mysqltest.Start(t).Database(t)
	password := w.secret(w.ns, "existing", map[string]string{"password": "wrong"})
	in := w.site("blog", func(in *api.Install) {
		in.Spec.Database = &api.DatabaseTarget{Prefix: "b_", Existing: &api.ExistingDatabase{Host: "db.example", ConnectHost: db.Host, Port: int32(db.Port),
			Name: db.Database, User: db.User, PasswordSecretRef: api.SecretKeyReference{Name: "existing", Key: "password"}}}
	})
	result := w.settle(in)
	w.expect(in, status.InProgressStatus, api.ReasonRetrying, "refuses user "+db.User, "Secret existing")
	same(t, "another look", result.RequeueAfter, 15*time.Second)
	same(t, "DatabaseReady", w.condition(in, api.ConditionDatabaseReady).Status, metav1.ConditionFalse)
	same(t, "a Job", w.there(&batchv1.Job{}, "install-blog"), false)

	change(w, password, func(s *corev1.Secret) { s.StringData = map[string]string{"password": db.Password} })
	w.settle(in)
	p := w.planOf("install-blog").Install.Site.Database
	same(t, "the host in the configuration", p.Host, "db.example")
	same(t, "the host to connect to", p.ConnectHost, db.Host)
	same(t, "shared", p.Shared, true)
	same(t, "the prefix", p.Prefix, "b_")
	w.play(in)
	w.expect(in, status.CurrentStatus, api.ReasonSucceeded)
	same(t, "the server", in.Status.Database.Server, "")
	same(t, "databases of its own", len(w.databases(in)), 0)
	w.remove(in)
	w.settle(in)
	same(t, "the Install after its deletion", w.version(in), "")
}

// TestInstallsThatWantOneURL lets exactly one of two that do not serve yet go on, and the other when that one is gone.
func TestInstallsThatWantOneURL(t *testing.T) {
	w := newWorld(t)
	w.application()
	w.server()
	there := func(in *api.Install) { in.Spec.URL = api.SiteURL("http://one." + w.ns + ".test/") }
	a, b := w.site("a", there), w.site("b", there)
	w.settle(a, b)
	if w.condition(a, api.ConditionReady).Reason == api.ReasonInvalidSpec {
		a, b = b, a // Of one second, the UIDs decide which is the older.
	}
	w.expect(a, status.InProgressStatus, api.ReasonProgressing)
	w.expect(b, status.FailedStatus, api.ReasonInvalidSpec, "is taken by Install "+a.Name)
	w.remove(a)
	w.settle(a, b)
	w.expect(b, status.InProgressStatus, api.ReasonProgressing)
}
