package v1alpha1

// BootstrapSpec says how a site comes into being.
// +kubebuilder:validation:ExactlyOneOf=release;import;backup;clone;orphan
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

	// orphan takes over what an Install of this name left that was deleted under the deletionPolicy Orphan: its volume, its database and its Secrets. The
	// site is served as it was, at the URL that it was at.
	// +optional
	Orphan *OrphanBootstrap `json:"orphan,omitempty"`
}

// OrphanBootstrap takes over what an Install of the same name left.
type OrphanBootstrap struct{}

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

	// port of the server; omitted: 21, or 990 with tls Implicit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`

	// path of the directory, from where the login leads unless it begins with a slash.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(c, c == '..')",message="must be a path without '..'"
	Path string `json:"path,omitempty"`

	// tls encrypts the connection. A server that does not offer it is an error: nothing falls back to clear text.
	// +optional
	// +kubebuilder:default=Explicit
	TLS TLSMode `json:"tls,omitempty"`

	// caBundle holds PEM certificates that are trusted besides the usual ones.
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	CABundle string `json:"caBundle,omitempty"`

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

	// path of the directory, from where the login leads unless it begins with a slash.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.split('/').exists(c, c == '..')",message="must be a path without '..'"
	Path string `json:"path,omitempty"`

	// hostKey is the server's public key in the format of known_hosts; omitted: pinned at first use, and another one is refused from
	// then on. A server that was set up anew is trusted again when its new key is written here.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	HostKey string `json:"hostKey,omitempty"`

	// credentialsSecretRef names a Secret with the keys username and password or ssh-privatekey, which may be encrypted with what is
	// under the key passphrase.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}

// ApplicationSource is the application's own administrator.
type ApplicationSource struct {
	// credentialsSecretRef names a Secret with the keys username and password.
	// +required
	CredentialsSecretRef LocalReference `json:"credentialsSecretRef"`
}
