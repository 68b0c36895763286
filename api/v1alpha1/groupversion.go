// Package v1alpha1 is the API of Sitewright, group sitewright.dev: web applications and what happens to them during their life.
//
// Every kind follows kstatus: the conditions Ready, Reconciling and Stalled, and an observedGeneration, say whether an
// object is what its spec asks for, is being worked on, or needs a person. See conditions.go.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package="applyconfiguration"
// +groupName=sitewright.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is this API's group and version.
var GroupVersion = schema.GroupVersion{Group: "sitewright.dev", Version: "v1alpha1"}

// SchemeGroupVersion is GroupVersion under the name that generated code expects.
var SchemeGroupVersion = GroupVersion

// AddToScheme registers every kind of this package.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&Application{}, &ApplicationList{},
		&Backup{}, &BackupList{},
		&BackupLocation{}, &BackupLocationList{},
		&BackupSchedule{}, &BackupScheduleList{},
		&Clone{}, &CloneList{},
		&DatabaseServer{}, &DatabaseServerList{},
		&Install{}, &InstallList{},
		&Restore{}, &RestoreList{},
		&Upgrade{}, &UpgradeList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
