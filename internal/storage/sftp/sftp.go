// Package sftp keeps objects in a directory of a server that is reached over SSH, by its SFTP subsystem. Locations that
// are called ssh are the same: a server that lets people in over SSH serves files over SFTP.
//
// The server proves who it is by its host key, which is given beforehand or taken from the first connection and enforced
// from then on (trust on first use, as in OpenSSH's known_hosts).
package sftp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/sitewright/sitewright/internal/storage"
	"github.com/sitewright/sitewright/internal/storage/filetree"
)

// DefaultPort is SSH's.
const DefaultPort = 22

const (
	// requests are on their way at the same time for one file, of 32 KiB each: 2 MiB fill a line of 100 Mbit/s and 160 ms.
	requests = 64
	// silence is how long a server may say nothing, though it is asked four times as often, before a connection is given up.
	// A server that writes to a slow disk may take that long to say that it did.
	silence = time.Minute
)

// Config says which server and directory, and who logs in.
type Config struct {
	// Host is a name or address; Port a TCP port, 0 means DefaultPort.
	Host string
	Port int
	// Path of the directory; relative to the login's home directory unless it begins with '/'. Empty means that.
	Path string
	// User logs in with Password, PrivateKey, or whichever of them the server takes.
	User, Password string
	// PrivateKey is in the format of OpenSSH or PEM; Passphrase opens it where it is encrypted.
	PrivateKey []byte
	Passphrase string
	// HostKey is the server's public key as in known_hosts, with or without the host's name in front: "ssh-ed25519 AAAA…".
	// Empty means that the key of the first connection is taken.
	HostKey string
}

// Store is a storage.Store in a directory of an SSH server.
type Store struct {
	*filetree.Store
	server *server
}

var _ storage.FileTree = (*Store)(nil)

// New checks the configuration. It does not talk to the server: the first operation does.
func New(c Config) (*Store, error) {
	if c.Port == 0 {
		c.Port = DefaultPort
	}
	s := &server{
		silence: silence, address: net.JoinHostPort(c.Host, strconv.Itoa(c.Port)), user: c.User, dir: path.Clean(c.Path),
	}
	s.name = fmt.Sprintf("sftp %s@%s, directory %s", c.User, s.address, s.dir)
	if c.Host == "" || c.User == "" {
		return nil, errors.New("sftp: a host and a user name are needed")
	}
	if c.HostKey != "" {
		key, err := parseHostKey(c.HostKey)
		if err != nil {
			return nil, fmt.Errorf("sftp %s: %w", s.address, err)
		}
		s.pinned = key
	}
	if err := s.authenticate(c); err != nil {
		return nil, fmt.Errorf("sftp %s: %w", s.address, err)
	}
	return &Store{Store: filetree.New(s, 0), server: s}, nil
}

// HostKey is the key that is enforced, as known_hosts has it but without the host's name: the one of the configuration,
// else the one that the server showed first; empty as long as there was no connection.
func (s *Store) HostKey() string {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	return marshalHostKey(s.server.pinned)
}

// server implements filetree.Server.
type server struct {
	address, user, dir, name string
	methods                  []ssh.AuthMethod
	silence                  time.Duration

	mu     sync.Mutex
	pinned ssh.PublicKey // nil until the first connection, where none was given
}

func (s *server) authenticate(c Config) error {
	if len(c.PrivateKey) > 0 {
		signer, err := parsePrivateKey(c.PrivateKey, c.Passphrase)
		if err != nil {
			return err
		}
		s.methods = append(s.methods, ssh.PublicKeys(signer))
	}
	if c.Password != "" {
		answer := func(_, _ string, questions []string, echos []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range questions {
				if !echos[i] { // What is shown while it is typed is no password.
					answers[i] = c.Password
				}
			}
			return answers, nil
		}
		s.methods = append(s.methods, ssh.Password(c.Password), ssh.KeyboardInteractive(answer))
	}
	if len(s.methods) == 0 {
		return errors.New("a password or a private key is needed")
	}
	return nil
}

func parsePrivateKey(key []byte, passphrase string) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(key)
	if _, encrypted := errors.AsType[*ssh.PassphraseMissingError](err); encrypted {
		if passphrase == "" {
			return nil, errors.New("the private key is encrypted: give its passphrase too")
		}
		if signer, err = ssh.ParsePrivateKeyWithPassphrase(key, []byte(passphrase)); err != nil {
			return nil, errors.New("the private key cannot be opened with this passphrase")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the private key cannot be read: %w", err)
	}
	return signer, nil
}

// String implements filetree.Server.
func (s *server) String() string { return s.name }

// Dial implements filetree.Server.
func (s *server) Dial(ctx context.Context) (filetree.Session, error) {
	dialer := net.Dialer{Timeout: storage.DialTimeout, KeepAlive: 15 * time.Second}
	tcp, err := dialer.DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	conn := newHeardConn(tcp)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c, err := s.handshake(conn)
	if err != nil {
		conn.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, err
	}
	return c, nil
}

func (s *server) handshake(conn *heardConn) (*session, error) {
	if err := conn.SetDeadline(time.Now().Add(storage.DialTimeout)); err != nil {
		return nil, err
	}
	proven := false
	config := &ssh.ClientConfig{
		User: s.user, Auth: s.methods, HostKeyAlgorithms: s.algorithms(),
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			err := s.trust(key)
			proven = err == nil
			return err
		},
	}
	transport, channels, global, err := ssh.NewClientConn(conn, s.address, config)
	if err != nil {
		if proven && !storage.IsNetwork(err) {
			return nil, &loginError{err}
		}
		return nil, s.changed(err)
	}
	client := ssh.NewClient(transport, channels, global)
	files, err := sftp.NewClient(client, sftp.UseConcurrentReads(true), sftp.UseConcurrentWrites(true),
		sftp.MaxConcurrentRequestsPerFile(requests))
	if err != nil {
		_ = client.Close() // The first error tells more.
		return nil, &subsystemError{err}
	}
	if err := conn.SetDeadline(time.Time{}); err != nil {
		_ = client.Close() // The first error tells more.
		return nil, err
	}
	c := &session{conn: conn, ssh: client, files: files, dir: s.dir, ended: make(chan struct{})}
	go c.ask(s.silence / 4)
	go c.watch(s.silence)
	return c, nil
}
