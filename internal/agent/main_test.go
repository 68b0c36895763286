package agent

import (
	"context"
	"os"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
	"github.com/sitewright/sitewright/internal/plan"
)

// planVariable makes the test program an agent: it names a file with a plan.
const planVariable = "SITEWRIGHT_TEST_PLAN"

func TestMain(m *testing.M) {
	if name := os.Getenv(planVariable); name != "" {
		os.Exit(beAgent(name))
	}
	os.Exit(mysqltest.Main(m))
}

// beAgent carries out a plan as the program does, so that it can be killed.
func beAgent(name string) int {
	f, err := os.Open(name)
	if err != nil {
		return 1
	}
	p, err := plan.Read(f)
	if err != nil {
		return 1
	}
	r := Run(context.Background(), p, Options{StateDir: name + ".state", Progress: os.Stdout})
	if err := os.WriteFile(name+".result", r.Marshal(), 0o600); err != nil || r.Failure != nil {
		return 1
	}
	return 0
}
