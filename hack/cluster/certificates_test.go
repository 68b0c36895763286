package main

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
)

func TestCertificatesVerifyForEveryHost(t *testing.T) {
	c := &cluster{state: t.TempDir()}
	if err := c.ensureCertificates(); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(c.cert("ca"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(root) {
		t.Fatal("the authority's file holds no certificate")
	}
	for _, id := range identities {
		pair, err := tls.LoadX509KeyPair(c.cert(id.name), c.key(id.name))
		if err != nil {
			t.Fatalf("%s: %v", id.name, err)
		}
		for _, host := range append([]string{""}, id.hosts...) {
			_, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: pool, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
			if err != nil {
				t.Errorf("%s at %q: %v", id.name, host, err)
			}
		}
	}
	info, err := os.Stat(c.kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the kubeconfig has mode %o, want 600: it holds the administrator's key", mode)
	}
}

func TestCertificatesAreKept(t *testing.T) {
	c := &cluster{state: t.TempDir()}
	if err := c.ensureCertificates(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(c.cert("apiserver"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.ensureCertificates(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(c.cert("apiserver")); err != nil || string(after) != string(before) {
		t.Errorf("a second run made another certificate (%v)", err)
	}
}
