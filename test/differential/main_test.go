package differential

import (
	"flag"
	"os"
	"testing"

	"github.com/probity-run/probity/internal/process"
)

// TestMain lets the test binary be the shepherd too.
func TestMain(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	flag.String("recordings", "testdata", "folder of the recordings to compare with")
	flag.Bool("update", false, "write docs/conformance.md")
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil { // scenarios wait more than they work
		panic(err)
	}
	os.Exit(m.Run())
}
