package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Restore is one restore of a Backup: in place, or elsewhere, which makes a new Install.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="Backup",type=string,JSONPath=`.spec.backupRef.name`
// +kubebuilder:printcolumn:name="Install",type=string,JSONPath=`.status.install`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type Restore struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of a task cannot be changed; make another one"
	Spec RestoreSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status RestoreStatus `json:"status,omitzero"`
}

// RestoreList is a list of Restore objects.
//
// +kubebuilder:object:root=true
type RestoreList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Restore `json:"items"`
}

// RestoreSpec is what to restore, and where to.
type RestoreSpec struct {
	// backupRef names the Backup.
	// +required
	BackupRef LocalReference `json:"backupRef"`

	// to makes a new Install of the backup; omitted: the Install that was backed up gets its content back.
	// +optional
	To *RestoreTarget `json:"to,omitempty"`
}

// RestoreTarget is the new Install of a restore.
// +kubebuilder:validation:XValidation:rule="!has(self.createDatabase) || self.createDatabase || (has(self.database) && has(self.database.existing))",message="createDatabase: false needs database.existing"
type RestoreTarget struct {
	CopyTarget `json:",inline"`

	// createDatabase says whether a database may be made; false demands database.existing.
	// +optional
	// +kubebuilder:default=true
	CreateDatabase *bool `json:"createDatabase,omitempty"`
}

// CopyTarget is the new Install that a clone or restore makes.
type CopyTarget struct {
	// name of the new Install; it must not exist.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=52
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`

	// url of the new Install.
	// +required
	URL SiteURL `json:"url"`

	// address is where the URL's host resolves while DNS cannot tell.
	// +optional
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address"
	Address string `json:"address,omitempty"`

	// database of the new Install; omitted: one is made where the source's is.
	// +optional
	Database *DatabaseTarget `json:"database,omitempty"`

	// storage of the new Install; omitted: like the source's.
	// +optional
	Storage *StorageSpec `json:"storage,omitempty"`

	// exposure of the new Install; omitted: the operator's default.
	// +optional
	Exposure *ExposureSpec `json:"exposure,omitempty"`
}

// RestoreStatus is what became of it.
type RestoreStatus struct {
	TaskStatus `json:",inline"`

	// install that got the content.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Install string `json:"install,omitempty"`

	// generation of the Install that the restore made.
	// +optional
	Generation int64 `json:"generation,omitempty"`

	// url of the Install.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`
}
