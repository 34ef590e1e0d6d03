//go:build kubectl

package kubectl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The two variables by which the tests are played on another server: see the package comment.
const (
	programVariable    = "PROBITY_TEST_PROGRAM"
	kubeconfigVariable = "PROBITY_TEST_KUBECONFIG"
	// bareVariable says that this server has no controllers.
	bareVariable = "PROBITY_TEST_BARE"
)

// TestMain makes the test binary two programs too, which Pods run: web and numbers.
func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"web": web, "numbers": numbers})
}

// folder is for what is built; it is there while tests run.
var folder string

type tests struct{ m *testing.M }

// Run runs the tests and returns the exit code.
func (t tests) Run() int {
	var err error
	if folder, err = os.MkdirTemp("", "probity-kubectl-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	return t.m.Run()
}

// web answers HTTP requests at $PORT until it is told to stop: its process id for everything that
// is asked, and it prints a line for each.
func web() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.Method, r.URL.Path)
		fmt.Fprintln(w, os.Getpid())
	})}
	var stopped sync.WaitGroup
	stopped.Go(func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background()) // its clients have an end
	})
	err := server.ListenAndServe()
	stop()
	stopped.Wait()
	if !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, "web:", err)
		os.Exit(1)
	}
}

// programs are what the tests run.
type programs struct{ kubectl, probity string }

var buildPrograms = sync.OnceValues(func() (programs, error) {
	ctx := context.Background()
	kubectl, err := BuildKubectl(ctx)
	if err != nil {
		return programs{}, err
	}
	if other := os.Getenv(programVariable); other != "" {
		return programs{kubectl, other}, nil
	}
	probity, err := BuildProbity(ctx, folder)
	return programs{kubectl, probity}, err
})

// startServer starts an empty node for one test, or takes the server that is given, and returns the
// path of its kubeconfig. stop, which may be called early, ends the node.
func startServer(t *testing.T, state string) (kubeconfig string, stop func()) {
	t.Helper()
	if other := os.Getenv(kubeconfigVariable); other != "" {
		return other, func() {}
	}
	programs, err := buildPrograms()
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(programs.probity, state, t.TempDir(), os.Environ())
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("%v\nit said:\n%s", err, server.Output())
		}
	})
	t.Cleanup(stop)
	return server.Kubeconfig, stop
}

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	if !within(timeout, holds) {
		t.Fatalf("not within %v: %s", timeout, what)
	}
}
