package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	corev1 "k8s.io/api/core/v1"
)

// Install is a web application that should exist at a URL.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.spec.url`
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.status.version`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 52",message="metadata.name of an Install must be no more than 52 characters"
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name of an Install must begin with a letter and hold only lower-case letters, digits and '-': Service takes its name"
type Install struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the site that should exist.
	// +required
	Spec InstallSpec `json:"spec"`

	// status is the site that does.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status InstallStatus `json:"status,omitzero"`
}

// InstallList is a list of Installs.
//
// +kubebuilder:object:root=true
type InstallList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Install `json:"items"`
}

// InstallSpec is a site that should exist.
// +kubebuilder:validation:XValidation:rule="has(self.bootstrap) == has(oldSelf.bootstrap) && (!has(self.bootstrap) || self.bootstrap == oldSelf.bootstrap)",message="bootstrap cannot be changed: it says how the site came into being"
// +kubebuilder:validation:XValidation:rule="has(self.database) == has(oldSelf.database)",message="database cannot be added or removed once the Install exists"
type InstallSpec struct {
	// application names the catalogue entry. It cannot be changed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="application cannot be changed; make another Install"
	Application string `json:"application"`

	// version is installed first and is a floor from then on: raising it upgrades, nothing ever goes back by it. Omitted:
	// the newest release that the runtime and the database can run.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z]([-+._0-9A-Za-z]*[0-9A-Za-z])?$`
	Version string `json:"version,omitempty"`

	// url is where the site is. It may carry a path. Two Installs cannot have the same URL. Another one moves the site.
	// +required
	URL SiteURL `json:"url"`

	// address is where the URL's host resolves while DNS cannot tell. It is kept for panels, and nothing uses it yet.
	// +optional
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address"
	Address string `json:"address,omitempty"`

	// title of the site; omitted: the application's own default, or what the site has.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Title string `json:"title,omitempty"`

	// language of the site, one of the Application's languages; omitted: en.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`
	Language string `json:"language,omitempty"`

	// content is the sample content that the site is made with: "yes", "no", or a template's id. It says nothing of a site that exists.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:default="yes"
	Content string `json:"content,omitempty"`

	// admin is the site's first administrator; what is omitted is generated and kept in the Secret named in status. What is changed is changed in the site.
	// +optional
	Admin *AdminSpec `json:"admin,omitempty"`

	// fields are application-specific values, checked against the Application's fields.
	// +optional
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(k, k.size() <= 63 && self[k].size() <= 1024)",message="names are at most 63 characters, values 1024"
	Fields map[string]FieldValue `json:"fields,omitempty"`

	// database says where the site's tables live; omitted: a database is made on the default DatabaseServer.
	// +optional
	// +kubebuilder:validation:XValidation:rule="has(self.serverRef) == has(oldSelf.serverRef) && (!has(self.serverRef) || self.serverRef == oldSelf.serverRef)",message="serverRef cannot be changed"
	// +kubebuilder:validation:XValidation:rule="has(self.existing) == has(oldSelf.existing) && (!has(self.existing) || self.existing.name == oldSelf.existing.name)",message="existing cannot be added, removed or renamed"
	// +kubebuilder:validation:XValidation:rule="has(self.prefix) == has(oldSelf.prefix) && (!has(self.prefix) || self.prefix == oldSelf.prefix)",message="prefix cannot be changed"
	Database *DatabaseTarget `json:"database,omitempty"`

	// storage is the site's volume.
	// +optional
	// +kubebuilder:default={}
	Storage StorageSpec `json:"storage,omitzero"`

	// runtime is what the site's code runs on.
	// +optional
	// +kubebuilder:default={}
	Runtime RuntimeSpec `json:"runtime,omitzero"`

	// exposure says how requests reach the site; omitted: the operator's default.
	// +optional
	Exposure *ExposureSpec `json:"exposure,omitempty"`

	// updates says what happens when the catalogue gains a release.
	// +optional
	Updates *UpdatesSpec `json:"updates,omitempty"`

	// backups says when and where the site is backed up.
	// +optional
	Backups *BackupsSpec `json:"backups,omitempty"`

	// notifications says who is told about what.
	// +optional
	Notifications *NotificationsSpec `json:"notifications,omitempty"`

	// keepPrevious is how long the previous generation of the site is kept, where disk allows.
	// +optional
	// +kubebuilder:default="24h"
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]+([.][0-9]+)?(ns|us|ms|s|m|h))+$') && duration(self) >= duration('0s') && duration(self) <= duration('8760h')",message="must be a duration such as 90m or 36h, between 0s and 8760h"
	KeepPrevious *metav1.Duration `json:"keepPrevious,omitempty"`

	// bootstrap says how the site comes into being; omitted: a fresh installation. It cannot be changed.
	// +optional
	Bootstrap *BootstrapSpec `json:"bootstrap,omitempty"`

	// deletionPolicy says what becomes of the volume, the database and the Secrets when the Install is deleted.
	// +optional
	// +kubebuilder:default=Delete
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`
}

// FieldValue is the value of an application-specific field.
// +kubebuilder:validation:MaxLength=1024
type FieldValue string

// AdminSpec is a site's administrator.
type AdminSpec struct {
	// login name; omitted: generated.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=60
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9 _.@-]*$`
	Login string `json:"login,omitempty"`

	// email address; omitted: admin@ the URL's host.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@\s]+@[^@\s]+$`
	Email string `json:"email,omitempty"`

	// passwordSecretRef names the password; omitted: generated.
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`
}

// StorageSpec is a site's volume.
// +kubebuilder:validation:XValidation:rule="has(self.storageClassName) == has(oldSelf.storageClassName)",message="storageClassName cannot be added or removed"
type StorageSpec struct {
	// size of the volume. It has to hold two generations of the site while one replaces the other.
	// +optional
	// +kubebuilder:default="2Gi"
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="must be more than 0"
	Size resource.Quantity `json:"size,omitzero"`

	// storageClassName of the volume; omitted: the cluster's default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="storageClassName cannot be changed"
	StorageClassName *string `json:"storageClassName,omitempty"`
}

// RuntimeSpec is what a site's code runs on.
type RuntimeSpec struct {
	// name of a runtime that the operator was given, such as php-8.2; omitted: the newest that the release supports.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`

	// replicas is the number of pods. All of them share one volume.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	// +kubebuilder:default=1
	Replicas *int32 `json:"replicas,omitempty"`

	// resources of one pod.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitzero"`
}

// ExposureSpec says how requests reach the site.
// +kubebuilder:validation:ExactlyOneOf=ingress;gateway;none
type ExposureSpec struct {
	// ingress makes an Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`

	// gateway makes an HTTPRoute of the Gateway API.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`

	// none makes nothing but the Service.
	// +optional
	None *NoExposure `json:"none,omitempty"`
}

// IngressExposure is an Ingress for the site.
type IngressExposure struct {
	// className of the Ingress; omitted: the cluster's default.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	ClassName *string `json:"className,omitempty"`

	// tlsSecretName names the Secret with the certificate.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	TLSSecretName string `json:"tlsSecretName,omitempty"`
}

// GatewayExposure is an HTTPRoute for the site.
type GatewayExposure struct {
	// parentRef names the Gateway.
	// +required
	ParentRef NamespacedReference `json:"parentRef"`

	// sectionName of the Gateway's listener; omitted: all of them.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SectionName string `json:"sectionName,omitempty"`
}

// NoExposure leaves it to others to bring requests to the site's Service.
type NoExposure struct{}
