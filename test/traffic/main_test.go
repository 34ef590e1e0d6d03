package traffic

import (
	"testing"

	"github.com/probity-run/probity/test/harness"
)

func TestMain(m *testing.M) { harness.MainParallel(m, parallel) }
