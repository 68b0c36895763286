package v1alpha1

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
	// policy says which releases are taken: Off takes none, Minor those of the branch that serves, Any the newest that the site can be upgraded to.
	// +optional
	// +kubebuilder:default=Off
	Policy UpdatePolicy `json:"policy,omitempty"`

	// backup makes a backup before each update.
	// +optional
	// +kubebuilder:default=true
	Backup *bool `json:"backup,omitempty"`
}

// BackupsSpec says when and where a site is backed up. With counts of its own, and no schedule, a site is backed up between midnight and six in
// the morning, UTC, at a minute that a hash of its UID chooses: each day where daily backups are kept, else each Monday, else on the first of each month.
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

// NotificationsSpec says who is told about what, by mail. The operator needs a mail server for that.
type NotificationsSpec struct {
	// to is the address to write to; omitted: that of spec.admin, else the one in the Secret with the administrator's login.
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
