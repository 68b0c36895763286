package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// GenerationStatus is one generation of a site.
type GenerationStatus struct {
	// number of the generation.
	// +required
	// +kubebuilder:validation:Minimum=1
	Number int64 `json:"number"`

	// uid of the object that makes or made it.
	// +required
	// +kubebuilder:validation:MaxLength=64
	UID string `json:"uid"`

	// ready says that its database exists and the site's user may use it.
	// +optional
	Ready bool `json:"ready,omitempty"`

	// sealed says that it is complete. Only a sealed generation is ever served.
	// +optional
	Sealed bool `json:"sealed,omitempty"`

	// version of the application in it, once it is sealed.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Version string `json:"version,omitempty"`

	// schemaVersion of its database, where the application has such a thing.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	SchemaVersion string `json:"schemaVersion,omitempty"`

	// runtime that its code runs on.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Runtime string `json:"runtime,omitempty"`

	// url that it is made for, once it is sealed.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`
}

// SwitchOutcome is how a change of generation went.
// +kubebuilder:validation:Enum=Succeeded;Failed
type SwitchOutcome string

// The outcomes of a switch.
const (
	SwitchSucceeded SwitchOutcome = "Succeeded"
	SwitchFailed    SwitchOutcome = "Failed"
)

// SwitchStatus is how a change of generation went.
type SwitchStatus struct {
	// generation that was switched to.
	// +required
	Generation int64 `json:"generation"`

	// uid of the task that asked for it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	UID string `json:"uid,omitempty"`

	// outcome of it.
	// +required
	Outcome SwitchOutcome `json:"outcome"`

	// message says why it failed.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// time at which it ended.
	// +required
	Time metav1.Time `json:"time"`
}
