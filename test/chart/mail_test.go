package chart

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestMail(t *testing.T) {
	for _, arg := range pods(objects(t))["sitewright"].Containers[0].Args {
		if strings.HasPrefix(arg, "--mail") {
			t.Errorf("without a mail server the manager is given %s", arg)
		}
	}
	made := objects(t, "mail.host=smtp.example.com", "mail.port=465", "mail.security=tls", "mail.from=Sites <sites@example.com>", "mail.user=operator",
		"mail.passwordSecret.name=smtp", "mail.passwordSecret.key=pass", "mail.caConfigMap=authority", "mail.events={backup_error,update_error}",
		"mail.texts.backup_error=Look!\n\nIt failed: {{ .Message }}\n")
	pod := pods(made)["sitewright"]
	for _, want := range []string{"--mail-host=smtp.example.com", "--mail-port=465", "--mail-security=tls", "--mail-from=Sites <sites@example.com>", "--mail-user=operator",
		"--mail-password-file=/mail/password/password", "--mail-ca-file=/mail/ca/ca.crt", "--mail-events=backup_error,update_error", "--mail-texts=/mail/texts"} {
		if !slices.Contains(pod.Containers[0].Args, want) {
			t.Errorf("the manager's arguments lack %s: %v", want, pod.Containers[0].Args)
		}
	}
	mounts := map[string]string{}
	for _, m := range pod.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Volumes {
		switch path := mounts[v.Name]; {
		case v.Secret != nil && path == "/mail/password":
			if v.Secret.SecretName != "smtp" || v.Secret.Items[0] != (corev1.KeyToPath{Key: "pass", Path: "password"}) {
				t.Errorf("the password is %+v", v.Secret)
			}
		case v.ConfigMap != nil && path == "/mail/ca" && v.ConfigMap.Name == "authority":
		case v.ConfigMap != nil && path == "/mail/texts" && v.ConfigMap.Name == "sitewright-mail":
		default:
			t.Errorf("volume %+v is at %q", v, path)
		}
		delete(mounts, v.Name)
	}
	if len(mounts) > 0 {
		t.Errorf("nothing is mounted at %v", mounts)
	}
	texts := ""
	for _, o := range made {
		if c, ok := o.(*corev1.ConfigMap); ok && c.Name == "sitewright-mail" {
			texts = c.Data["backup_error.txt"]
		}
	}
	if texts != "Look!\n\nIt failed: {{ .Message }}\n" {
		t.Errorf("the text is %q", texts)
	}
	for _, wrong := range [][]string{{"mail.host=a"}, {"mail.host=a", "mail.from=b@c.example", "mail.user=u"}, {"mail.security=ssl"}, {"mail.events={party}"}} {
		args := []string{"template", "sitewright", folder}
		for _, value := range wrong {
			args = append(args, "--set", value)
		}
		if said, err := tryHelm(t, args...); err == nil {
			t.Errorf("%v is taken:\n%s", wrong, said)
		}
	}
}
