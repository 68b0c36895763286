// Package notify writes mails about sites, and hands them to an SMTP server.
package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Security is how the connection to a mail server is kept from others.
type Security string

// The ways.
const (
	// STARTTLS begins in the clear and goes on only when the server has switched to TLS (RFC 3207).
	STARTTLS Security = "starttls"
	// TLS speaks it from the beginning (RFC 8314).
	TLS Security = "tls"
	// None sends everything in the clear; no password is ever sent that way to another machine.
	None Security = "none"
)

// sendTimeout bounds one mail, from the connection to the server's word that it has it.
const sendTimeout = 30 * time.Second

// maxFile bounds a password's or certificate's file.
const maxFile = 1 << 20

// Server is an SMTP server that takes mails.
type Server struct {
	// Host is its name or address, Port a TCP port: usually 587 for STARTTLS and 465 for TLS.
	Host string
	Port int
	// Security of the connection; empty means STARTTLS.
	Security Security
	// User logs in with the password in PasswordFile, read for each mail; empty: there is no login.
	User         string
	PasswordFile string
	// CAFile holds the certificates, as PEM, by which the server's is judged; empty: the system's.
	CAFile string
	// From is the sender's address, with a name or without.
	From string
}

// Mail is one mail.
type Mail struct {
	// ID becomes the Message-ID: a mail that is sent again, because nobody could write down that it was, is seen to be the same.
	ID string
	// To is the receiver's address.
	To            string
	Subject, Text string
	Date          time.Time
}

// ErrRefused is a mail that the server will never take: the address is wrong, or the sender's may not write.
var ErrRefused = errors.New("refused for good")

// Check says what is wrong with the configuration, without a connection.
func (s Server) Check() error {
	switch s.Security {
	case STARTTLS, TLS, None, "":
	default:
		return fmt.Errorf("mail: security %q is none of starttls, tls and none", s.Security)
	}
	if s.From == "" {
		return errors.New("mail: there is no sender's address")
	}
	if err := mail.NewMsg().From(s.From); err != nil {
		return fmt.Errorf("mail: the sender's address: %w", err)
	}
	if (s.User == "") != (s.PasswordFile == "") {
		return errors.New("mail: a user needs a password, and a password a user")
	}
	return nil
}

// Send hands a mail to the server, and returns when that has it. What trying again cannot mend is ErrRefused. Errors hold no password.
func (s Server) Send(ctx context.Context, m Mail) error {
	message, err := s.message(m)
	if err != nil {
		return fmt.Errorf("mail to %s: %w: %w", m.To, ErrRefused, err)
	}
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := client.DialAndSendWithContext(ctx, message); err != nil {
		if refused, ok := errors.AsType[*mail.SendError](err); ok && !refused.IsTemp() && refused.ErrorCode() >= 500 {
			return fmt.Errorf("mail to %s: %w: %w", m.To, ErrRefused, err)
		}
		return fmt.Errorf("mail to %s by %s:%d: %w", m.To, s.Host, s.Port, err)
	}
	return nil
}

func (s Server) message(m Mail) (*mail.Msg, error) {
	message := mail.NewMsg()
	if err := errors.Join(message.From(s.From), message.To(m.To)); err != nil {
		return nil, err
	}
	message.Subject(oneLine(m.Subject))
	message.SetMessageIDWithValue(m.ID)
	message.SetDateWithValue(m.Date)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's holiday answers.
	message.SetBodyString(mail.TypeTextPlain, m.Text)
	return message, nil
}

// oneLine keeps what a site's owner wrote from making headers of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func (s Server) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(sendTimeout), mail.WithHELO("sitewright")}
	config := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := readFile("certificates", s.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("mail: %s holds no certificate", s.CAFile)
		}
	}
	options = append(options, mail.WithTLSConfig(config))
	switch s.Security {
	case TLS:
		options = append(options, mail.WithSSL())
	case None:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	case STARTTLS, "":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if s.User != "" {
		password, err := readFile("password", s.PasswordFile)
		if err != nil {
			return nil, err
		}
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(s.User),
			mail.WithPassword(strings.TrimSuffix(string(password), "\n")))
	}
	client, err := mail.NewClient(s.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return client, nil
}

func readFile(what, name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("mail: reading the %s: %w", what, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("mail: reading the %s: %w", what, err)
	}
	return b, nil
}
