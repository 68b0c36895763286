package v1alpha1

// Condition types. Ready is positive; Reconciling and Stalled are abnormal-true: present only while they hold.
// Together they follow kstatus: working is Ready=Unknown or False with Reconciling=True, given up is Ready=False with
// Stalled=True, done is Ready=True alone.
const (
	// ConditionReady says that the object is what its spec asks for.
	ConditionReady = "Ready"
	// ConditionReconciling says that the controller is working on it, or waits to.
	ConditionReconciling = "Reconciling"
	// ConditionStalled says that nothing will happen until a person changes something.
	ConditionStalled = "Stalled"
	// ConditionServing says, on an Install, whether its pods answer, whatever else is going on.
	ConditionServing = "Serving"
	// ConditionDatabaseReady says, on an Install, that its database and user exist.
	ConditionDatabaseReady = "DatabaseReady"
	// ConditionUpdateAvailable says, on an Install, that the catalogue has a newer release which it could run.
	ConditionUpdateAvailable = "UpdateAvailable"
	// ConditionBackedUp says, on an Install with a schedule, whether its last backup is as recent as it should be.
	ConditionBackedUp = "BackedUp"
	// ConditionMaintained says, on a BackupLocation, whether its repository gives back the room of what is deleted. The location is Ready
	// without it: backups are made and restored all the same.
	ConditionMaintained = "Maintained"
	// ConditionAdopted says, on a BackupLocation that adopts, whether every snapshot in its repository has a Backup. The location is Ready
	// without it, too.
	ConditionAdopted = "Adopted"
)

// Reasons say what is being done about a condition. They are few, and part of the API.
const (
	// ReasonProgressing: the work goes on.
	ReasonProgressing = "Progressing"
	// ReasonQueued: another task holds the Install; the message names it.
	ReasonQueued = "Queued"
	// ReasonRetrying: the last try failed and another follows.
	ReasonRetrying = "Retrying"
	// ReasonDependencyNotReady: something that the object refers to is missing or not ready yet.
	ReasonDependencyNotReady = "DependencyNotReady"
	// ReasonInvalidSpec: the spec asks for something that cannot be; change it.
	ReasonInvalidSpec = "InvalidSpec"
	// ReasonFailed: the work failed for good; the message says what to do.
	ReasonFailed = "Failed"
	// ReasonSucceeded: all of it is done.
	ReasonSucceeded = "Succeeded"
	// ReasonSuspended: the user asked for a pause.
	ReasonSuspended = "Suspended"
	// ReasonLate: what should have happened by now has not; the message says how late it is.
	ReasonLate = "Late"
	// ReasonNotImplemented: this version of Sitewright does not do it yet.
	ReasonNotImplemented = "NotImplemented"
)
