package compat

import (
	"errors"
	"net/http"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sitewright/sitewright/compat/wire"
)

// arguments are what fields of custom resources are called on the wire, by the ends of their paths.
var arguments = []struct{ field, argument string }{
	{"spec.application", "application"}, {"spec.version", "version"}, {".url", "url"}, {".address", "url_ip"}, {"spec.title", "sitetitle"},
	{"spec.language", "language"}, {"spec.content", "content"}, {"admin.login", "login"}, {"admin.email", "email"},
	{"existing.host", "db_host"}, {"existing.port", "db_host"}, {"existing.connectHost", "db_host_ip"}, {"existing.name", "db_name"}, {"existing.user", "db_user"},
	{"database.prefix", "db_prefix"}, {"backups.daily", "autobk_daily"}, {"backups.weekly", "autobk_weekly"}, {"backups.monthly", "autobk_monthly"},
	{"spec.backups", "autobk"}, {"spec.ttl", "expiry"}, {"notifications.events", "notification"}, {"spec.plugins", "plugin"}, {"spec.themes", "theme"},
	{"archive.path", "path"}, {"createDatabase", "db"},
}

// argumentOf is the argument that a field came from; empty where that is not known.
func argumentOf(field string) string {
	field, _, _ = strings.Cut(field, "[")
	if name, ok := strings.CutPrefix(field, "spec.fields."); ok {
		return name
	}
	for _, a := range arguments {
		if strings.HasSuffix(field, a.field) {
			return a.argument
		}
	}
	return ""
}

// told is an error as a client is told of it: what the API server says of a request that the client caused is the client's to know.
func told(err error) error {
	if _, ok := errors.AsType[*wire.Error](err); ok {
		return err
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	s := status.Status()
	switch s.Reason {
	case metav1.StatusReasonInvalid, metav1.StatusReasonBadRequest:
		return invalid(s)
	case metav1.StatusReasonForbidden:
		return wire.Denied("permission_denied", s.Message)
	case metav1.StatusReasonConflict:
		return &wire.Error{Status: http.StatusConflict, Code: "failed_conflict", Message: "Somebody else changed it at the same time: try again"}
	}
	return err
}

func invalid(s metav1.Status) error {
	if s.Details == nil || len(s.Details.Causes) == 0 {
		return wire.Invalid("", s.Message)
	}
	cause := s.Details.Causes[0]
	return wire.Invalid(argumentOf(cause.Field), cause.Message)
}
