package controllers_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/sitewright/sitewright/controllers"
	"github.com/sitewright/sitewright/controllers/install"
	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/test/apiserver"
)

// cluster is the one API server of these tests. It has no kubelet and no controllers but ours: the tests play those.
var cluster struct {
	config  *rest.Config
	scheme  *runtime.Scheme
	live    client.WithWatch
	indexes indexes
}

var platform = install.Platform{
	OperatorImage: "example/sitewright:1",
	Runtimes: map[string]string{
		"php-7.4": "example/runtime:php-7.4", "php-8.2": "example/runtime:php-8.2", "php-8.4": "example/runtime:php-8.4",
	},
	Exposure: "ingress", IngressClass: "local",
}

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "controllers:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	server, err := apiserver.Start("..")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	cluster.config, cluster.scheme = server.Config, server.Scheme
	if cluster.live, err = client.NewWithWatch(cluster.config, client.Options{Scheme: cluster.scheme}); err != nil {
		return 0, err
	}
	if err := recordIndexes(); err != nil {
		return 0, err
	}
	return mysqltest.Main(m), nil
}

// recordIndexes registers the controllers with a manager that never starts, to learn by which fields they look things up.
func recordIndexes() error {
	mgr, err := ctrl.NewManager(cluster.config, ctrl.Options{
		Scheme: cluster.scheme, Metrics: metricsserver.Options{BindAddress: "0"}, Controller: anyName(),
	})
	if err != nil {
		return err
	}
	cluster.indexes = indexes{}
	return controllers.Setup(context.Background(), wiring{mgr, cluster.indexes},
		controllers.Options{Platform: platform, ScheduledBackups: 10, Now: newClock().Now})
}

// anyName admits controllers of one name in several managers of one program.
func anyName() config.Controller { return config.Controller{SkipNameValidation: new(true)} }

// wiring is a manager whose indexes are recorded.
type wiring struct {
	manager.Manager
	fields indexes
}

func (w wiring) GetFieldIndexer() client.FieldIndexer { return w.fields }
