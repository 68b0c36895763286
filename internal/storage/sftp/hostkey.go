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

// hostKeyError is a server that showed another key than the pinned one.
type hostKeyError struct {
	want, got ssh.PublicKey
}

func (e *hostKeyError) Error() string {
	return fmt.Sprintf("the server's host key is %s, expected was %s", fingerprint(e.got), fingerprint(e.want))
}

func fingerprint(key ssh.PublicKey) string { return key.Type() + " " + ssh.FingerprintSHA256(key) }

// loginError is a login that the server refused after it had proved who it is.
type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

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

// algorithms asks a server that has several keys for the one of the pinned key's type; nil means any.
func (s *server) algorithms() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.pinned == nil:
		return nil
	case s.pinned.Type() == ssh.KeyAlgoRSA: // The type of the key; its old signatures with SHA-1 are not taken.
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{s.pinned.Type()}
}
