package location

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

func place(spec api.BackupLocationSpec) *api.BackupLocation {
	return &api.BackupLocation{ObjectMeta: metav1.ObjectMeta{Name: "place"}, Spec: spec}
}

var bucket = api.BackupLocationSpec{S3: &api.S3Location{
	Endpoint: "https://s3.test", Region: "eu", Bucket: "backups", Prefix: "a/", Addressing: api.S3Path, CABundle: "PEM",
	CredentialsSecretRef: api.LocalReference{Name: "keys"},
}}

func TestPassword(t *testing.T) {
	if got := Password(place(bucket)); got != (api.SecretKeyReference{Name: "place-repository", Key: "password"}) {
		t.Errorf("a generated password is in %+v", got)
	}
	own := api.SecretKeyReference{Name: "mine", Key: "pass"}
	spec := bucket
	spec.Encryption = &api.EncryptionSpec{PasswordSecretRef: &own}
	if got := Password(place(spec)); got != own {
		t.Errorf("a given password is in %+v", got)
	}
}
