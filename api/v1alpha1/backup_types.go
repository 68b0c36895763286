package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Backup is one backup of an Install, and the handle to its snapshot; or the import of a portable archive as a backup; or the handle to a
// snapshot that is there already.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="Install",type=string,JSONPath=`.status.install`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`
// +kubebuilder:printcolumn:name="Size",type=integer,JSONPath=`.status.snapshot.bytes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type Backup struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	// +kubebuilder:validation:XValidation:rule="has(self.installRef) == has(oldSelf.installRef) && (!has(self.installRef) || self.installRef == oldSelf.installRef) && has(self.archive) == has(oldSelf.archive) && (!has(self.archive) || self.archive == oldSelf.archive) && has(self.snapshot) == has(oldSelf.snapshot) && (!has(self.snapshot) || self.snapshot == oldSelf.snapshot) && has(self.locationRef) == has(oldSelf.locationRef) && (!has(self.locationRef) || self.locationRef == oldSelf.locationRef) && has(self.ttl) == has(oldSelf.ttl) && (!has(self.ttl) || self.ttl == oldSelf.ttl) && has(self.consistency) == has(oldSelf.consistency) && (!has(self.consistency) || self.consistency == oldSelf.consistency) && has(self.note) == has(oldSelf.note) && (!has(self.note) || self.note == oldSelf.note)",message="the spec of a task cannot be changed, but for deletionPolicy; make another one"
	Spec BackupSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BackupStatus `json:"status,omitzero"`
}

// BackupList is a list of Backup objects.
//
// +kubebuilder:object:root=true
type BackupList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Backup `json:"items"`
}

// BackupSpec is what to back up, and where to.
// +kubebuilder:validation:ExactlyOneOf=installRef;archive;snapshot
type BackupSpec struct {
	// installRef names the Install to back up.
	// +optional
	InstallRef *LocalReference `json:"installRef,omitempty"`

	// archive imports a portable archive as a backup.
	// +optional
	Archive *ArchiveSource `json:"archive,omitempty"`

	// snapshot takes a snapshot that is in the location already, made by another cluster or left there by deletionPolicy Orphan.
	// +optional
	Snapshot *SnapshotSource `json:"snapshot,omitempty"`

	// locationRef names the BackupLocation; omitted: the Install's, else the namespace's default.
	// +optional
	LocationRef *LocalReference `json:"locationRef,omitempty"`

	// ttl is how long the backup is kept after it was made; omitted: until it is deleted.
	// +optional
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$') && duration(self) >= duration('1m') && duration(self) <= duration('87600h')",message="must be a duration such as 90m or 36h, between 1m and 87600h"
	TTL *metav1.Duration `json:"ttl,omitempty"`

	// consistency says whether the site goes on writing while files are read for the second time.
	// +optional
	// +kubebuilder:default=Online
	Consistency Consistency `json:"consistency,omitempty"`

	// note is for people.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Note string `json:"note,omitempty"`

	// deletionPolicy says what becomes of the snapshot when the Backup is deleted.
	// +optional
	// +kubebuilder:default=Delete
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// ArchiveSource is a portable archive in the location.
type ArchiveSource struct {
	// path of the archive in the location.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(c, c == '..')",message="must be a relative path without '..'"
	Path string `json:"path"`
}

// SnapshotSource is a snapshot that is in the location already.
type SnapshotSource struct {
	// id of the snapshot, as "kopia snapshot list --all --manifest-id" shows it.
	// +required
	// +kubebuilder:validation:MinLength=12
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]+$`
	ID string `json:"id"`
}

// Consistency says how close files and database are to one instant.
// +kubebuilder:validation:Enum=Online;Quiesced
type Consistency string

// The consistencies.
const (
	// ConsistencyOnline lets the site go on; the database is one snapshot, files are read close to it.
	ConsistencyOnline Consistency = "Online"
	// ConsistencyQuiesced keeps the site from writing while the second pass runs.
	ConsistencyQuiesced Consistency = "Quiesced"
)

// BackupStatus is what became of it.
type BackupStatus struct {
	TaskStatus `json:",inline"`

	// expirationTime is when the backup is deleted.
	// +optional
	ExpirationTime *metav1.Time `json:"expirationTime,omitempty"`

	// snapshot in the location; set only once it was verified.
	// +optional
	Snapshot *SnapshotStatus `json:"snapshot,omitempty"`

	// install that was backed up, by its name.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Install string `json:"install,omitempty"`

	// application that was backed up.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Application string `json:"application,omitempty"`

	// version of the application.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Version string `json:"version,omitempty"`

	// url of the site.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`

	// title of the site.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Title string `json:"title,omitempty"`

	// runtime that the site ran on.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Runtime string `json:"runtime,omitempty"`

	// database that was backed up.
	// +optional
	Database *DatabaseStatus `json:"database,omitempty"`
}

// SnapshotStatus is a snapshot in a location.
type SnapshotStatus struct {
	// id of the snapshot in the repository.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	ID string `json:"id"`

	// location names the BackupLocation that has it.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	Location string `json:"location"`

	// time at which the snapshot was taken.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`

	// files is the number of the site's files.
	// +optional
	Files int64 `json:"files"`

	// bytes in those files.
	// +optional
	Bytes int64 `json:"bytes"`

	// databaseBytes is the size of the database dump.
	// +optional
	DatabaseBytes int64 `json:"databaseBytes"`

	// uploadedBytes is what this backup added to the location, compressed and encrypted.
	// +optional
	UploadedBytes int64 `json:"uploadedBytes"`

	// pause is how long the site could not write.
	// +optional
	Pause *metav1.Duration `json:"pause,omitempty"`
}
