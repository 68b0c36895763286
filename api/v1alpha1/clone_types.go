package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Clone is one copy of an Install to another URL, which makes a new Install.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.spec.sourceRef.name`
// +kubebuilder:printcolumn:name="Install",type=string,JSONPath=`.spec.to.name`
// +kubebuilder:printcolumn:name="Progress",type=integer,JSONPath=`.status.progress.percent`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type Clone struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the spec of a task cannot be changed; make another one"
	Spec CloneSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status CloneStatus `json:"status,omitzero"`
}

// CloneList is a list of Clone objects.
//
// +kubebuilder:object:root=true
type CloneList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Clone `json:"items"`
}

// CloneSpec is what to copy, and where to.
type CloneSpec struct {
	// sourceRef names the Install to copy.
	// +required
	SourceRef LocalReference `json:"sourceRef"`

	// to is the new Install.
	// +required
	To CopyTarget `json:"to"`
}

// CloneStatus is what became of it.
type CloneStatus struct {
	TaskStatus `json:",inline"`

	// install that was made.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Install string `json:"install,omitempty"`

	// url of that Install.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`
}
