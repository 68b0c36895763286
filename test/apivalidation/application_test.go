package apivalidation

import "testing"

func TestApplication(t *testing.T) {
	release := func(more string) string {
		return `spec: {releases: [{version: "1.0", source: {url: "https://a/b.zip", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709}` + more + "}]}"
	}
	source := func(source string) string { return `spec: {releases: [{version: "1.0", source: {` + source + "}}]}" }
	const sums = "exactly one of the fields in [sha256 sha1] must be set"
	creations(t, application,
		attempt{"a release", release(", date: '2026-05-12', tags: [security], requirements: {diskSpace: 80Mi, php: '7.2.24-8.4.999,8.6-', mysql: 5.5.5-}, upgradeFrom: 5.0-"), "", ""},
		attempt{"no release", "spec: {releases: []}", "spec.releases", "at least 1 items"},
		attempt{"a release twice", `spec: {releases: [{version: "1", source: {url: "http://a", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709}},
			{version: "1", source: {url: "http://a", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709}}]}`, "spec.releases[1]", "Duplicate value"},
		attempt{"an odd date", release(", date: 12.05.2026"), "spec.releases[0].date", "should match"},
		attempt{"an odd range", release(", upgradeFrom: '>= 5'"), "spec.releases[0].upgradeFrom", "should match"},
		attempt{"no checksum", source(`url: "https://a/b.zip"`), "spec.releases[0].source", sums},
		attempt{"two checksums", source(`url: "https://a/b.zip", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709,
			sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`), "spec.releases[0].source", sums},
		attempt{"a checksum cut short", source(`url: "https://a/b.zip", sha256: e3b0c442`), "spec.releases[0].source.sha256", "should match"},
		attempt{"an archive from a file", source(`url: "file:///etc/passwd", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709`), "spec.releases[0].source.url", "should match"},
		attempt{"9 directories taken off", source(`url: "https://a", sha1: da39a3ee5e6b4b0d3255bfef95601890afd80709, stripComponents: 9`),
			"spec.releases[0].source.stripComponents", "less than or equal to 8"},
		attempt{"no recipe", "spec: {recipe: null}", "spec.recipe", "Required value"},
		attempt{"no name", "spec: {displayName: ''}", "spec.displayName", "at least 1 chars"},
		attempt{"an image of an odd type", `spec: {images: [{type: film, url: "https://a"}]}`, "spec.images[0].type", "Unsupported value"},
		attempt{"a field in capitals", "spec: {fields: [{name: Title}]}", "spec.fields[0].name", "should match"},
		attempt{"a field of an odd type", "spec: {fields: [{name: a, type: date}]}", "spec.fields[0].type", "Unsupported value"},
		attempt{"table prefix with a quote", "spec: {tablePrefix: 'a`'}", "spec.tablePrefix", "should match"},
	)
}

func TestRecipe(t *testing.T) {
	const (
		relative = "must be a relative path without '..'"
		either   = "set either file and content, or enable and disable"
		rows     = "exactly one of the fields in [equals startsWith] must be set"
	)
	recipe := func(recipe string) string { return "spec: {recipe: {" + recipe + "}}" }
	creations(t, application,
		attempt{"without a database", recipe("database: None"), "", ""},
		attempt{"an odd database", recipe("database: Oracle"), "spec.recipe.database", "Unsupported value"},
		attempt{"document root", recipe("layout: {documentRoot: web, data: [moodledata]}"), "", ""},
		attempt{"document root that climbs", recipe("layout: {documentRoot: ../web}"), "spec.recipe.layout.documentRoot", relative},
		attempt{"document root from the root", recipe("layout: {documentRoot: /web}"), "spec.recipe.layout.documentRoot", relative},
		attempt{"a path that climbs", recipe("files: {caches: [a/../../b]}"), "spec.recipe.files.caches[0]", relative},
		attempt{"an absolute path", recipe("files: {user: [/etc]}"), "spec.recipe.files.user[0]", relative},
		attempt{"an empty path", recipe("files: {remove: ['']}"), "spec.recipe.files.remove[0]", "at least 1 chars"},
		attempt{"configuration", recipe("configuration: [{path: a.php, template: '{{ php .URL }}', generate: [KEY], read: {URL: 'x(.*)'}}]"), "", ""},
		attempt{"mode with a sticky bit", recipe("configuration: [{path: a.php, template: x, mode: '1777'}]"), "spec.recipe.configuration[0].mode", "should match"},
		attempt{"an odd syntax", recipe("configuration: [{path: a.php, template: x, syntax: perl}]"), "spec.recipe.configuration[0].syntax", "Unsupported value"},
		attempt{"an odd secret", recipe("configuration: [{path: a.php, template: x, generate: ['a-b']}]"), "spec.recipe.configuration[0].generate[0]", "should match"},
		attempt{"a command", recipe("commands: {install: {interpreter: php, script: x, timeoutSeconds: 60}}"), "", ""},
		attempt{"an odd interpreter", recipe("commands: {install: {interpreter: ruby, script: x}}"), "spec.recipe.commands.install.interpreter", "Unsupported value"},
		attempt{"a script too long", recipe("commands: {install: {interpreter: php, script: " + repeat(32769) + "}}"), "spec.recipe.commands.install.script", "Too long"},
		attempt{"maintenance by a file", recipe("maintenance: {file: .maintenance, content: x}"), "", ""},
		attempt{"maintenance by commands", recipe("maintenance: {enable: {interpreter: php, script: x}, disable: {interpreter: php, script: z}}"), "", ""},
		attempt{"maintenance by a file without content", recipe("maintenance: {file: .maintenance}"), "spec.recipe.maintenance", either},
		attempt{"maintenance begun and never ended", recipe("maintenance: {enable: {interpreter: php, script: x}}"), "spec.recipe.maintenance", either},
		attempt{"maintenance by both", recipe("maintenance: {file: a, content: b, enable: {interpreter: php, script: x}}"), "spec.recipe.maintenance", either},
		attempt{"cron", recipe("cron: {schedule: '*/5 * * * *', interpreter: php, args: [wp-cron.php]}"), "", ""},
		attempt{"cron of nothing", recipe("cron: {schedule: '*/5 * * * *', interpreter: php, args: []}"), "spec.recipe.cron.args", "at least 1 items"},
		attempt{"health", recipe("health: {path: /login, status: [200], not: [Error]}"), "", ""},
		attempt{"health at no path", recipe("health: {path: login}"), "spec.recipe.health.path", "should match"},
		attempt{"health of 99", recipe("health: {status: [99]}"), "spec.recipe.health.status[0]", "greater than or equal to 100"},
		attempt{"rows", recipe("move: {prefix: [{table: options, column: option_name, equals: '{{ .Old }}user_roles'}]}"), "", ""},
		attempt{"rows by nothing", recipe("move: {prefix: [{table: options, column: option_name}]}"), "spec.recipe.move.prefix[0]", rows},
		attempt{"rows by both", recipe("move: {prefix: [{table: a, column: b, equals: c, startsWith: d}]}"), "spec.recipe.move.prefix[0]", rows},
	)
}
