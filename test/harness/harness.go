// Package harness runs the probity command for tests, with real processes, sockets and signals, and
// finds every process that it starts.
//
// The test binary of a package that uses it is two programs more: see [Main].
package harness

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probitytest"
)

// Timeout is how long a test waits for something that should happen within a few seconds.
const Timeout = 120 * time.Second

// Main is the whole TestMain of a package. By it the test binary is three programs: the tests,
// probity, and its shepherd. It builds the scripted service. Eight tests run at a time, as they
// wait most of the time, so more can run than there are processors.
func Main(m *testing.M) { MainParallel(m, 8) }

// MainParallel is [Main] with another number of tests that run at a time.
func MainParallel(m *testing.M, parallel int) {
	if process.IsShepherd(os.Args) || filepath.Base(os.Args[0]) == "probity" {
		os.Exit(probitytest.Main(m))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", strconv.Itoa(parallel)); err != nil {
		panic(err)
	}
	// A program under the race detector otherwise sleeps a second when it ends, each shepherd and
	// service too.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	remove, err := buildService()
	if err != nil {
		panic(err)
	}
	code := probitytest.Main(m)
	if err := remove(); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// serviceVariable is the environment variable with the path of the scripted service.
const serviceVariable = "PROBITY_TEST_SERVICE"

// buildService builds the scripted service. It is a program of its own, without the race detector:
// it starts in a fifth of the processor time of a test binary, and tests start hundreds of them.
func buildService() (remove func() error, err error) {
	dir, err := os.MkdirTemp("", "probity-service-")
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "service")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", path, "github.com/probity-run/probity/test/service/cmd")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("cannot build the scripted service: %w: %s", err, out)
	}
	return func() error { return os.RemoveAll(dir) }, os.Setenv(serviceVariable, path)
}

// WaitFor polls a condition that nothing announces.
func WaitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !Within(Timeout, holds) {
		t.Fatalf("not within %v: %s", Timeout, what)
	}
}

// Within polls a condition and reports whether it came true in time.
func Within(limit time.Duration, holds func() bool) bool {
	deadline := time.Now().Add(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		if time.Now().After(deadline) {
			return false
		}
		<-tick.C
	}
	return true
}

// ReadFile reads a file that may not be there yet.
func ReadFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(data)
}

// Alive reports whether there is such a process, even as a zombie.
func Alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
