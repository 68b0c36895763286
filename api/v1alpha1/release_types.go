package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
)

// Release is one release of an application.
type Release struct {
	// version of the release.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9A-Za-z]([-+._0-9A-Za-z]*[0-9A-Za-z])?$`
	Version string `json:"version"`

	// branch that it belongs to.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	Branch string `json:"branch,omitempty"`

	// date of the release, YYYY-MM-DD.
	// +optional
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:Pattern=`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`
	Date string `json:"date,omitempty"`

	// tags such as security, minor, major.
	// +optional
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=32
	// +listType=set
	Tags []string `json:"tags,omitempty"`

	// changelog of the release.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Changelog string `json:"changelog,omitempty"`

	// source is the release's archive.
	// +required
	Source ReleaseSource `json:"source"`

	// requirements of the release.
	// +optional
	Requirements Requirements `json:"requirements,omitzero"`

	// upgradeFrom is the range of versions that can be upgraded to this release.
	// +optional
	UpgradeFrom VersionRange `json:"upgradeFrom,omitempty"`
}

// ReleaseSource is a release's archive: .tar.gz, .tar.zst or .zip.
// +kubebuilder:validation:ExactlyOneOf=sha256;sha1
type ReleaseSource struct {
	// url of the archive.
	// +required
	URL Link `json:"url"`

	// sha256 of the archive, in hexadecimal.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{64}$`
	SHA256 string `json:"sha256,omitempty"`

	// sha1 of the archive, in hexadecimal, for authors who publish nothing better.
	// +optional
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^[0-9a-f]{40}$`
	SHA1 string `json:"sha1,omitempty"`

	// stripComponents is how many leading directories are taken off each name.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=8
	StripComponents int32 `json:"stripComponents,omitempty"`
}

// VersionRange is a comma-separated list of ranges "from-to"; each end may be left out. "7.2.24-8.4.999,8.6-" holds
// 8.4.3 and 9, and not 8.5. The bounds are inclusive.
// +kubebuilder:validation:MaxLength=255
// +kubebuilder:validation:Pattern=`^[0-9A-Za-z.]*(-[0-9A-Za-z.]*)?(,[0-9A-Za-z.]*(-[0-9A-Za-z.]*)?)*$`
type VersionRange string

// Requirements of a release.
type Requirements struct {
	// diskSpace that a fresh installation takes.
	// +optional
	DiskSpace *resource.Quantity `json:"diskSpace,omitempty"`

	// php is the range of PHP versions that it runs on.
	// +optional
	PHP VersionRange `json:"php,omitempty"`

	// phpExtensions that it needs.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=32
	// +listType=set
	PHPExtensions []string `json:"phpExtensions,omitempty"`

	// mysql is the range of MySQL or MariaDB versions that it runs on.
	// +optional
	MySQL VersionRange `json:"mysql,omitempty"`
}
