package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sitewright/sitewright/api/recipe"
)

// Application is a catalogue entry: releases, requirements, fields, and the recipe to install, configure, upgrade, inspect and move it.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:scope=Cluster,categories=sitewright
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Latest",type=string,JSONPath=`.status.latestVersion`
// +kubebuilder:printcolumn:name="Verified",type=boolean,JSONPath=`.spec.verified`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type Application struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	Spec ApplicationSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status ApplicationStatus `json:"status,omitzero"`
}

// ApplicationList is a list of Application objects.
//
// +kubebuilder:object:root=true
type ApplicationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Application `json:"items"`
}

// ApplicationSpec is a catalogue entry.
type ApplicationSpec struct {
	// displayName is the application's name as its authors write it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=100
	DisplayName string `json:"displayName"`

	// category for people, such as "Content Management".
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Category string `json:"category,omitempty"`

	// type is what it is used for, such as "blog".
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Type string `json:"type,omitempty"`

	// license in a few words, such as "open source" or "commercial".
	// +optional
	// +kubebuilder:validation:MaxLength=100
	License string `json:"license,omitempty"`

	// verified says that the end-to-end tests run its whole life.
	// +optional
	Verified bool `json:"verified,omitempty"`

	// description in our words.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Description string `json:"description,omitempty"`

	// authorDescription in its authors' words.
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	AuthorDescription string `json:"authorDescription,omitempty"`

	// links to its pages.
	// +optional
	Links ApplicationLinks `json:"links,omitzero"`

	// images of it.
	// +optional
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	Images []ApplicationImage `json:"images,omitempty"`

	// fields that an Install may set.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=name
	Fields []ApplicationField `json:"fields,omitempty"`

	// languages that it can be installed in.
	// +optional
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=16
	// +listType=set
	Languages []string `json:"languages,omitempty"`

	// tablePrefix that its tables get when an Install names none.
	// +optional
	// +kubebuilder:validation:MaxLength=32
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_]*$`
	TablePrefix string `json:"tablePrefix,omitempty"`

	// adminPath is where the administration is, from the site's URL on.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9._~-][A-Za-z0-9._~/-]*$`
	AdminPath string `json:"adminPath,omitempty"`

	// releases that can be installed, oldest first.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=map
	// +listMapKey=version
	Releases []Release `json:"releases"`

	// recipe says how to do it.
	// +required
	Recipe recipe.Recipe `json:"recipe"`
}

// ApplicationLinks are an application's pages.
type ApplicationLinks struct {
	// site of the application.
	// +optional
	Site Link `json:"site,omitempty"`
	// docs of the application.
	// +optional
	Docs Link `json:"docs,omitempty"`
	// showcase of sites made with it.
	// +optional
	Showcase Link `json:"showcase,omitempty"`
	// faq answers frequent questions.
	// +optional
	FAQ Link `json:"faq,omitempty"`
	// support is where to ask.
	// +optional
	Support Link `json:"support,omitempty"`
	// changelog tells what is new.
	// +optional
	Changelog Link `json:"changelog,omitempty"`
}

// Link is an absolute http or https URL.
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:Pattern=`^https?://`
type Link string

// ApplicationImage is a picture of an application.
type ApplicationImage struct {
	// type of picture: icon, screenshot or thumbnail.
	// +required
	// +kubebuilder:validation:Enum=icon;screenshot;thumbnail
	Type string `json:"type"`

	// url of the picture.
	// +required
	URL Link `json:"url"`
}

// ApplicationField is something that an Install may set.
type ApplicationField struct {
	// name of the field.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z][a-z0-9_]*$`
	Name string `json:"name"`

	// label for people.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Label string `json:"label,omitempty"`

	// text explains the field.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Text string `json:"text,omitempty"`

	// type of the value.
	// +optional
	// +kubebuilder:validation:Enum=text;number;boolean;select
	// +kubebuilder:default=text
	Type string `json:"type,omitempty"`

	// default value.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Default string `json:"default,omitempty"`

	// options of a select.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=map
	// +listMapKey=value
	Options []FieldOption `json:"options,omitempty"`

	// settable says that an installed site's value can be changed.
	// +optional
	Settable bool `json:"settable,omitempty"`
}

// FieldOption is one choice of a select.
type FieldOption struct {
	// value of the choice.
	// +required
	// +kubebuilder:validation:MaxLength=255
	Value string `json:"value"`

	// label for people.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Label string `json:"label,omitempty"`
}

// ApplicationStatus is what became of the entry.
type ApplicationStatus struct {
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

	// latestVersion of its releases.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	LatestVersion string `json:"latestVersion,omitempty"`
}
