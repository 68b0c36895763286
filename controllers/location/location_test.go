package location

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/job"
	"github.com/sitewright/sitewright/internal/plan"
)

func location(spec api.BackupLocationSpec) *api.BackupLocation {
	return &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "place"}, Spec: spec}
}

var s3 = api.BackupLocationSpec{S3: &api.S3Location{
	Endpoint: "https://s3.test", Region: "eu", Bucket: "backups", Prefix: "a/", CredentialsSecretRef: api.LocalReference{Name: "keys"},
}}

func TestPlan(t *testing.T) {
	got := Plan(location(s3), &job.Mounts{})
	want := plan.S3{Endpoint: "https://s3.test", Region: "eu", Bucket: "backups", Prefix: "a/",
		AccessKeyFile: "/secrets/secret-0/value", SecretKeyFile: "/secrets/secret-1/value"}
	if got.Name != "place" || *got.S3 != want || got.Volume != nil || got.PasswordFile != "/secrets/secret-2/value" {
		t.Errorf("the plan for s3 is %+v with %+v", got, got.S3)
	}
	got = Plan(location(api.BackupLocationSpec{Volume: &api.VolumeLocation{}}), &job.Mounts{})
	if got.S3 != nil || got.Volume.Path != job.RepositoryVolume || got.PasswordFile == "" {
		t.Errorf("the plan for a volume is %+v", got)
	}
	if got := Plan(location(api.BackupLocationSpec{Dropbox: &api.DropboxLocation{}}), &job.Mounts{}); got != nil {
		t.Errorf("the plan for what is not spoken is %+v", got)
	}
}

func TestPassword(t *testing.T) {
	if got := Password(location(s3)); got != (api.SecretKeyReference{Name: "place-repository", Key: "password"}) {
		t.Errorf("a generated password is in %+v", got)
	}
	own := api.SecretKeyReference{Name: "mine", Key: "pass"}
	spec := s3
	spec.Encryption = &api.EncryptionSpec{PasswordSecretRef: &own}
	if got := Password(location(spec)); got != own {
		t.Errorf("a given password is in %+v", got)
	}
}

func TestWhere(t *testing.T) {
	for want, spec := range map[string]api.BackupLocationSpec{
		`bucket backups at https://s3.test, prefix "a/"`: s3,
		"volume claim place-backups":                     {Volume: &api.VolumeLocation{}},
		"ftp://ftp.test":                                 {FTP: &api.FTPSource{Host: "ftp.test"}},
		"sftp://ssh.test":                                {SFTP: &api.SSHSource{Host: "ssh.test"}},
		"https://dav.test/x":                             {WebDAV: &api.WebDAVLocation{URL: "https://dav.test/x"}},
		"Dropbox":                                        {Dropbox: &api.DropboxLocation{}},
		"":                                               {},
	} {
		if got := Where(location(spec)); got != want {
			t.Errorf("it is at %q, not %q", got, want)
		}
	}
}
