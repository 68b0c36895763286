package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// BackupLocationStatus is whether the location is of use.
type BackupLocationStatus struct {
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

	// where is the location in a few words, without secrets.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Where string `json:"where,omitempty"`

	// hostKey is what an SSH server without spec.sftp.hostKey showed at first use, in the format of known_hosts. It is enforced for as
	// long as the location is on that server.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	HostKey string `json:"hostKey,omitempty"`

	// repositoryID tells one repository from another made later in the same place.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	RepositoryID string `json:"repositoryID,omitempty"`

	// passwordSecretRef names the password that opens the repository with the stock kopia program.
	// +optional
	PasswordSecretRef *SecretKeyReference `json:"passwordSecretRef,omitempty"`

	// lastChecked is when the repository was last opened.
	// +optional
	LastChecked *metav1.Time `json:"lastChecked,omitempty"`

	// maintenance of the repository. How it went is said by the condition Maintained.
	// +optional
	Maintenance *MaintenanceStatus `json:"maintenance,omitempty"`

	// statistics of the repository.
	// +optional
	Statistics *RepositoryStatistics `json:"statistics,omitempty"`

	// adoption of snapshots, where the spec asks for it. How it went is said by the condition Adopted.
	// +optional
	Adoption *AdoptionStatus `json:"adoption,omitempty"`
}

// MaintenanceStatus is who maintains a repository, and when.
type MaintenanceStatus struct {
	// owner is who maintains the repository: sitewright@ and the UID of a BackupLocation, of this cluster or of another. An owner who has not
	// done so for seven days is replaced.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Owner string `json:"owner,omitempty"`

	// lastQuick is when indexes were last compacted.
	// +optional
	LastQuick *metav1.Time `json:"lastQuick,omitempty"`

	// lastFull is when room was last given back.
	// +optional
	LastFull *metav1.Time `json:"lastFull,omitempty"`

	// next is when room is to be given back again.
	// +optional
	Next *metav1.Time `json:"next,omitempty"`
}

// RepositoryStatistics are figures of a whole repository.
type RepositoryStatistics struct {
	// snapshots in the repository, of every cluster.
	// +optional
	Snapshots int64 `json:"snapshots"`

	// logicalBytes is what they would take if each were a plain copy.
	// +optional
	LogicalBytes int64 `json:"logicalBytes"`

	// uniqueBytes is what is left of that after deduplication, before compression.
	// +optional
	UniqueBytes int64 `json:"uniqueBytes"`

	// storedBytes is what the location holds, with what awaits maintenance.
	// +optional
	StoredBytes int64 `json:"storedBytes"`

	// blobs that the location holds.
	// +optional
	Blobs int64 `json:"blobs"`

	// time of these figures.
	// +required
	Time metav1.Time `json:"time"`
}

// AdoptionStatus is what was adopted of a repository.
type AdoptionStatus struct {
	// lastLooked is when the repository was last searched for snapshots that are not known here.
	// +optional
	LastLooked *metav1.Time `json:"lastLooked,omitempty"`

	// adopted are the snapshots that got a Backup, by the first twelve digits of their ids: none gets another one.
	// +optional
	// +kubebuilder:validation:MaxItems=2000
	// +kubebuilder:validation:items:MaxLength=12
	// +listType=atomic
	Adopted []string `json:"adopted,omitempty"`
}
