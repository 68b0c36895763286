package notify_test

import (
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sitewright/sitewright/internal/notify"
	"github.com/sitewright/sitewright/internal/notify/notifytest"
)

// delivered waits for so many mails.
func delivered(t *testing.T, s *notifytest.Server, n int) []*mail.Message {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		list := s.Mails(t)
		if len(list) >= n {
			return list
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d mails were delivered, and %d were sent:\n%s", len(list), n, s.Log())
		}
	}
}

func TestSend(t *testing.T) {
	for _, security := range []notify.Security{notify.STARTTLS, notify.TLS} {
		t.Run(string(security), func(t *testing.T) {
			s := notifytest.Start(t, security)
			m := notify.Mail{
				ID: "uid.backup@sitewright", To: "owner@site.example", Date: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC),
				Subject: "Grüße\r\nBcc: everybody@site.example", Text: "It's done — ön time.\n.\nThe end.\n",
			}
			if err := s.Send(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			got := delivered(t, s, 1)[0]
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != "Grüße Bcc: everybody@site.example" {
				t.Errorf("the subject is %q: %v", subject, err)
			}
			for header, want := range map[string]string{
				"From": `"Sites" <sites@panel.example>`, "To": "<owner@site.example>", "Message-Id": "<uid.backup@sitewright>", "Bcc": "", "Auto-Submitted": "auto-generated",
			} {
				if got := got.Header.Get(header); got != want {
					t.Errorf("%s is %q, not %q", header, got, want)
				}
			}
			body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
			if err != nil || strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n")) != strings.TrimSpace(m.Text) {
				t.Errorf("the text is %q: %v", body, err)
			}
		})
	}
}

func TestSendFails(t *testing.T) {
	s := notifytest.Start(t, notify.STARTTLS)
	m := notify.Mail{ID: "1@sitewright", To: "owner@site.example", Subject: "s", Text: "t", Date: time.Now()}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("wrong secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*notify.Server, *notify.Mail)
		final  bool
		word   string
	}{
		"an address that there is not":        {func(_ *notify.Server, m *notify.Mail) { m.To = "nobody@site.example" }, true, "there is nobody"},
		"an address that is none":             {func(_ *notify.Server, m *notify.Mail) { m.To = "two words" }, true, "two words"},
		"an address that has to wait":         {func(_ *notify.Server, m *notify.Mail) { m.To = "later@site.example" }, false, "not now"},
		"a server that is not there":          {func(s *notify.Server, _ *notify.Mail) { s.Port = 1 }, false, "127.0.0.1:1"},
		"a password that is wrong":            {func(s *notify.Server, _ *notify.Mail) { s.PasswordFile = wrong }, false, "535"},
		"a certificate of an unknown issuer":  {func(s *notify.Server, _ *notify.Mail) { s.CAFile = "" }, false, "certificate"},
		"a password's file that is not there": {func(s *notify.Server, _ *notify.Mail) { s.PasswordFile = "/nowhere" }, false, "password"},
	} {
		t.Run(name, func(t *testing.T) {
			server, m := s.Server, m
			c.change(&server, &m)
			err := server.Send(t.Context(), m)
			if err == nil || errors.Is(err, notify.ErrRefused) != c.final || !strings.Contains(err.Error(), c.word) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
		})
	}
	if list := s.Mails(t); len(list) > 0 {
		t.Errorf("%d mails were delivered", len(list))
	}
	s.Kill()
	if err := s.Send(t.Context(), m); err == nil || errors.Is(err, notify.ErrRefused) {
		t.Errorf("of a server that is gone: %v", err)
	}
	s.Daemon.Start(t)
	if err := s.Send(t.Context(), m); err != nil {
		t.Errorf("of a server that is back: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, s := range []notify.Server{
		{From: "a@b.example", Security: "ssl"}, {From: ""}, {From: "nobody at all"}, {From: "a@b.example", User: "u"}, {From: "a@b.example", PasswordFile: "p"},
	} {
		if s.Check() == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	if err := (notify.Server{From: "Sites <a@b.example>"}).Check(); err != nil {
		t.Error(err)
	}
}

func TestTexts(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file("backup.txt", "Ours: {{ .Title }}\r\n\r\n{{ .Message }}\r\n")
	texts, err := notify.LoadTexts(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := notify.Data{
		Namespace: "acme", Install: "blog", Title: "A\n\nTo: x <b>", URL: "http://blog.example/", Application: "WordPress", Version: "6.8.7", Latest: "6.8.12",
		Message: "done", Components: []string{"one", "two"}, Kind: "Backup", Name: "b", AdminURL: "http://blog.example/wp-admin/", Login: "boss",
	}
	for event, want := range map[string][2]string{
		"backup":                  {"Ours: A To: x <b>", "done\n"},
		"backup_error":            {"The backup of A To: x <b> failed", "kubectl -n acme describe Backup b"},
		"install":                 {"WordPress is installed: http://blog.example/", "Log in at http://blog.example/wp-admin/ as boss."},
		"update_available":        {"WordPress 6.8.12 is to be had for A To: x <b>", "runs WordPress 6.8.7"},
		"plugin_update_available": {"Plugins and themes of A To: x <b> can be updated", "\n  one\n  two\n"},
	} {
		subject, text, err := texts.Write(event, d)
		if err != nil || subject != want[0] || !strings.Contains(text, want[1]) {
			t.Errorf("%s: %q, %q: %v", event, subject, text, err)
		}
	}
	for name, content := range map[string]string{
		"backup.txt": "no text", "party.txt": "Of no event\n\nat all", "install.txt": "{{ .Nothing }}\n\ntext", "clone.txt": "{{ if }}\n\n",
	} {
		bad := t.TempDir()
		if err := os.WriteFile(filepath.Join(bad, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := notify.LoadTexts(bad); err == nil {
			t.Errorf("%s with %q is taken", name, content)
		}
	}
}
