package main

import (
	"fmt"
	"slices"

	"github.com/spf13/pflag"

	api "github.com/sitewright/sitewright/api/v1alpha1"
	"github.com/sitewright/sitewright/controllers/notification"
	"github.com/sitewright/sitewright/internal/notify"
)

// mailOptions are the manager's flags about mails.
type mailOptions struct {
	server   notify.Server
	security string
	texts    string
	events   []string
}

func (o *mailOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.server.Host, "mail-host", "", "SMTP server by which people are told of their sites; empty: nobody is told")
	f.IntVar(&o.server.Port, "mail-port", 587, "its port")
	f.StringVar(&o.security, "mail-security", string(notify.STARTTLS), "starttls, tls (from the beginning, usually on port 465) or none")
	f.StringVar(&o.server.From, "mail-from", "", "sender's address, such as 'Sites <sites@example.com>'")
	f.StringVar(&o.server.User, "mail-user", "", "user to log in as; empty: no login")
	f.StringVar(&o.server.PasswordFile, "mail-password-file", "", "file with that user's password, read for each mail")
	f.StringVar(&o.server.CAFile, "mail-ca-file", "", "file with the certificates, as PEM, by which the server's is judged; empty: the system's")
	f.StringSliceVar(&o.events, "mail-events", nil, "events that people are told of where an Install has no spec.notifications")
	f.StringVar(&o.texts, "mail-texts", "", "directory of texts that take the place of the built-in ones, EVENT.txt each")
}

// mail is nil when there is no server.
func (o *mailOptions) mail() (*notification.Mail, error) {
	if o.server.Host == "" {
		return nil, nil
	}
	o.server.Security = notify.Security(o.security)
	if err := o.server.Check(); err != nil {
		return nil, err
	}
	texts, err := notify.LoadTexts(o.texts)
	if err != nil {
		return nil, err
	}
	m := &notification.Mail{Server: o.server, Texts: texts}
	for _, e := range o.events {
		if !slices.Contains(texts.Events(), e) {
			return nil, fmt.Errorf("--mail-events: there is no event %q: there are %q", e, texts.Events())
		}
		m.Events = append(m.Events, api.NotificationEvent(e))
	}
	return m, nil
}
