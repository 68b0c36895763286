package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Upgrade is one upgrade of an Install's core, plugins or themes, or its move to another URL: what takes a new generation of the whole site.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="Install",type=string,JSONPath=`.spec.installRef.name`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type Upgrade struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of a task cannot be changed; make another one"
	Spec UpgradeSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status UpgradeStatus `json:"status,omitzero"`
}

// UpgradeList is a list of Upgrade objects.
//
// +kubebuilder:object:root=true
type UpgradeList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Upgrade `json:"items"`
}

// VersionCurrent as a version leaves the core as it is.
const VersionCurrent = "current"

// UpgradeSpec is what to upgrade, and to what.
// +kubebuilder:validation:XValidation:rule="!has(self.url) || !(has(self.version) || has(self.plugins) || has(self.themes))",message="url moves the site and upgrades nothing: leave out version, plugins and themes"
type UpgradeSpec struct {
	// installRef names the Install.
	// +required
	InstallRef LocalReference `json:"installRef"`

	// version to upgrade to; omitted: the newest that fits; "current" leaves the core as it is, and brings the site to the runtime that the Install names.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z]([-+._0-9A-Za-z]*[0-9A-Za-z])?$`
	Version string `json:"version,omitempty"`

	// url that the site moves to, as spec.url of the Install has it: the Install makes such an Upgrade when that changes. Nothing else is changed then.
	// +optional
	URL SiteURL `json:"url,omitempty"`

	// backup makes a Backup first and waits for it. Its name is in status.backup; it goes where the Install's backups go, and is kept for 30 days.
	// +optional
	Backup bool `json:"backup,omitempty"`

	// plugins to bring to their newest release, by the names that the application gives them; "*" is all.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +listType=set
	Plugins []string `json:"plugins,omitempty"`

	// themes to bring to their newest release, by the names that the application gives them; "*" is all.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=255
	// +listType=set
	Themes []string `json:"themes,omitempty"`
}

// UpgradeStatus is what became of it.
type UpgradeStatus struct {
	TaskStatus `json:",inline"`

	// backup names the Backup that was made first.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Backup string `json:"backup,omitempty"`

	// runtime that the new generation runs on.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Runtime string `json:"runtime,omitempty"`

	// warnings of what went otherwise than one would expect, and stopped nothing.
	// +optional
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=1024
	// +listType=atomic
	Warnings []string `json:"warnings,omitempty"`

	// fromVersion is what was there.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	FromVersion string `json:"fromVersion,omitempty"`

	// fromURL is where the site was, if it moves.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	FromURL string `json:"fromURL,omitempty"`

	// toVersion is what was upgraded to.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	ToVersion string `json:"toVersion,omitempty"`

	// generation of the Install that the upgrade made.
	// +optional
	Generation int64 `json:"generation,omitempty"`
}
