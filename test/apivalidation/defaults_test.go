package apivalidation

import (
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Nobody has looked at a new object yet, which kstatus must be able to tell.
func TestObservedGenerationBegins(t *testing.T) {
	for kind, manifest := range all {
		t.Run(kind, func(t *testing.T) {
			expect(t, created(t, manifest, "{}"), int64(-1), "status", "observedGeneration")
		})
	}
}

func TestDefaults(t *testing.T) {
	for name, test := range map[string]struct {
		manifest, patch string
		path            string
		want            any
	}{
		"content":               {install, "{}", "spec.content", "yes"},
		"deletion policy":       {install, "{}", "spec.deletionPolicy", "Delete"},
		"previous generation":   {install, "{}", "spec.keepPrevious", "24h"},
		"volume":                {install, "{}", "spec.storage.size", "2Gi"},
		"pods":                  {install, "{}", "spec.runtime.replicas", int64(1)},
		"no database":           {install, "{}", "spec.database", nil},
		"database port":         {install, "spec: {database: {existing: {host: a, name: b, user: c, passwordSecretRef: {name: d, key: e}}}}", "spec.database.existing.port", int64(3306)},
		"no updates":            {install, "{}", "spec.updates", nil},
		"updates":               {install, "spec: {updates: {}}", "spec.updates.policy", "Off"},
		"backup before updates": {install, "spec: {updates: {}}", "spec.updates.backup", true},
		"backup consistency":    {backup, "{}", "spec.consistency", "Online"},
		"backup deletion":       {backup, "{}", "spec.deletionPolicy", "Delete"},
		"backup ttl":            {backup, "{}", "spec.ttl", nil},
		"restored database":     {restore, `spec: {to: {name: x, url: "http://x/"}}`, "spec.to.createDatabase", true},
		"ftp port":              {location, "spec: {volume: null, ftp: {host: a, credentialsSecretRef: {name: x}}}", "spec.ftp.port", nil}, // It depends on tls.
		"ftp encryption":        {location, "spec: {volume: null, ftp: {host: a, credentialsSecretRef: {name: x}}}", "spec.ftp.tls", "Explicit"},
		"sftp port":             {location, "spec: {volume: null, sftp: {host: a, credentialsSecretRef: {name: x}}}", "spec.sftp.port", int64(22)},
		"time zone":             {schedule, "{}", "spec.timeZone", "UTC"},
		"window":                {schedule, "{}", "spec.window", "1h"},
		"server port":           {databaseServer, "{}", "spec.port", int64(3306)},
		"database kind":         {application, "{}", "spec.recipe.database", "MySQL"},
		"field type":            {application, "spec: {fields: [{name: a}]}", "spec.fields", []any{map[string]any{"name": "a", "type": "text"}}},
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, created(t, test.manifest, test.patch), test.want, strings.Split(test.path, ".")...)
		})
	}
}

// A manifest that says something the API does not know is wrong, and said to be.
func TestUnknownField(t *testing.T) {
	o := patched(t, object(t, install), "spec: {colour: blue}")
	err := server.Create(t.Context(), o, client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), `unknown field "spec.colour"`) {
		t.Errorf("got %v", err)
	}
}

// created returns what the API server makes of a manifest, without keeping it.
func created(t *testing.T, manifest, patch string) *unstructured.Unstructured {
	t.Helper()
	o := patched(t, object(t, manifest), patch)
	if err := server.Create(t.Context(), o, client.DryRunAll); err != nil {
		t.Fatal(err)
	}
	return o
}

func expect(t *testing.T, o *unstructured.Unstructured, want any, path ...string) {
	t.Helper()
	got, _, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, not %#v", strings.Join(path, "."), got, want)
	}
}
