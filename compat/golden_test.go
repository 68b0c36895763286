package compat

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden replies anew")

// changing are the parts of a reply that no two runs have in common.
var changing = []struct {
	pattern *regexp.Regexp
	name    string
}{
	{regexp.MustCompile(`"[0-9a-z]{25}"`), `"ID"`}, {regexp.MustCompile(`\b1[0-9]{9}\b`), "TIME"}, {regexp.MustCompile(`\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d`), "DATE"},
	{regexp.MustCompile(`testgolden-[0-9]+`), "USER"},
}

// TestGolden holds the replies to every command against what they were: to the byte, but for ids, times and the user's name.
func TestGolden(t *testing.T) {
	p := newPanel(t)
	in, id := p.site("golden.example")
	in.Status.Plugins = []api.ComponentStatus{{Name: "hello", Version: "1.7", Latest: "1.8", Active: true}}
	in.Status.LatestVersion = "6.8.12"
	if err := world.Status().Update(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	p.known(in)
	b := &api.Backup{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: "monday"}, Spec: api.BackupSpec{InstallRef: &api.LocalReference{Name: in.Name}, Note: "by hand"}}
	if err := world.Create(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	b.Status.ObservedGeneration, b.Status.Conditions = 1, ready("done")
	b.Status.StartTime, b.Status.CompletionTime = new(metav1.Now()), new(metav1.Now())
	b.Status.Snapshot = &api.SnapshotStatus{ID: "0123456789abcdef", Location: "here", Bytes: 10, DatabaseBytes: 5, Time: new(metav1.Now())}
	b.Status.Application, b.Status.Version, b.Status.URL, b.Status.Install = "blog", "6.8.7", "http://golden.example/", in.Name
	if err := world.Status().Update(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	p.known(b)
	backup := ID(b.UID)
	var got strings.Builder
	for _, request := range []string{
		"cmd=browser", "cmd=browser&application=blog&version=6.8.12", "cmd=browser&application=blog&versions-available-from=6.8.7", "cmd=browser&application=none",
		"cmd=installs", "cmd=installs&q=nothing", "cmd=installs&id=" + id, "cmd=view&id=" + id + "&addons=1", "cmd=view&id=none",
		"cmd=backups", "cmd=backups&pid=none", "cmd=tasks", "cmd=edit&id=" + id + "&autoup=1", "cmd=edit&id=" + id + "&db_prefix=other_",
		"cmd=install&application=blog&url=new.example&background=quick", "cmd=install&application=blog&url=new.example", "cmd=install&application=blog&url=dry.example&dryrun=2", "cmd=install",
		"cmd=backup&id=" + id + "&background=quick", "cmd=clone&id=" + id + "&url=copy.example&background=quick", "cmd=clone&id=" + id,
		"cmd=upgrade&id=" + id + "&version=6.8.12&background=quick", "cmd=restore&id=" + backup + "&background=quick", "cmd=restore&id=" + backup + "&url=other.example&background=quick",
		"cmd=importbackup&path=old.tar.gz&background=quick", "cmd=import&application=blog&url=a.b",
		"cmd=delete&id=" + backup, "cmd=uninstall&id=" + id, "cmd=uninstall&id=" + id,
	} {
		reply := p.ask(strings.Split(request, "&")...)
		fmt.Fprintf(&got, "%s\n%d %s\n", strings.NewReplacer(id, "ID", backup, "BACKUP").Replace(request), reply.status, reply.text)
	}
	text := got.String()
	for _, c := range changing {
		text = c.pattern.ReplaceAllString(text, c.name)
	}
	path := filepath.Join("testdata", "replies.txt")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wanted, lines := strings.Split(string(want), "\n"), strings.Split(text, "\n")
	for i := range max(len(wanted), len(lines)) {
		line := func(of []string) string {
			if i < len(of) {
				return of[i]
			}
			return "nothing"
		}
		if line(lines) != line(wanted) {
			t.Errorf("line %d is\n%s\nnot\n%s\n(go test ./compat -run TestGolden -update, if that is meant)", i+1, line(lines), line(wanted))
		}
	}
}
