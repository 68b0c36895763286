package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SettingsStatus is what the application was told of the spec's settings. What is changed in the application itself stays as it is there, until the
// spec changes.
type SettingsStatus struct {
	// told holds, of each setting that the application was told or was made with, a digest of its value. Of a password it is one of the Secret's version,
	// which tells nothing of the password.
	// +optional
	// +kubebuilder:validation:MaxProperties=80
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 80 && self[k].size() <= 64)",message="names are at most 80 characters, digests 64"
	Told map[string]string `json:"told,omitempty"`

	// loginTime is when the administrator's login was last brought to the application; nil means that the site was made with it.
	// +optional
	LoginTime *metav1.Time `json:"loginTime,omitempty"`

	// loginLost says that a generation serves that may be from before that: the login is brought to it, too.
	// +optional
	LoginLost bool `json:"loginLost,omitempty"`

	// failed stands for the settings that could not be brought to the application; they are tried again when the spec, or a Secret, changes.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Failed string `json:"failed,omitempty"`

	// message says why.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`

	// time at which the application was last told something, or it failed.
	// +optional
	Time *metav1.Time `json:"time,omitempty"`
}

// InspectionStatus is how a look at a site went.
type InspectionStatus struct {
	// time at which it ended.
	// +required
	Time metav1.Time `json:"time"`

	// generation of the site that was looked at.
	// +required
	Generation int64 `json:"generation"`

	// title that the application has.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Title string `json:"title,omitempty"`

	// more plugins and themes are there than could be listed.
	// +optional
	More int64 `json:"more,omitempty"`

	// message says what was wrong; empty when all went well.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
}
