package copying

import (
	"reflect"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

var (
	server = &api.DatabaseTarget{ServerRef: &api.LocalReference{Name: "main"}, Prefix: "x_"}
	source = &api.Install{Spec: api.InstallSpec{
		Application: "wordpress", Version: "6.8.7", URL: "http://a.test/", Title: "A", Language: "de", Database: server,
		Storage: api.StorageSpec{Size: resource.MustParse("5Gi")}, Runtime: api.RuntimeSpec{Name: "php-8.2"},
		Admin: &api.AdminSpec{Login: "jane"}, DeletionPolicy: api.DeletionOrphan,
	}}
	from = api.BootstrapSpec{Clone: &api.CloneBootstrap{SourceRef: api.LocalReference{Name: "a"}}}
)

func TestSpecOfACopy(t *testing.T) {
	got := Spec(api.CopyTarget{Name: "b", URL: "http://b.test/", Address: "10.0.0.1"}, "wordpress", "", source, from)
	want := api.InstallSpec{
		Application: "wordpress", URL: "http://b.test/", Address: "10.0.0.1", Title: "A", Language: "de", Bootstrap: &from,
		// Its own database on the source's server: the prefix comes with the content.
		Database: &api.DatabaseTarget{ServerRef: &api.LocalReference{Name: "main"}},
		Storage:  api.StorageSpec{Size: resource.MustParse("5Gi")}, Runtime: api.RuntimeSpec{Name: "php-8.2"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the copy is %+v", got)
	}
}

func TestSpecOfATargetThatSaysMore(t *testing.T) {
	target := api.CopyTarget{URL: "http://b.test/", Database: &api.DatabaseTarget{Prefix: "y_"},
		Storage: &api.StorageSpec{Size: resource.MustParse("9Gi")}, Exposure: &api.ExposureSpec{None: &api.NoExposure{}}}
	got := Spec(target, "wordpress", "6.8.7", source, from)
	if got.Database != target.Database || got.Storage.Size.String() != "9Gi" || got.Exposure != target.Exposure || got.Version != "6.8.7" {
		t.Errorf("the copy is %+v", got)
	}
}

func TestSpecWithoutSource(t *testing.T) {
	got := Spec(api.CopyTarget{URL: "http://b.test/"}, "wordpress", "", nil, from)
	if !reflect.DeepEqual(got, api.InstallSpec{Application: "wordpress", URL: "http://b.test/", Bootstrap: &from}) {
		t.Errorf("the copy is %+v", got)
	}
}

// TestSpecOfAnExistingDatabase does not put the copy into the database of the source.
func TestSpecOfAnExistingDatabase(t *testing.T) {
	shared := source.DeepCopy()
	shared.Spec.Database = &api.DatabaseTarget{Existing: &api.ExistingDatabase{Name: "db"}}
	if got := Spec(api.CopyTarget{URL: "http://b.test/"}, "wordpress", "", shared, from); got.Database != nil {
		t.Errorf("the copy's tables are in %+v", got.Database)
	}
}

func TestFollow(t *testing.T) {
	condition := func(kind string, status metav1.ConditionStatus, message string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: status, Message: message, ObservedGeneration: 1}
	}
	for _, c := range []struct {
		name           string
		conditions     []metav1.Condition
		waits, stalled bool
	}{
		{"not looked at", nil, true, false},
		{"working", []metav1.Condition{condition(api.ConditionReady, metav1.ConditionUnknown, "downloading")}, true, false},
		{"failed", []metav1.Condition{condition(api.ConditionStalled, metav1.ConditionTrue, "disk full")}, false, true},
		{"ready", []metav1.Condition{condition(api.ConditionReady, metav1.ConditionTrue, "serving")}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			made := &api.Install{ObjectMeta: metav1.ObjectMeta{Name: "b", Generation: 1}}
			made.Status.Conditions, made.Status.Progress = c.conditions, &api.Progress{Percent: 40}
			status := &api.TaskStatus{}
			wait, err := Follow(made, status)
			if (wait != nil) != c.waits || (err != nil) != c.stalled || status.Progress.Percent != 40 {
				t.Errorf("%+v %v %+v", wait, err, status.Progress)
			}
		})
	}
}
