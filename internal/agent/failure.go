package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/sitewright/sitewright/internal/archive"
	"github.com/sitewright/sitewright/internal/generation"
	"github.com/sitewright/sitewright/internal/mysql"
	"github.com/sitewright/sitewright/internal/plan"
	"github.com/sitewright/sitewright/internal/recipe"
	"github.com/sitewright/sitewright/internal/release"
	"github.com/sitewright/sitewright/internal/repository"
	"github.com/sitewright/sitewright/internal/rewrite"
	"github.com/sitewright/sitewright/internal/snapshots"
	"github.com/sitewright/sitewright/internal/storage"
)

// invalid is a failure that only other input can mend.
func invalid(format string, args ...any) error {
	return &plan.Failure{Reason: plan.ReasonInvalid, Message: fmt.Sprintf(format, args...), Terminal: true}
}

// about names the object that an error is about, and what to look at.
type about struct {
	object, remedy string
	err            error
}

func (e *about) Error() string { return e.object + ": " + e.err.Error() }
func (e *about) Unwrap() error { return e.err }

func (m *making) aboutDatabase(err error) error { return m.database.about(err) }

func (d *database) about(err error) error {
	if err == nil {
		return nil
	}
	return &about{fmt.Sprintf("database %s", d.Name), fmt.Sprintf("check spec.database, that server %s:%d is up and that user %s may use the database", d.Host, d.Port, d.User), err}
}

func aboutLocation(l *plan.Location, err error) error {
	if err == nil {
		return nil
	}
	return &about{fmt.Sprintf("BackupLocation %s", l.Name), "check its address and its Secret", err}
}

// class says what kind of failure an error means, whether trying again cannot help, and what to do about it.
type class struct {
	is       error
	reason   plan.Reason
	terminal bool
	remedy   string
}

// classes are tried in order: what is more telling comes first.
func classes() []class {
	return []class{
		{context.Canceled, plan.ReasonInternal, false, "the task was stopped and can be run again"},
		{context.DeadlineExceeded, plan.ReasonUnreachable, false, "the task ran out of time and can be run again"},

		{release.ErrChecksum, plan.ReasonChecksum, true, "correct the release's checksum in the Application, or have the file at its URL put right"},
		{release.ErrNotFound, plan.ReasonMissing, true, "correct the release's URL in the Application"},
		{release.ErrInvalid, plan.ReasonInvalid, true, "correct the release's source in the Application"},
		{release.ErrFull, plan.ReasonDiskFull, true, "raise spec.storage.size of the Install"},
		{release.ErrUnreachable, plan.ReasonUnreachable, false, "check the release's URL and that the cluster can reach it"},

		{archive.ErrInvalid, plan.ReasonInvalid, true, "mend the archive, or choose another one"},

		{repository.ErrWrongPassword, plan.ReasonWrongPassword, true, "give the BackupLocation the Secret with the password that the repository was made with"},
		{repository.ErrCorrupt, plan.ReasonCorrupt, true, "check the location's storage; other snapshots may be intact"},
		{snapshots.ErrManifest, plan.ReasonInvalid, true, "choose another Backup"},
		{snapshots.ErrNoDump, plan.ReasonCorrupt, true, "choose another Backup"},
		{repository.ErrNotFound, plan.ReasonNoSnapshot, true, "choose a Backup whose snapshot is still there"},
		{repository.ErrNotInitialized, plan.ReasonMissing, false, "make the BackupLocation Ready first"},
		{storage.ErrDenied, plan.ReasonDenied, true, ""},
		{storage.ErrNoContainer, plan.ReasonMissing, true, ""},
		{storage.ErrFull, plan.ReasonDiskFull, true, ""},
		{storage.ErrUntrusted, plan.ReasonDenied, true, ""},
		{storage.ErrInvalidName, plan.ReasonInvalid, true, ""},
		{storage.ErrUnreachable, plan.ReasonUnreachable, false, ""},

		{mysql.ErrDenied, plan.ReasonDenied, true, ""},
		{mysql.ErrUnknownDatabase, plan.ReasonMissing, true, ""},
		{mysql.ErrFull, plan.ReasonDiskFull, true, "make room on the database server"},
		{mysql.ErrRefused, plan.ReasonInvalid, true, "the dump holds what no site needs; take it out, or restore another snapshot"},
		{rewrite.ErrTruncated, plan.ReasonCorrupt, true, "restore another snapshot"},
		{mysql.ErrTruncated, plan.ReasonCorrupt, true, "restore another snapshot"},
		{mysql.ErrTooLarge, plan.ReasonInvalid, true, "raise the database server's max_allowed_packet"},
		{mysql.ErrUnsupported, plan.ReasonInvalid, true, ""},
		{mysql.ErrBusy, plan.ReasonUnreachable, false, "the database is busy; the task is tried again"},
		{mysql.ErrChanged, plan.ReasonUnreachable, false, "tables were altered meanwhile; the task is tried again"},
		{mysql.ErrUnreachable, plan.ReasonUnreachable, false, ""},

		{generation.ErrBusy, plan.ReasonUnreachable, false, "the task is tried again"},
		{generation.ErrSeal, plan.ReasonCorrupt, true, "restore the site from a Backup"},
		{generation.ErrSealed, plan.ReasonInvalid, true, ""},
		{generation.ErrMissing, plan.ReasonMissing, true, ""},

		{recipe.ErrNoFile, plan.ReasonInvalid, true, "check that the files are those of the application"},
		{recipe.ErrNoVersion, plan.ReasonInvalid, true, "check the recipe's version patterns"},

		{syscall.ENOSPC, plan.ReasonDiskFull, true, "raise spec.storage.size of the Install"},
		{syscall.EDQUOT, plan.ReasonDiskFull, true, "raise spec.storage.size of the Install"},
	}
}

// failure words an error for the user. It holds no secret.
func (a *agent) failure(task string, err error) *plan.Failure {
	f, done := errors.AsType[*plan.Failure](err)
	if !done {
		f = classify(err)
	}
	return &plan.Failure{Reason: f.Reason, Terminal: f.Terminal, Message: recipe.Scrub(task+": "+oneLine(f.Message), a.secrets)}
}

func classify(err error) *plan.Failure {
	if _, ok := errors.AsType[*recipe.CommandError](err); ok {
		return &plan.Failure{Reason: plan.ReasonCommand, Message: err.Error(), Terminal: true}
	}
	for _, c := range classes() {
		if !errors.Is(err, c.is) {
			continue
		}
		remedy := c.remedy
		if object, ok := errors.AsType[*about](err); ok && remedy == "" && !hinted(err) {
			remedy = object.remedy
		}
		message := err.Error()
		if remedy != "" {
			message += "; " + remedy
		}
		return &plan.Failure{Reason: c.reason, Message: message, Terminal: c.terminal}
	}
	return &plan.Failure{Reason: plan.ReasonInternal, Message: err.Error()}
}

// hinted tells whether an error of a store says by itself what to do.
func hinted(err error) bool {
	e, ok := errors.AsType[*storage.Error](err)
	return ok && e.Hint != ""
}

// oneLine joins the lines of errors that were joined.
func oneLine(s string) string { return strings.Join(strings.Split(strings.TrimSpace(s), "\n"), "; ") }

// Terminal tells whether trying again cannot mend what an error of the data path says.
func Terminal(err error) bool {
	if f, ok := errors.AsType[*plan.Failure](err); ok {
		return f.Terminal
	}
	return classify(err).Terminal
}
