package agent

import (
	"os"
	"testing"

	"github.com/sitewright/sitewright/internal/mysql/mysqltest"
)

func TestMain(m *testing.M) {
	os.Exit(mysqltest.Main(m))
}
