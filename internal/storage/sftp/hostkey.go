package sftp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
)

// parseHostKey takes a line of known_hosts or of a host's public key file: the first field that is followed by a key.
func parseHostKey(line string) (ssh.PublicKey, error) {
	fields := strings.Fields(line)
	for i := 0; i+1 < len(fields); i++ {
		raw, err := base64.StdEncoding.DecodeString(fields[i+1])
		if err != nil {
			continue
		}
		if key, err := ssh.ParsePublicKey(raw); err == nil && key.Type() == fields[i] {
			return key, nil
		}
	}
	return nil, errors.New(`the host key must be given as in known_hosts: "ssh-ed25519 AAAA…"`)
}

func marshalHostKey(key ssh.PublicKey) string {
	if key == nil {
		return ""
	}
	return key.Type() + " " + base64.StdEncoding.EncodeToString(key.Marshal())
}

// hostKeyError is a server that showed another key than the pinned one, or has none of that type any more.
type hostKeyError struct {
	want, got ssh.PublicKey
	offered   []string // key types, where got is nil
}

func (e *hostKeyError) Error() string {
	came := strings.Join(e.offered, ", ")
	if e.got != nil {
		came = fingerprint(e.got)
	}
	return fmt.Sprintf("the server's host key is %s, expected was %s", came, fingerprint(e.want))
}

func fingerprint(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// trust takes the first key and compares all later ones.
func (s *server) trust(key ssh.PublicKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pinned == nil {
		s.pinned = key
		return nil
	}
	if !bytes.Equal(s.pinned.Marshal(), key.Marshal()) {
		return &hostKeyError{want: s.pinned, got: key}
	}
	return nil
}

// algorithms asks a server that has several keys for the one of the pinned key's type, so that it does not look changed.
// Where none is pinned it asks for any key, but not for a certificate, which would be another one when it is renewed, nor
// for signatures with SHA-1.
func (s *server) algorithms() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	rsa := []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	switch {
	case s.pinned == nil:
		return append([]string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521}, rsa...)
	case s.pinned.Type() == ssh.KeyAlgoRSA: // The name of the key's type is also that of its signatures with SHA-1.
		return rsa
	}
	return []string{s.pinned.Type()}
}

// changed makes a hostKeyError of a handshake that failed because the server has no key of the pinned one's type.
func (s *server) changed(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed, ok := errors.AsType[*ssh.AlgorithmNegotiationError](err)
	if !ok || failed.What != "host key" || s.pinned == nil {
		return err
	}
	return &hostKeyError{want: s.pinned, offered: failed.RequestedAlgorithms}
}
