package recipe

// Commands are the application's own programs. Each gets one JSON object on standard input and answers with one JSON
// object, {"ok": true, …}, as the last line of its standard output; anything else is a failure.
type Commands struct {
	// install makes a working site of unpacked files and an empty database. It may run again after it was killed.
	// +optional
	Install *Command `json:"install,omitempty"`

	// configure brings title, administrator, language and fields to an installed site. Idempotent.
	// +optional
	Configure *Command `json:"configure,omitempty"`

	// upgrade brings the database to the schema that the files expect.
	// +optional
	Upgrade *Command `json:"upgrade,omitempty"`

	// inspect reports plugins, themes, title and administrators.
	// +optional
	Inspect *Command `json:"inspect,omitempty"`

	// update brings plugins and themes to their newest release.
	// +optional
	Update *Command `json:"update,omitempty"`

	// login makes a one-time administrator session and answers with its URL.
	// +optional
	Login *Command `json:"login,omitempty"`
}

// Interpreter is a program of the runtime image that runs scripts.
// +kubebuilder:validation:Enum=php;sh
type Interpreter string

// The interpreters.
const (
	InterpreterPHP   Interpreter = "php"
	InterpreterShell Interpreter = "sh"
)

// Command is a script in the application's own language.
type Command struct {
	// interpreter runs the script.
	// +required
	Interpreter Interpreter `json:"interpreter"`

	// script is the program's text.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32768
	Script string `json:"script"`

	// timeoutSeconds bounds the run.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=86400
	// +kubebuilder:default=600
	TimeoutSeconds int32 `json:"timeoutSeconds,omitempty"`
}

// Maintenance keeps visitors out while the site is worked on: a file that exists meanwhile, or a pair of commands.
// +kubebuilder:validation:XValidation:rule="has(self.file) ? !has(self.enable) && !has(self.disable) && has(self.content) : has(self.enable) && has(self.disable)",message="set either file and content, or enable and disable"
type Maintenance struct {
	// file exists below the document root while maintenance is on.
	// +optional
	File Path `json:"file,omitempty"`

	// content of the file.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Content string `json:"content,omitempty"`

	// enable turns maintenance on. (Not named on: YAML takes that for a boolean.)
	// +optional
	Enable *Command `json:"enable,omitempty"`

	// disable turns maintenance off.
	// +optional
	Disable *Command `json:"disable,omitempty"`
}

// Cron is the application's periodic work.
type Cron struct {
	// schedule in the five fields of cron, in UTC.
	// +required
	// +kubebuilder:validation:MinLength=9
	// +kubebuilder:validation:MaxLength=100
	Schedule string `json:"schedule"`

	// interpreter runs the file named first in args.
	// +required
	Interpreter Interpreter `json:"interpreter"`

	// args are a file below the document root and its arguments.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=255
	// +listType=atomic
	Args []string `json:"args"`
}
