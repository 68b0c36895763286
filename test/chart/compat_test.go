package chart

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
)

func TestNoCompat(t *testing.T) {
	for _, n := range of[*corev1.Namespace](objects(t)) {
		t.Errorf("there is a namespace %s though nobody asked for the HTTP API", n.Name)
	}
	for _, r := range of[*rbacv1.ClusterRole](objects(t)) {
		if strings.Contains(r.Name, "compat") {
			t.Errorf("there is a role %s though nobody asked for the HTTP API", r.Name)
		}
	}
}

func TestCompat(t *testing.T) {
	all := objects(t, "compat.enabled=true", "compat.keysNamespace=keys", "compat.tls.secretName=certificate", "compat.trustedProxies={10.0.0.0/8}")
	pod := pods(all)["sitewright-compat"]
	if len(pod.Containers) != 1 {
		t.Fatalf("the pod is %+v", pod)
	}
	for _, want := range []string{"compat", "--keys-namespace=keys", "--tls-cert-file=/tls/tls.crt", "--tls-key-file=/tls/tls.key", "--trusted-proxy=10.0.0.0/8"} {
		if !slices.Contains(pod.Containers[0].Args, want) {
			t.Errorf("the arguments lack %s: %v", want, pod.Containers[0].Args)
		}
	}
	if len(pod.Volumes) != 1 || pod.Volumes[0].Secret == nil || pod.Volumes[0].Secret.SecretName != "certificate" {
		t.Errorf("the volumes are %+v", pod.Volumes)
	}
	if pod.ServiceAccountName != "sitewright-compat" {
		t.Errorf("it runs as %s", pod.ServiceAccountName)
	}
	secrets := 0
	for _, r := range of[*rbacv1.Role](all) {
		if r.Name != "sitewright-compat" {
			continue
		}
		secrets++
		if r.Namespace != "keys" || len(r.Rules) != 1 || !slices.Equal(r.Rules[0].Verbs, []string{"get"}) {
			t.Errorf("it may read Secrets of %s: %+v", r.Namespace, r.Rules)
		}
	}
	if secrets != 1 {
		t.Errorf("there are %d roles for API keys", secrets)
	}
	for _, r := range of[*rbacv1.ClusterRole](all) {
		if r.Name != "sitewright-compat" {
			continue
		}
		for _, rule := range r.Rules {
			if slices.Contains(rule.Resources, "secrets") {
				t.Errorf("it may read Secrets of every namespace: %+v", rule)
			}
			if slices.Contains(rule.APIGroups, "sitewright.dev") && !slices.Equal(rule.Verbs, []string{"get", "list", "watch"}) {
				t.Errorf("it may change things by itself: %+v", rule)
			}
		}
	}
}
