package probitytest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/probity-run/probity/internal/cli"
	"github.com/probity-run/probity/internal/process"
)

// mainVariable tells [Options.Run] that [Main] was called by this process: its value is the id.
const mainVariable = "PROBITY_TEST_MAIN"

// Main runs the tests of a package, for its TestMain, and returns the exit code. It does not return
// in a process that was started to own the programs of a run, or in one that a manifest starts as
// probity, for an exec probe for example.
func Main(m *testing.M) int {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	if filepath.Base(os.Args[0]) == "probity" {
		os.Exit(cli.Main(context.Background(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
	}
	if err := os.Setenv(mainVariable, strconv.Itoa(os.Getpid())); err != nil {
		panic(err) // the name is one of ours: it cannot be wrong
	}
	return m.Run()
}

// errNoMain says what a package lacks. Without it the test binary, started to own the programs,
// would run all tests again.
var errNoMain = errors.New("this package needs: func TestMain(m *testing.M) { os.Exit(probitytest.Main(m)) }")

func checkMain() error {
	if os.Getenv(mainVariable) != strconv.Itoa(os.Getpid()) {
		return errNoMain
	}
	return nil
}
