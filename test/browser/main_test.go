package browser

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// timeout is how long something may take that should take a second: on a machine that does much
// else the rules of axe alone have taken twenty, and the first answers of the playground sixty.
const timeout = 3 * time.Minute

// TestMain makes the test binary a program too, which Pods run: see service.
func TestMain(m *testing.M) {
	if mode := os.Getenv("PROBITY_TEST_SERVICE"); mode != "" {
		service(mode)
		return
	}
	os.Exit(run(m))
}

// allocator is the one browser of all tests; a tab is a test's own. folder is for what is built.
var (
	allocator context.Context
	folder    string
)

func run(m *testing.M) int {
	path, err := exec.LookPath("chromium-headless-shell")
	if err != nil {
		if os.Getenv("CI") == "" {
			fmt.Println("NOT TESTED: the dashboard, as chromium-headless-shell is not installed: see the package comment")
			return 0
		}
		fmt.Println("the dashboard needs chromium-headless-shell: see the package comment")
		return 1
	}
	if folder, err = os.MkdirTemp("", "probity-browser-"); err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(folder)
	build := exec.Command("go", "build", "-o", filepath.Join(folder, "probity"), ".")
	build.Dir, build.Env = "../../cmd/probity", append(os.Environ(), "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("cannot build probity: %v\n%s", err, out)
		return 1
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true), chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP "+reboundName+" 127.0.0.1"))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	defer cancel()
	browser, closeBrowser := chromedp.NewContext(ctx)
	defer closeBrowser()
	if err := chromedp.Do(browser, chromedp.Navigate("about:blank")); err != nil {
		fmt.Println("cannot start the browser:", err)
		return 1
	}
	allocator = browser
	return m.Run()
}

// reboundName is a name of somebody else's that means this machine.
const reboundName = "rebound.test"

// hostile is what services and manifests may say.
const hostile = `<img src=x onerror="document.title='broken'">` + "\u202e\x1b]8;;javascript:alert(1)\x07'\"><script>document.title='broken'</script>"

// service is a service that is probed: it answers, prints, and can be told by its mode to fail.
func service(mode string) {
	started := time.Now()
	var printing sync.WaitGroup
	printing.Go(func() {
		for n := 0; ; n++ {
			fmt.Printf("\x1b[32mINFO\x1b[0m line %d of %s\n", n, mode)
			if mode == "hostile" {
				fmt.Println(hostile)
			}
			time.Sleep(200 * time.Millisecond)
		}
	})
	err := http.ListenAndServe("0.0.0.0:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case mode == "hostile" && r.URL.Path == "/readyz":
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, hostile)
		case mode == "flaky" && r.URL.Path == "/readyz" && time.Since(started)/(20*time.Second)%2 == 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "database: ping: connection refused")
		case mode == "stuck" && time.Since(started) > 25*time.Second:
			time.Sleep(5 * time.Second)
		case mode == "late" && r.URL.Path == "/startupz" && time.Since(started) < time.Minute:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			fmt.Fprint(w, "ok")
		}
	}))
	fmt.Println(err)
	os.Exit(1)
}

// server is a running probity.
type server struct {
	t     *testing.T
	state string
	dir   string
	cmd   *exec.Cmd
	out   strings.Builder
}

// startServer runs a manifest until the test ends.
func startServer(t *testing.T, manifest string) *server {
	t.Helper()
	s := &server{t: t, state: filepath.Join(t.TempDir(), "state"), dir: t.TempDir()}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "app.yaml"), []byte(strings.ReplaceAll(manifest, "PROGRAM", self)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(func() { s.stop(os.Interrupt) })
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(filepath.Join(folder, "probity"), "run", "--plain", "--state-dir", s.state, "app.yaml")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// stop ends the run, and waits for that.
func (s *server) stop(sig os.Signal) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(sig) // it may have ended
	_ = s.cmd.Wait()
	s.cmd = nil
	if s.t.Failed() {
		s.t.Logf("probity said:\n%s", s.out.String())
	}
}

// link is a fresh link to the dashboard.
func (s *server) link() string {
	s.t.Helper()
	for end := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		out, err := exec.Command(filepath.Join(folder, "probity"), "dashboard", "--state-dir", s.state).CombinedOutput()
		if err == nil {
			return strings.TrimSpace(string(out))
		}
		if time.Now().After(end) || s.cmd.Process.Signal(syscall.Signal(0)) != nil {
			s.t.Fatalf("there is no dashboard: %s", out)
		}
	}
}
