// Package harness runs the probity command for tests: with real processes, sockets and signals, and
// with a look at everything it starts.
//
// The test binary of a package that uses it is three programs: see [Main].
package harness

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/cli"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/test/service"
)

// Patience is how long a test waits for something that should come within a second or a few.
const Patience = 120 * time.Second

// Main is the whole TestMain. It lets the test binary be three programs: the tests, probity (with
// its shepherd), and the scripted service.
func Main(m *testing.M) {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	switch filepath.Base(os.Args[0]) {
	case "probity":
		os.Exit(cli.Main(context.Background(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
	case "service":
		os.Exit(service.Main(os.Args[1:]))
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // the tests wait more than they work
		panic(err)
	}
	// A program under the race detector otherwise sleeps a second when it ends, each shepherd and
	// service too.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// WaitFor polls a condition that nothing announces.
func WaitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !Within(Patience, holds) {
		t.Fatalf("not within %v: %s", Patience, what)
	}
}

// Within polls a condition and says whether it came true in time.
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

// FreePort finds a port that nobody listens on; a program that is told it listens there soon after.
// The kernel does not give it to an outgoing connection meanwhile, and Probity not to a Pod: both
// take higher ones.
func FreePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(10000)
		if listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatal("cannot find a free port")
	return 0
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

// Alive says whether there is such a process, be it a zombie.
func Alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
