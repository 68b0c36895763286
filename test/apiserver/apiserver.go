// Package apiserver starts a real API server with etcd, and with the project's kinds, for tests that need no kubelet.
package apiserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	api "github.com/sitewright/sitewright/api/v1alpha1"
)

// Server is an API server that runs until Stop.
type Server struct {
	// Config reaches it, as its administrator, as often as one likes.
	Config *rest.Config
	// Scheme has Kubernetes' own kinds and the project's.
	Scheme *runtime.Scheme

	environment *envtest.Environment
}

// Start starts one. The argument is the way from the test's folder to the top of the checkout.
func Start(top string) (*Server, error) {
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		assets = filepath.Join(top, ".cluster", "bin")
	}
	for _, program := range []string{"kube-apiserver", "etcd"} {
		if _, err := os.Stat(filepath.Join(assets, program)); err != nil {
			return nil, fmt.Errorf("these tests run %s: make it with `go run ./hack/cluster tools` and set KUBEBUILDER_ASSETS to the folder that it prints: %w", program, err)
		}
	}
	s := &Server{Scheme: runtime.NewScheme(), environment: &envtest.Environment{
		BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join(top, "config", "crd", "bases")}, ErrorIfCRDPathMissing: true,
	}}
	if err := errors.Join(clientgoscheme.AddToScheme(s.Scheme), api.AddToScheme(s.Scheme)); err != nil {
		return nil, err
	}
	var err error
	if s.Config, err = s.environment.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start the API server: %w", err), s.environment.Stop())
	}
	s.Config.QPS, s.Config.Burst = -1, -1
	return s, nil
}

// Stop ends it.
func (s *Server) Stop() error { return s.environment.Stop() }
