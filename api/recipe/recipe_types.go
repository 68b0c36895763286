package recipe

// Recipe is everything that differs between applications.
type Recipe struct {
	// layout says how a release is laid out below the site's root.
	// +optional
	Layout Layout `json:"layout,omitzero"`

	// files tells the user's files, caches and installers apart from the release's own.
	// +optional
	Files Files `json:"files,omitzero"`

	// configuration lists the files that tie the application to its database and URL.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +listType=map
	// +listMapKey=path
	Configuration []ConfigurationFile `json:"configuration,omitempty"`

	// version tells which release a document root holds.
	// +optional
	Version *FilePattern `json:"version,omitempty"`

	// schemaVersion tells which database schema the files expect and the database has. A site whose two answers differ
	// is half upgraded, however healthy its front page looks.
	// +optional
	SchemaVersion *SchemaVersion `json:"schemaVersion,omitempty"`

	// database says that the application keeps data in MySQL or MariaDB. None means that no database is made.
	// +optional
	// +kubebuilder:default=MySQL
	Database DatabaseKind `json:"database,omitempty"`

	// commands are the application's own programs, run as the site's user in the document root.
	// +optional
	Commands Commands `json:"commands,omitzero"`

	// maintenance is the application's own switch that keeps visitors out.
	// +optional
	Maintenance *Maintenance `json:"maintenance,omitempty"`

	// cron is the application's periodic work.
	// +optional
	Cron *Cron `json:"cron,omitempty"`

	// health says how a working site answers.
	// +optional
	Health Health `json:"health,omitzero"`

	// move says where a site carries its URL, its path and its table prefix.
	// +optional
	Move Move `json:"move,omitzero"`
}

// DatabaseKind is the sort of database an application keeps its data in.
// +kubebuilder:validation:Enum=MySQL;None
type DatabaseKind string

// The database kinds.
const (
	DatabaseMySQL DatabaseKind = "MySQL"
	DatabaseNone  DatabaseKind = "None"
)

// Path is a relative, slash-separated path below the document root (or below the data directory, where a field says
// so). It never climbs out: no component is "..".
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(c, c == '..')",message="must be a relative path without '..'"
type Path string

// Layout is where things stand below the site's root, /site.
type Layout struct {
	// documentRoot is the subdirectory of the release that is served; empty means its top.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(c, c == '..')",message="must be a relative path without '..'"
	DocumentRoot string `json:"documentRoot,omitempty"`

	// data lists directories to make below /site/data, outside what is served.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=set
	Data []Path `json:"data,omitempty"`
}

// Files classifies the paths of a document root. A directory stands for everything below it.
type Files struct {
	// user lists what belongs to the site and survives an upgrade.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	User []Path `json:"user,omitempty"`

	// appendOnly lists what is added to and never edited in place, so that generations may share it by hard links.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	AppendOnly []Path `json:"appendOnly,omitempty"`

	// caches lists what the application makes again by itself: not backed up, emptied at clone and upgrade.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	Caches []Path `json:"caches,omitempty"`

	// remove lists what is taken out of a release after unpacking, such as web installers.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=set
	Remove []Path `json:"remove,omitempty"`
}

// Syntax is the language of a configuration file; it decides how a value is quoted so that none can break out.
// +kubebuilder:validation:Enum=php;json;ini;shell;none
type Syntax string

// The syntaxes a configuration file can have.
const (
	SyntaxPHP   Syntax = "php"
	SyntaxJSON  Syntax = "json"
	SyntaxINI   Syntax = "ini"
	SyntaxShell Syntax = "shell"
	SyntaxNone  Syntax = "none"
)

// ConfigurationFile is one file that ties the application to its surroundings.
type ConfigurationFile struct {
	// path of the file below the document root.
	// +required
	Path Path `json:"path"`

	// mode is the file's permission in octal.
	// +optional
	// +kubebuilder:validation:Pattern=`^0?[0-7]{3}$`
	// +kubebuilder:validation:MaxLength=4
	// +kubebuilder:default="0640"
	Mode string `json:"mode,omitempty"`

	// syntax is the language of the values that read captures, so that a new value put in their place is quoted for it.
	// +optional
	// +kubebuilder:default=php
	Syntax Syntax `json:"syntax,omitempty"`

	// once writes the file only where it is missing: it is the user's from then on.
	// +optional
	Once bool `json:"once,omitempty"`

	// template is a Go text/template. The functions php, json, ini and shell quote a value for their language. Data:
	// .URL (without a trailing slash), .Scheme, .Host, .Path, .Title, .Language, .Content,
	// .Database.{Host,Port,Address,Name,User,Password,Prefix} (Address is the host, with the port unless it is 3306),
	// .Secrets.<name>, .Fields.<name>, .DocumentRoot, .TmpDir, .DataDir.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32768
	Template string `json:"template"`

	// generate names secrets made once per site, and anew for a clone: 64 random characters each.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	// +listType=set
	Generate []string `json:"generate,omitempty"`

	// read maps a value's name (Database.Host, Database.Port, Database.Address, Database.Name, Database.User,
	// Database.Password, Database.Prefix, URL, Host, Path, Secrets.<name>, Fields.<name>) to a regular expression whose first
	// group captures it. Import reads values by it; restore and clone put new values in the captured place, so that what a
	// user wrote elsewhere in the file stays.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	Read map[string]Pattern `json:"read,omitempty"`
}

// Pattern is a regular expression in Go's RE2 syntax.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
type Pattern string

// FilePattern finds a value in a file.
type FilePattern struct {
	// file is read, at most 1 MiB of it.
	// +required
	File Path `json:"file"`

	// pattern captures the value in its first group.
	// +required
	Pattern Pattern `json:"pattern"`
}

// SchemaVersion tells the schema that the files expect and the one that the database has.
type SchemaVersion struct {
	// files says what the files expect.
	// +required
	Files FilePattern `json:"files"`

	// database is a query, a Go text/template over .Prefix, whose single value is what the database has.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	Database string `json:"database"`
}

// Health says how a working site answers a request for its own URL.
type Health struct {
	// path is appended to the site's URL.
	// +optional
	// +kubebuilder:validation:Pattern=`^/`
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:default="/"
	Path string `json:"path,omitempty"`

	// status lists the answers of a working site; empty means 200, 301 and 302.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Minimum=100
	// +kubebuilder:validation:items:Maximum=599
	// +listType=set
	Status []int32 `json:"status,omitempty"`

	// not lists texts that a working site's page never holds.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +listType=set
	Not []string `json:"not,omitempty"`
}

// Move says where a site carries what changes when it is copied to another URL, path or table prefix.
type Move struct {
	// prefix lists the rows that hold the table prefix.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Prefix []PrefixRow `json:"prefix,omitempty"`

	// url is "everywhere", or a comma-separated list of table.column without the prefix, to which the rewriting of the
	// URL is limited.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:default=everywhere
	URL string `json:"url,omitempty"`

	// dumpURL finds the site's URL in a statement of a dump, in its first group: an import reads it where no
	// configuration file tells it.
	// +optional
	DumpURL Pattern `json:"dumpURL,omitempty"`

	// path lists where absolute paths stand: "configuration", or table.column without the prefix.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	Path []string `json:"path,omitempty"`

	// clear are statements run on a copy, Go text/templates over .Prefix, that empty what must not come along, such as
	// caches and sessions.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +listType=atomic
	Clear []string `json:"clear,omitempty"`
}

// PrefixRow names values that hold the table prefix: those equal to, or starting with, a text over .Old.
// +kubebuilder:validation:ExactlyOneOf=equals;startsWith
type PrefixRow struct {
	// table without its prefix.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Table string `json:"table"`

	// column of the table.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Column string `json:"column"`

	// equals matches the whole value: a Go text/template over .Old.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Equals string `json:"equals,omitempty"`

	// startsWith matches the value's beginning: a Go text/template over .Old.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	StartsWith string `json:"startsWith,omitempty"`
}
