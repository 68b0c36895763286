package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// identity is one certificate that the cluster's own authority signs. Every
// one may serve as client and as server: this authority is known nowhere else.
type identity struct {
	name   string // of its files
	user   string
	groups []string
	hosts  []string // names and addresses it answers at
}

var identities = []identity{
	{name: "admin", user: "admin", groups: []string{"system:masters"}},
	{name: "apiserver", user: "kube-apiserver", groups: []string{"system:masters"}, hosts: []string{
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
		"localhost", "127.0.0.1", apiServiceAddress, nodeAddress,
	}},
	{name: "etcd", user: "etcd", hosts: []string{"localhost", "127.0.0.1"}},
	{name: "controller-manager", user: "system:kube-controller-manager"},
	{name: "scheduler", user: "system:kube-scheduler"},
	{name: "proxy", user: "system:kube-proxy"},
	{name: "kubelet", user: "system:node:" + nodeName, groups: []string{"system:nodes"}, hosts: []string{nodeName, nodeAddress}},
}

// authority signs identities.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// ensureCertificates makes what is missing: the authority, a certificate and a
// kubeconfig for each identity, and the key that signs service account tokens.
func (c *cluster) ensureCertificates() error {
	// The authority's certificate is the last file written in a full run. A run
	// that was killed before starts over.
	if isFile(c.cert("ca")) {
		return nil
	}
	if err := os.MkdirAll(c.path("certificates"), 0o700); err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := certificateTemplate(pkix.Name{CommonName: "sitewright local cluster"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage |= x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("make the cluster's certificate authority: %w", err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	ca := authority{certificate: parsed, key: key}
	root := encodePEM("CERTIFICATE", der)
	for _, id := range identities {
		if err := c.issue(ca, root, id); err != nil {
			return fmt.Errorf("make the certificate of %s: %w", id.name, err)
		}
	}
	if err := c.serviceAccountKey(); err != nil {
		return fmt.Errorf("make the key of service accounts: %w", err)
	}
	return writeFile(c.cert("ca"), root, 0o644)
}

func (c *cluster) issue(ca authority, root []byte, id identity) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := certificateTemplate(pkix.Name{CommonName: id.user, Organization: id.groups})
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	for _, host := range id.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certPEM, keyPEM := encodePEM("CERTIFICATE", der), encodePEM("PRIVATE KEY", keyDER)
	path := c.login(id.name)
	if id.name == "admin" {
		path = c.kubeconfig()
	}
	return errors.Join(
		writeFile(c.cert(id.name), certPEM, 0o644),
		writeFile(c.key(id.name), keyPEM, 0o600),
		writeFile(path, kubeconfig(id.user, root, certPEM, keyPEM), 0o600),
	)
}

func (c *cluster) serviceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writeFile(c.key("service-accounts"), encodePEM("EC PRIVATE KEY", private), 0o600)
}

func certificateTemplate(subject pkix.Name) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      subject,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().AddDate(10, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func encodePEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// kubeconfig holds its certificates inside, so that one file can be handed on.
func kubeconfig(user string, ca, cert, key []byte) []byte {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, `apiVersion: v1
kind: Config
clusters:
- name: sitewright
  cluster: {server: "%s", certificate-authority-data: %s}
users:
- name: "%s"
  user: {client-certificate-data: %s, client-key-data: %s}
contexts:
- name: sitewright
  context: {cluster: sitewright, user: "%s"}
current-context: sitewright
`, apiURL, encode(ca), user, encode(cert), encode(key), user)
}

// tlsConfig is for this program's own calls to the cluster's servers.
func (c *cluster) tlsConfig() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.cert("admin"), c.key("admin"))
	if err != nil {
		return nil, err
	}
	root, err := os.ReadFile(c.cert("ca"))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool}, nil
}
