package plan

// Location is a repository: exactly one of the pointers is set. The fields are those of the protocols' own configurations; of
// what is secret there is the name of the file that holds it. Certificates are PEM, and trusted besides the system's.
type Location struct {
	// Name of the BackupLocation, for messages.
	Name    string   `json:"name"`
	S3      *S3      `json:"s3,omitempty"`
	FTP     *FTP     `json:"ftp,omitempty"`
	SFTP    *SFTP    `json:"sftp,omitempty"`
	WebDAV  *WebDAV  `json:"webdav,omitempty"`
	Dropbox *Dropbox `json:"dropbox,omitempty"`
	Volume  *Volume  `json:"volume,omitempty"`
	// PasswordFile holds the repository's password.
	PasswordFile string `json:"passwordFile"`
}

// S3 is a bucket of an S3 service.
type S3 struct {
	Endpoint string `json:"endpoint"`
	Region   string `json:"region,omitempty"`
	Bucket   string `json:"bucket"`
	Prefix   string `json:"prefix,omitempty"`
	// Addressing is "path", "virtualHost" or, to take what the service wants, empty.
	Addressing string `json:"addressing,omitempty"`
	CA         string `json:"ca,omitempty"`
	// AccessKeyFile and SecretKeyFile hold the credentials.
	AccessKeyFile string `json:"accessKeyFile"`
	SecretKeyFile string `json:"secretKeyFile"`
}

// FTP is a directory on an FTP server.
type FTP struct {
	Host string `json:"host"`
	// Port 0 is the protocol's own.
	Port int    `json:"port,omitempty"`
	Path string `json:"path,omitempty"`
	// TLS is "none", "explicit" or "implicit".
	TLS string `json:"tls"`
	CA  string `json:"ca,omitempty"`
	Login
}

// SFTP is a directory on a server that is reached over SSH.
type SFTP struct {
	Host string `json:"host"`
	// Port 0 is the protocol's own.
	Port int    `json:"port,omitempty"`
	Path string `json:"path,omitempty"`
	// HostKey as in known_hosts; empty means that the key of the first connection is taken.
	HostKey string `json:"hostKey,omitempty"`
	Login
	// PrivateKeyFile and PassphraseFile may be missing or empty, and so may the password's.
	PrivateKeyFile string `json:"privateKeyFile,omitempty"`
	PassphraseFile string `json:"passphraseFile,omitempty"`
}

// WebDAV is a collection of a WebDAV server.
type WebDAV struct {
	URL string `json:"url"`
	CA  string `json:"ca,omitempty"`
	Login
}

// Login holds a user's name and password.
type Login struct {
	UserFile     string `json:"userFile"`
	PasswordFile string `json:"passwordFile,omitempty"`
}

// Dropbox is a folder of a Dropbox account.
type Dropbox struct {
	Path             string `json:"path,omitempty"`
	AppKeyFile       string `json:"appKeyFile"`
	AppSecretFile    string `json:"appSecretFile"`
	RefreshTokenFile string `json:"refreshTokenFile"`
}

// Volume is a directory that is a mounted volume.
type Volume struct {
	Path string `json:"path"`
}

// Open opens a repository, or makes it where there is none.
type Open struct {
	Location Location `json:"location"`
	// MakeDirectory makes a directory that is missing on the server. Where a repository was seen before, its directory is not made
	// anew: that it is missing is what there is to tell.
	MakeDirectory bool `json:"makeDirectory,omitempty"`
}
