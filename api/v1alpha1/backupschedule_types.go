package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BackupSchedule says how many daily, weekly and monthly backups are kept of the Installs that refer to it, and when they are made.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="At",type=string,JSONPath=`.spec.at`
// +kubebuilder:printcolumn:name="Zone",type=string,JSONPath=`.spec.timeZone`
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type BackupSchedule struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	Spec BackupScheduleSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BackupScheduleStatus `json:"status,omitzero"`
}

// BackupScheduleList is a list of BackupSchedule objects.
//
// +kubebuilder:object:root=true
type BackupScheduleList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BackupSchedule `json:"items"`
}

// BackupScheduleSpec is when to back up and what to keep.
type BackupScheduleSpec struct {
	// at is the time of day, HH:MM, in timeZone.
	// +required
	// +kubebuilder:validation:MaxLength=5
	// +kubebuilder:validation:Pattern=`^([01][0-9]|2[0-3]):[0-5][0-9]$`
	At string `json:"at"`

	// timeZone by its IANA name, which days, weeks and months are reckoned in. A backup whose time the clocks skip in spring is made when they have;
	// one whose time they show twice in autumn is made once.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`
	// +kubebuilder:default=UTC
	TimeZone string `json:"timeZone,omitempty"`

	// window after at over which backups are spread, by a hash of the Install's UID.
	// +optional
	// +kubebuilder:default="1h"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$') && duration(self) >= duration('0s') && duration(self) <= duration('24h')",message="must be a duration such as 90m or 36h, between 0s and 24h"
	Window *metav1.Duration `json:"window,omitempty"`

	// keep says how many backups of each age are kept.
	// +required
	Keep KeepSpec `json:"keep"`

	// locationRef names the BackupLocation; omitted: the Install's, else the namespace's default.
	// +optional
	LocationRef *LocalReference `json:"locationRef,omitempty"`

	// suspend makes no new backups. Those that are there stay as they are, and runs that are missed meanwhile are not made up for.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// KeepSpec is how many backups are kept, grandfather-father-son: of each of the last so many days, weeks and months that have any, the newest.
// Backups are made as often as the finest of the three needs them: each day, each Monday, or on the first of each month. Only backups that a
// schedule made are ever removed by it, and never the newest one.
// +kubebuilder:validation:XValidation:rule="(has(self.daily) ? self.daily : 0) + (has(self.weekly) ? self.weekly : 0) + (has(self.monthly) ? self.monthly : 0) > 0",message="at least one of daily, weekly, monthly must be more than 0"
type KeepSpec struct {
	// daily backups to keep.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=366
	Daily *int32 `json:"daily,omitempty"`

	// weekly backups to keep.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=260
	Weekly *int32 `json:"weekly,omitempty"`

	// monthly backups to keep.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=120
	Monthly *int32 `json:"monthly,omitempty"`
}

// BackupScheduleStatus is what the schedule has done.
type BackupScheduleStatus struct {
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
}
