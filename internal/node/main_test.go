package node

import (
	"os"
	"testing"

	"github.com/probity-run/probity/internal/process"
)

func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	// A program under the race detector, such as the shepherd, otherwise sleeps a second when it
	// ends.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	m.Run()
}
