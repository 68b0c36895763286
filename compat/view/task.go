package view

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Task is something that is being done, or was recently.
type Task struct {
	ID      string `json:"id"`
	User    string `json:"user"`
	WSLabel string `json:"ws_label"`
	URL     string `json:"url"`
	Title   string `json:"title"`
	Label   string `json:"label"`
	Status  string `json:"status"`
	// Rate is how many milliseconds it is expected to take from PercentMin to PercentMax; 0 when nobody knows, and then the two are the same.
	Rate       int64  `json:"rate"`
	PercentMin int32  `json:"percentMin"`
	PercentMax int32  `json:"percentMax"`
	Message    string `json:"message"`
	Command    string `json:"cmd"`
	Install    string `json:"install"`
	// Backup is the backup that was made, or that is restored or deleted.
	Backup string `json:"backup,omitempty"`
	Time   int64  `json:"time"`
}

// The states of a task.
const (
	TaskQueued     = "queued"
	TaskProcessing = "processing"
	TaskComplete   = "complete"
	TaskFailed     = "error"
)

// Work is what a task's object says of how far it is, whatever kind it is of.
type Work struct {
	// Command that asks for such a task.
	Command string
	// Conditions and Progress of the object.
	Conditions []metav1.Condition
	Progress   *api.Progress
	// Began is when the object was made, Ended when its work was over, or zero.
	Began, Ended time.Time
	// Deleting says that the work is to delete the object.
	Deleting bool
}

// labels are translation keys.
var labels = map[string]string{
	"install": "_tasks_installing", "backup": "_tasks_backuping", "restore": "_tasks_restoring", "clone": "_tasks_cloning", "upgrade": "_tasks_upgrading",
	"uninstall": "_tasks_uninstalling", "delete": "_tasks_deleting", "importbackup": "_tasks_importing", "import": "_tasks_importing",
}

// OfWork shows a task. Its id, user, URL, title, and install are for the caller to fill in.
func OfWork(w Work) Task {
	t := Task{Label: labels[w.Command], Command: w.Command, Time: w.Began.Unix(), Status: TaskProcessing}
	if ready := condition(w.Conditions, api.ConditionReady); ready != nil {
		t.Message = ready.Message
		if ready.Reason == api.ReasonQueued {
			t.Status = TaskQueued
		}
	}
	if p := w.Progress; p != nil {
		t.PercentMin, t.PercentMax = p.Percent, p.Percent
		if p.Rate > 0 && p.Until > p.Percent {
			t.Rate, t.PercentMax = p.Rate, p.Until
		}
		if p.Message != "" {
			t.Message = p.Message
		}
	}
	switch {
	case w.Deleting:
	case w.Failed():
		t.Status, t.Rate, t.PercentMax = TaskFailed, 0, t.PercentMin
		t.Message = condition(w.Conditions, api.ConditionReady).Message
	case !w.Ended.IsZero():
		t.Status, t.PercentMin, t.PercentMax, t.Rate = TaskComplete, 100, 100, 0
	}
	return t
}

// Failed tells whether the work was given up.
func (w Work) Failed() bool {
	return holds(w.Conditions, api.ConditionStalled) && condition(w.Conditions, api.ConditionReady) != nil
}

// Over tells whether the work is over, well or not.
func (w Work) Over() bool { return !w.Deleting && (w.Failed() || !w.Ended.IsZero()) }

// Outcome is how the work ended: whether well, and what its object says of it.
func (w Work) Outcome() (well bool, message string) {
	if ready := condition(w.Conditions, api.ConditionReady); ready != nil {
		message = ready.Message
	}
	return w.Over() && !w.Failed() && holds(w.Conditions, api.ConditionReady), message
}

// OfTask is the work of a run-to-completion object.
func OfTask(command string, meta *metav1.ObjectMeta, s *api.TaskStatus) Work {
	w := Work{Command: command, Began: meta.CreationTimestamp.Time, Progress: s.Progress}
	if s.ObservedGeneration == meta.Generation {
		w.Conditions = s.Conditions
	}
	if s.CompletionTime != nil {
		w.Ended = s.CompletionTime.Time
	}
	if meta.DeletionTimestamp != nil {
		w.Command, w.Began, w.Ended, w.Deleting = "delete", meta.DeletionTimestamp.Time, time.Time{}, true
	}
	return w
}

// OfInstalling is the work of making an Install's site, or of removing it. The work is over when the site serves for the first time.
func OfInstalling(in *api.Install) Work {
	w := Work{Command: "install", Began: in.CreationTimestamp.Time, Progress: in.Status.Progress}
	if in.Status.ObservedGeneration == in.Generation {
		w.Conditions = in.Status.Conditions
	}
	serving := condition(in.Status.Conditions, api.ConditionServing)
	if in.Status.Generation > 0 && serving != nil && serving.Status == metav1.ConditionTrue && !holds(w.Conditions, api.ConditionReconciling) {
		w.Ended = serving.LastTransitionTime.Time
		// What became of it later, such as an edit that cannot be, is not how the installation went.
		w.Conditions = []metav1.Condition{{Type: api.ConditionReady, Status: metav1.ConditionTrue, Message: serving.Message}}
	}
	if in.DeletionTimestamp != nil {
		w.Command, w.Began, w.Ended, w.Deleting = "uninstall", in.DeletionTimestamp.Time, time.Time{}, true
	}
	return w
}
