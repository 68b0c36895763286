package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// InstallStatus is the site that exists.
type InstallStatus struct {
	// observedGeneration is the generation of the spec that the conditions speak of.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions follow kstatus: Ready, Reconciling, Stalled; and Serving, DatabaseReady, UpdateAvailable, BackedUp
	// where they say something.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +listType=map
	// +listMapKey=type
	// +patchStrategy=merge
	// +patchMergeKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty" patchStrategy:"merge" patchMergeKey:"type"`

	// siteUID is what the names of the site's databases and of their user are made of: the UID of the Install that made the site, where another
	// one has adopted it since; empty: the Install's own.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	SiteUID string `json:"siteUID,omitempty"`

	// url at which the site answers.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`

	// version of the application that serves.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Version string `json:"version,omitempty"`

	// schemaVersion of its database, where the application has such a thing.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	SchemaVersion string `json:"schemaVersion,omitempty"`

	// latestVersion in the catalogue that this site can be upgraded to from the one that serves, or that one.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LatestVersion string `json:"latestVersion,omitempty"`

	// generation of the site that serves; 0 before the first one does. Every restore and upgrade makes the next.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// previousGeneration is still there to go back to; 0 means none.
	// +optional
	PreviousGeneration int64 `json:"previousGeneration,omitempty"`

	// previousUntil is when the previous generation is removed.
	// +optional
	PreviousUntil *metav1.Time `json:"previousUntil,omitempty"`

	// runtime that the site runs on.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Runtime string `json:"runtime,omitempty"`

	// database that the serving generation uses.
	// +optional
	Database *DatabaseStatus `json:"database,omitempty"`

	// admin says how to log in.
	// +optional
	Admin *AdminStatus `json:"admin,omitempty"`

	// settings is what the application was last told of the spec.
	// +optional
	Settings *SettingsStatus `json:"settings,omitempty"`

	// inspection is how the last look at the site went, from which version, schemaVersion, size, plugins and themes are.
	// +optional
	Inspection *InspectionStatus `json:"inspection,omitempty"`

	// size of the site when it was last measured.
	// +optional
	Size *SizeStatus `json:"size,omitempty"`

	// plugins found at the last inspection.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	Plugins []ComponentStatus `json:"plugins,omitempty"`

	// themes found at the last inspection.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	Themes []ComponentStatus `json:"themes,omitempty"`

	// lastBackup is the newest good backup.
	// +optional
	LastBackup *BackupSummary `json:"lastBackup,omitempty"`

	// nextBackup is when the next scheduled one begins.
	// +optional
	NextBackup *metav1.Time `json:"nextBackup,omitempty"`

	// operation is the one task that may change or read the site now. It is taken and given back with optimistic
	// concurrency, so that two controllers cannot both believe they hold it.
	// +optional
	Operation *OperationStatus `json:"operation,omitempty"`

	// generations are all that may exist on the volume and the database server: the serving one, the previous one, one that
	// a task is making, and leftovers that are about to be removed. A task gets its number from here, so none is given twice.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=number
	Generations []GenerationStatus `json:"generations,omitempty"`

	// highestGeneration that was ever given out: no number is given out twice.
	// +optional
	// +kubebuilder:validation:Minimum=0
	HighestGeneration int64 `json:"highestGeneration,omitempty"`

	// lastSwitch is how the last change of generation went.
	// +optional
	LastSwitch *SwitchStatus `json:"lastSwitch,omitempty"`

	// progress of making the site, until it first serves.
	// +optional
	Progress *Progress `json:"progress,omitempty"`

	// notified are the events of which mails were sent, or could not be for good, each followed by what it was about.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=128
	// +listType=set
	Notified []string `json:"notified,omitempty"`
}

// DatabaseStatus is the database that a generation uses.
type DatabaseStatus struct {
	// server names the DatabaseServer; empty for a database made beforehand.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Server string `json:"server,omitempty"`

	// name of the database.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name,omitempty"`

	// user that the site logs in as.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	User string `json:"user,omitempty"`

	// prefix of the site's tables.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Prefix string `json:"prefix,omitempty"`
}

// AdminStatus says how to log in as the administrator.
type AdminStatus struct {
	// login name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Login string `json:"login,omitempty"`

	// secretRef names the Secret with the keys username, password, email and url.
	// +optional
	SecretRef *LocalReference `json:"secretRef,omitempty"`
}

// SizeStatus is how big a site is.
type SizeStatus struct {
	// files is their number.
	// +optional
	Files int64 `json:"files"`

	// bytes in those files.
	// +optional
	Bytes int64 `json:"bytes"`

	// databaseBytes is the size of the site's tables, data and indexes.
	// +optional
	DatabaseBytes int64 `json:"databaseBytes"`
}

// ComponentStatus is a plugin or theme.
type ComponentStatus struct {
	// name that the application knows it by.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Name string `json:"name"`

	// version that is there.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Version string `json:"version,omitempty"`

	// latest version to be had.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Latest string `json:"latest,omitempty"`

	// active says whether it is in use.
	// +optional
	Active bool `json:"active"`
}

// BackupSummary is a backup in short.
type BackupSummary struct {
	// name of the Backup.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name"`

	// time at which it was completed.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
}

// OperationStatus is who holds a site.
type OperationStatus struct {
	// kind of the holder.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Kind string `json:"kind"`

	// name of the holder.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Name string `json:"name"`

	// uid of the holder: an object made again under the same name is not the holder.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	UID string `json:"uid"`

	// since when it holds the site.
	// +required
	Since metav1.Time `json:"since"`

	// writes says that the holder makes a generation; it waits until generations has a ready one with its uid.
	// +optional
	Writes bool `json:"writes,omitempty"`

	// generation that the holder has made and sealed, and asks to be switched to; 0 while it works, or for good when it
	// only reads.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// version of the application in that generation.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Version string `json:"version,omitempty"`

	// schemaVersion of its database.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	SchemaVersion string `json:"schemaVersion,omitempty"`

	// runtime that its code is to run on; empty: the one that the site runs on now.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Runtime string `json:"runtime,omitempty"`

	// url that it is made for; empty: where the site is now.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`

	// size of that generation.
	// +optional
	Size *SizeStatus `json:"size,omitempty"`

	// configures says that the Install holds itself to bring changed settings to the application.
	// +optional
	Configures bool `json:"configures,omitempty"`
}
