package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Finalizer holds an object until what it made outside its namespace's garbage collection is gone.
const Finalizer = "sitewright.dev/cleanup"

// Annotations and labels of this API.
const (
	// AnnotationForceDelete, set to "true" on an object being deleted, gives up on what cannot be reached (a database server or
	// a backup location that is gone for good) instead of waiting for it.
	AnnotationForceDelete = "sitewright.dev/force-delete"
	// LabelInstall on a child names its Install.
	LabelInstall = "sitewright.dev/install"
	// LabelTask on a Job names the kind of task that it runs.
	LabelTask = "sitewright.dev/task"
	// LabelSchedule on a Backup that a schedule made names the BackupSchedule; it is empty where the Install's own counts asked for it.
	LabelSchedule = "sitewright.dev/schedule"
	// AnnotationDue on a Backup that a schedule made is when it was due, as RFC 3339 has it.
	AnnotationDue = "sitewright.dev/due"
	// AnnotationInstallUID on a Backup that a schedule made, and on an Install's volume claim and Secrets, is the UID of the Install: one that was made
	// anew under its name is another one.
	AnnotationInstallUID = "sitewright.dev/install-uid"
	// AnnotationGoBack on an Install asks for the previous generation to serve again: its value is that generation's number, as
	// status.previousGeneration has it. The controller removes the annotation when it is done.
	AnnotationGoBack = "sitewright.dev/go-back"
	// AnnotationInspect on an Install, with any value, asks for the site to be looked at now, which is done once a day otherwise. The controller removes it
	// when it is done.
	AnnotationInspect = "sitewright.dev/inspect"
	// AnnotationApplied on a Secret that was made for an Install is the SHA-256, in hexadecimal, of the password that the application, or the database server,
	// has: a password in the Secret that differs from it is brought there.
	AnnotationApplied = "sitewright.dev/applied"
	// AnnotationSite on the volume claim of an Install with the deletionPolicy Orphan says what is on it and where its database is, in JSON: what another Install
	// needs to adopt it.
	AnnotationSite = "sitewright.dev/site"
	// AnnotationUpgradeUID on a Backup that was made before an upgrade is the UID of the Upgrade.
	AnnotationUpgradeUID = "sitewright.dev/upgrade-uid"
	// LabelUser on a namespace names the panel user whose it is.
	LabelUser = "sitewright.dev/user"
	// LabelOwner on a namespace names the reseller whose it is.
	LabelOwner = "sitewright.dev/owner"
)

// LocalReference names an object of a known kind in the same namespace.
type LocalReference struct {
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// SecretKeyReference names one key of a Secret in the same namespace.
type SecretKeyReference struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// key in the Secret's data.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key"`
}

// NamespacedReference names an object of a known kind in a namespace.
type NamespacedReference struct {
	// namespace of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace"`

	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// DeletionPolicy says what becomes of what an object made when the object is deleted.
// +kubebuilder:validation:Enum=Delete;Orphan
type DeletionPolicy string

// The deletion policies.
const (
	// DeletionDelete removes it.
	DeletionDelete DeletionPolicy = "Delete"
	// DeletionOrphan leaves it, labelled.
	DeletionOrphan DeletionPolicy = "Orphan"
)

// SiteURL is where a site is: an absolute http or https URL with a host, an optional port and an optional path, and
// without credentials, query or fragment.
//
// The rules match the text itself: what url() returns has no bound, so a rule over it is beyond the API server's cost
// limit. None of them may hold two single quotes in a row, which gofmt turns into a typographic one.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=512
// +kubebuilder:validation:XValidation:rule="isURL(self) && self.matches('^https?://')",message="must be an absolute http:// or https:// URL"
// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://([:/?#]|$)')",message="must name a host"
// +kubebuilder:validation:XValidation:rule="!self.contains('@')",message="must not carry credentials"
// +kubebuilder:validation:XValidation:rule="!self.contains('?') && !self.contains('#')",message="must not have a query or a fragment"
// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://') || self.contains('@') || self.matches('^https?://([:/?#]|$)') || self.matches('^https?://[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*(:[0-9]*)?([/?#]|$)')",message="the host must be a lower-case DNS name"
// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://[^/?#]*:[0-9]*([/?#]|$)') || self.matches('^https?://[^/?#]*:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])([/?#]|$)')",message="the port must be between 1 and 65535"
// +kubebuilder:validation:XValidation:rule="!self.matches('^https?://') || self.matches('^https?://[^/?#]*(/[A-Za-z0-9._~-]+)*/?([?#]|$)') && !self.matches('^[^?#]*/[.][.]?([/?#]|$)')",message="the path may hold letters, digits and the characters . _ ~ - between slashes, and neither '.' nor '..' as a component"
type SiteURL string

// Progress says how far a task is.
type Progress struct {
	// percent of the whole task that is done.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Percent int32 `json:"percent"`

	// until is what percent will be at the end of the current phase; 0 when it is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Until int32 `json:"until,omitempty"`

	// rate is how long the current phase is expected to take, in milliseconds; 0 when it is not known.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Rate int64 `json:"rate"`

	// message says what is being done.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Message string `json:"message,omitempty"`
}

// TaskStatus is what every run-to-completion kind reports.
type TaskStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions follow kstatus: Ready, Reconciling, Stalled.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`

	// startTime is when the task got hold of its Install and began.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`

	// completionTime is when the task ended, well or not.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`

	// progress says how far the task is.
	// +optional
	Progress *Progress `json:"progress,omitempty"`

	// notified are the events of which mails were sent, or could not be for good, each followed by what it was about.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	Notified []string `json:"notified,omitempty"`
}

// DatabaseTarget says where a site's tables are to live. Neither serverRef nor existing means the default DatabaseServer.
// +kubebuilder:validation:AtMostOneOf=serverRef;existing
type DatabaseTarget struct {
	// serverRef names the DatabaseServer to make the database on.
	// +optional
	ServerRef *LocalReference `json:"serverRef,omitempty"`

	// existing is a database made beforehand.
	// +optional
	Existing *ExistingDatabase `json:"existing,omitempty"`

	// prefix of the site's tables; omitted: the application's own default, or for a copy the source's.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]*$`
	Prefix string `json:"prefix,omitempty"`
}

// ExistingDatabase is a database and a user that somebody made beforehand. Its tables are never dropped as a whole: it
// may be shared with other sites under other prefixes.
type ExistingDatabase struct {
	// host of the server, as it is written into the site's configuration.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host"`

	// port of the server.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:default=3306
	Port int32 `json:"port,omitempty"`

	// connectHost is used instead of host by tasks; host is still what the site's configuration says.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	ConnectHost string `json:"connectHost,omitempty"`

	// name of the database.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Name string `json:"name"`

	// user to log in as.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=80
	User string `json:"user"`

	// passwordSecretRef names the user's password.
	// +required
	PasswordSecretRef SecretKeyReference `json:"passwordSecretRef"`
}
