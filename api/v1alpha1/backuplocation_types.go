package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BackupLocation is where snapshots live: one Kopia repository, encrypted on the client.
//
// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=sitewright
// +kubebuilder:printcolumn:name="Default",type=boolean,JSONPath=`.spec.default`
// +kubebuilder:printcolumn:name="Where",type=string,JSONPath=`.status.where`
// +kubebuilder:printcolumn:name="Snapshots",type=integer,JSONPath=`.status.statistics.snapshots`
// +kubebuilder:printcolumn:name="Size",type=integer,JSONPath=`.status.statistics.storedBytes`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63",message="metadata.name must be no more than 63 characters"
type BackupLocation struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is what is asked for.
	// +required
	Spec BackupLocationSpec `json:"spec"`

	// status is what is so.
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status BackupLocationStatus `json:"status,omitzero"`
}

// BackupLocationList is a list of BackupLocation objects.
//
// +kubebuilder:object:root=true
type BackupLocationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []BackupLocation `json:"items"`
}

// BackupLocationSpec says where the repository is.
// +kubebuilder:validation:ExactlyOneOf=s3;ftp;sftp;webdav;dropbox;volume
// +kubebuilder:validation:XValidation:rule="has(self.volume) == has(oldSelf.volume)",message="a location cannot change between a volume and something else; make another one"
type BackupLocationSpec struct {
	// default makes it the location for backups that name none. With several defaults in a namespace the oldest is taken.
	// +optional
	Default bool `json:"default,omitempty"`

	// adopt makes a Backup for each snapshot in the repository that this cluster does not know, such as those of another cluster, or of
	// this one before it was lost. Such a Backup has deletionPolicy Orphan: whoever made the snapshot may still need it. What was
	// adopted once, and what was made through this very location, is not adopted again when its Backup is deleted.
	// +optional
	Adopt bool `json:"adopt,omitempty"`

	// s3 is a bucket of an S3 service.
	// +optional
	S3 *S3Location `json:"s3,omitempty"`

	// ftp is a directory on an FTP server.
	// +optional
	FTP *FTPSource `json:"ftp,omitempty"`

	// sftp is a directory on a server that is reached over SSH.
	// +optional
	SFTP *SSHSource `json:"sftp,omitempty"`

	// webdav is a WebDAV collection.
	// +optional
	WebDAV *WebDAVLocation `json:"webdav,omitempty"`

	// dropbox is a folder of a Dropbox account.
	// +optional
	Dropbox *DropboxLocation `json:"dropbox,omitempty"`

	// volume is a volume made for this location. It needs nothing outside the cluster, and is lost with it.
	// +optional
	Volume *VolumeLocation `json:"volume,omitempty"`

	// encryption of the repository.
	// +optional
	Encryption *EncryptionSpec `json:"encryption,omitempty"`
}

// S3Addressing is where the name of a bucket goes.
// +kubebuilder:validation:Enum=Path;VirtualHost
type S3Addressing string

// Where the name of a bucket goes.
const (
	// S3Path puts it into the path: https://s3.example/bucket/name.
	S3Path S3Addressing = "Path"
	// S3VirtualHost puts it before the host: https://bucket.s3.example/name.
	S3VirtualHost S3Addressing = "VirtualHost"
)

// S3Location is a bucket of an S3 service.
type S3Location struct {
	// endpoint is the service's URL.
	// +required
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="isURL(self) && (self.startsWith('http://') || self.startsWith('https://')) && !self.contains('@') && !self.contains('?') && !self.contains('#')",message="must be an http:// or https:// URL without credentials, query or fragment"
	Endpoint string `json:"endpoint"`

	// region of the bucket.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Region string `json:"region,omitempty"`

	// bucket must exist.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9][-.a-z0-9]*[a-z0-9]$`
	Bucket string `json:"bucket"`

	// prefix of the objects' names; a slash at its end is added where there is none.
	// +optional
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(c, c == '..')",message="must be a relative path without '..'"
	Prefix string `json:"prefix,omitempty"`

	// addressing says where the bucket's name goes in a request; omitted: VirtualHost on the services that are known to want that, else
	// Path.
	// +optional
	Addressing S3Addressing `json:"addressing,omitempty"`

	// caBundle holds PEM certificates that are trusted besides the usual ones.
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	CABundle string `json:"caBundle,omitempty"`

	// credentialsSecretRef names a Secret with the keys access-key and secret-key.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// WebDAVLocation is a WebDAV collection.
type WebDAVLocation struct {
	// url of the collection.
	// +required
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="isURL(self) && (self.startsWith('http://') || self.startsWith('https://')) && !self.contains('@')",message="must be an http:// or https:// URL without credentials"
	URL string `json:"url"`

	// caBundle holds PEM certificates that are trusted besides the usual ones.
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	CABundle string `json:"caBundle,omitempty"`

	// credentialsSecretRef names a Secret with the keys username and password.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// DropboxLocation is a folder of a Dropbox account.
type DropboxLocation struct {
	// path of the folder, from the root of what the app may see.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(c, c == '..')",message="must be a path without '..'"
	Path string `json:"path,omitempty"`

	// credentialsSecretRef names a Secret with the keys app-key, app-secret and refresh-token.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// VolumeLocation is a volume made for a location.
type VolumeLocation struct {
	StorageSpec `json:",inline"`
}

// EncryptionSpec is the encryption of a repository. It cannot be turned off.
type EncryptionSpec struct {
	// passwordSecretRef names the repository's password; omitted: generated once and kept when the location is deleted,
	// since without it no snapshot can ever be read.
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`
}
