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

	// url is where the site is. It may carry a path. Two Installs cannot have the same URL.
	// +required
	URL SiteURL `json:"url"`

	// address is where the URL's host resolves while DNS cannot tell; used by checks and tasks.
	// +optional
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address"
	Address string `json:"address,omitempty"`

	// title of the site; omitted: the application's own default.
	// +optional
	// +kubebuilder:validation:MaxLength=255
	Title string `json:"title,omitempty"`

	// language of the site, one of the Application's languages; omitted: en.
	// +optional
	// +kubebuilder:validation:MaxLength=16
	// +kubebuilder:validation:Pattern=`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$`
	Language string `json:"language,omitempty"`

	// content is the sample content: "yes", "no", or a template's id.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:default="yes"
	Content string `json:"content,omitempty"`

	// admin is the site's first administrator; what is omitted is generated and kept in the Secret named in status.
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

// UpdatePolicy says which updates are made without being asked.
// +kubebuilder:validation:Enum=Off;Minor;Any
type UpdatePolicy string

// The update policies.
const (
	UpdateOff   UpdatePolicy = "Off"
	UpdateMinor UpdatePolicy = "Minor"
	UpdateAny   UpdatePolicy = "Any"
)

// UpdatesSpec says what happens when the catalogue gains a release.
type UpdatesSpec struct {
	// policy says which releases are taken.
	// +optional
	// +kubebuilder:default=Off
	Policy UpdatePolicy `json:"policy,omitempty"`

	// backup makes a backup before each update.
	// +optional
	// +kubebuilder:default=true
	Backup *bool `json:"backup,omitempty"`
}

// BackupsSpec says when and where a site is backed up.
// +kubebuilder:validation:XValidation:rule="!has(self.scheduleRef) || (!has(self.daily) && !has(self.weekly) && !has(self.monthly))",message="set either scheduleRef or the counts daily, weekly, monthly"
type BackupsSpec struct {
	// scheduleRef names a BackupSchedule.
	// +optional
	ScheduleRef *LocalReference `json:"scheduleRef,omitempty"`

	// daily is how many daily backups are kept.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=366
	Daily *int32 `json:"daily,omitempty"`

	// weekly is how many weekly backups are kept.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=260
	Weekly *int32 `json:"weekly,omitempty"`

	// monthly is how many monthly backups are kept.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=120
	Monthly *int32 `json:"monthly,omitempty"`

	// locationRef names the BackupLocation; omitted: the namespace's default.
	// +optional
	LocationRef *LocalReference `json:"locationRef,omitempty"`
}

// NotificationEvent is something that people are told about.
// +kubebuilder:validation:Enum=install;install_error;clone;clone_error;backup;backup_error;restore;restore_error;update_available;update;update_error;plugin_update_available;plugin_update;plugin_update_error
type NotificationEvent string

// NotificationsSpec says who is told about what.
type NotificationsSpec struct {
	// to is the address to write to; omitted: the administrator's.
	// +optional
	// +kubebuilder:validation:MaxLength=254
	// +kubebuilder:validation:Pattern=`^[^@\s]+@[^@\s]+$`
	To string `json:"to,omitempty"`

	// events to tell about; an empty list means none.
	// +optional
	// +kubebuilder:validation:MaxItems=14
	// +listType=set
	Events []NotificationEvent `json:"events,omitempty"`
}

// BootstrapSpec says how a site comes into being.
// +kubebuilder:validation:ExactlyOneOf=release;import;backup;clone
type BootstrapSpec struct {
	// release is a fresh installation of the application.
	// +optional
	Release *ReleaseBootstrap `json:"release,omitempty"`

	// import takes over a running site from elsewhere.
	// +optional
	Import *ImportBootstrap `json:"import,omitempty"`

	// backup takes the content of a backup.
	// +optional
	Backup *BackupBootstrap `json:"backup,omitempty"`

	// clone copies another Install of the namespace.
	// +optional
	Clone *CloneBootstrap `json:"clone,omitempty"`
}

// ReleaseBootstrap is a fresh installation.
type ReleaseBootstrap struct{}

// CloneBootstrap copies another Install.
type CloneBootstrap struct {
	// sourceRef names the Install to copy.
	// +required
	SourceRef LocalReference `json:"sourceRef"`
}

// OtherwisePolicy says what happens when there is no backup.
// +kubebuilder:validation:Enum=Release;Fail
type OtherwisePolicy string

// What to do without a backup.
const (
	// OtherwiseRelease makes a fresh installation.
	OtherwiseRelease OtherwisePolicy = "Release"
	// OtherwiseFail stalls the Install.
	OtherwiseFail OtherwisePolicy = "Fail"
)

// BackupBootstrap takes a site's content from a backup.
// +kubebuilder:validation:ExactlyOneOf=backupRef;latest
// +kubebuilder:validation:XValidation:rule="!has(self.backupRef) || !has(self.otherwise) || self.otherwise == 'Fail'",message="otherwise: Release goes with latest, not with backupRef"
type BackupBootstrap struct {
	// backupRef names a Backup of the namespace.
	// +optional
	BackupRef *LocalReference `json:"backupRef,omitempty"`

	// latest takes the newest snapshot of a site in a location, known to this cluster or not.
	// +optional
	Latest *LatestBackup `json:"latest,omitempty"`

	// otherwise says what happens when the location has no such snapshot.
	// +optional
	Otherwise OtherwisePolicy `json:"otherwise,omitempty"`
}

// LatestBackup is the newest snapshot of a site in a location.
type LatestBackup struct {
	// locationRef names the BackupLocation.
	// +required
	LocationRef LocalReference `json:"locationRef"`

	// install is the name of the site that was backed up.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Install string `json:"install"`

	// namespace that it was in; omitted: this one.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Namespace string `json:"namespace,omitempty"`
}

// ImportBootstrap takes over a running site.
type ImportBootstrap struct {
	// url of the running site.
	// +required
	URL SiteURL `json:"url"`

	// source says how to get at its files.
	// +required
	Source ImportSource `json:"source"`

	// address is used instead of DNS for the source.
	// +optional
	// +kubebuilder:validation:MaxLength=45
	// +kubebuilder:validation:XValidation:rule="isIP(self)",message="must be an IP address"
	Address string `json:"address,omitempty"`
}

// ImportSource says how to get at a running site's files.
// +kubebuilder:validation:ExactlyOneOf=ftp;sftp;ssh;application
type ImportSource struct {
	// ftp reads over FTP, with TLS where tls says so.
	// +optional
	FTP *FTPSource `json:"ftp,omitempty"`

	// sftp reads over SFTP.
	// +optional
	SFTP *SSHSource `json:"sftp,omitempty"`

	// ssh reads files and the database over SSH.
	// +optional
	SSH *SSHSource `json:"ssh,omitempty"`

	// application logs in to the application itself as an administrator.
	// +optional
	Application *ApplicationSource `json:"application,omitempty"`
}

// TLSMode says whether and how FTP is encrypted.
// +kubebuilder:validation:Enum=None;Explicit;Implicit
type TLSMode string

// The modes of FTP.
const (
	TLSNone     TLSMode = "None"
	TLSExplicit TLSMode = "Explicit"
	TLSImplicit TLSMode = "Implicit"
)

// FTPSource is a directory on an FTP server.
type FTPSource struct {
	// host of the server.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host"`

	// port of the server.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:default=21
	Port int32 `json:"port,omitempty"`

	// path of the site's directory.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`

	// tls encrypts the connection.
	// +optional
	// +kubebuilder:default=Explicit
	TLS TLSMode `json:"tls,omitempty"`

	// credentialsSecretRef names a Secret with the keys username and password.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// SSHSource is a directory on a server that is reached over SSH.
type SSHSource struct {
	// host of the server.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Host string `json:"host"`

	// port of the server.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	// +kubebuilder:default=22
	Port int32 `json:"port,omitempty"`

	// path of the site's directory.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Path string `json:"path,omitempty"`

	// hostKey is the server's public key in the format of known_hosts; omitted: pinned at first use.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	HostKey string `json:"hostKey,omitempty"`

	// credentialsSecretRef names a Secret with the keys username and password or ssh-privatekey.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// ApplicationSource is the application's own administrator.
type ApplicationSource struct {
	// credentialsSecretRef names a Secret with the keys username and password.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}
