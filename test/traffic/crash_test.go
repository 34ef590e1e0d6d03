package traffic

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/differential/local"
	"github.com/probity-run/probity/test/harness"
	"github.com/probity-run/probity/test/load/generator"
)

// TestCrash measures how fast the proxy leaves a replica whose process was killed: until it is out
// of rotation, and until the last attempt at it. Only the proxy's own state shows that, so
// everything that probity run consists of runs in this process. It is measured once without
// requests, so that nothing but the end of the process tells the proxy, and once with a thousand
// requests a second, of which the first may be refused earlier than that.
func TestCrash(t *testing.T) {
	for name, rate := range map[string]float64{"quiet": 0, "under load": 1000} {
		t.Run(name, func(t *testing.T) {
			s := startInProcess(t)
			if rate > 0 {
				s.load(rate)
			}
			for range crashTries {
				if s.leavesInTime() {
					return
				}
			}
			t.Errorf("a replica that crashed was in rotation for too long, in each of %d series", crashTries)
		})
	}
}

// crashTries is how many series are taken: a machine that is slow for half a minute is slow in the
// measure for it at another time.
const crashTries = 3

// slower is how much longer than a parent alone Probity may take on a machine that is too slow for
// [maxUntilOut]: a shepherd, a system and a proxy hear of the end one after the other. Measured are
// 2.2 to 3.3 times.
const slower = 4

// leavesInTime takes a series of crashes, and what the machine takes for the same alone, and
// reports whether the proxy adds little to that.
func (s *inProcessRun) leavesInTime() bool {
	var out, last []time.Duration
	for range crashes {
		o, l := s.crash()
		out, last = append(out, o), append(last, l)
	}
	slices.Sort(out)
	slices.Sort(last)
	s.t.Logf("from SIGKILL until out of rotation: median %v of %v", out[len(out)/2], out)
	s.t.Logf("from SIGKILL until the last attempt at the dead replica: median %v of %v", last[len(last)/2], last)
	alone := reaped(s.t)
	s.t.Logf("from SIGKILL until a parent knows of the end, without Probity: median %v", alone)
	median, most := max(out[len(out)/2], last[len(last)/2]), max(maxUntilOut, alone*slower)
	if median > most {
		s.t.Logf("it takes %v until a replica that crashed is out of rotation, want %v at most", median, most)
	}
	return median <= most
}

// reaped is how long this machine takes from SIGKILL until the parent of the same program knows of
// its end: the measure for all else, as machines differ by more than what Probity adds.
func reaped(t *testing.T) time.Duration {
	t.Helper()
	program := harness.Service()
	var all []time.Duration
	for range crashes {
		cmd := exec.Command(program, "-port=0")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond) // it serves
		began := time.Now()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// inProcessRun is a [web] that runs in this process, so that the proxy's state can be read.
type inProcessRun struct {
	t     *testing.T
	web   web
	sys   *local.System
	round int
}

func startInProcess(t *testing.T) *inProcessRun {
	w := newWeb(t)
	dir := t.TempDir()
	sys, err := local.Start(local.Options{Dir: dir, Front: true, MaxRestartPeriod: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sys.Close(); err != nil {
			t.Error(err)
		}
	})
	file := filepath.Join(dir, "web.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(w.manifest(), "SERVICE", harness.Service())), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sys.ApplyFile(file); err != nil {
		t.Fatal(err)
	}
	s := &inProcessRun{t: t, web: w, sys: sys}
	s.waitAllInRotation()
	return s
}

// waitAllInRotation waits until all replicas are in rotation and returns them.
func (s *inProcessRun) waitAllInRotation() []proxy.EndpointState {
	s.t.Helper()
	var all []proxy.EndpointState
	harness.WaitFor(s.t, "all replicas in rotation", func() bool {
		all = s.endpoints()
		return len(all) == s.web.Replicas && !slices.ContainsFunc(all, isOutOfRotation)
	})
	return all
}

func (s *inProcessRun) endpoints() []proxy.EndpointState {
	for _, port := range s.sys.Front().State().Ports {
		return port.Endpoints
	}
	return nil
}

func isOutOfRotation(e proxy.EndpointState) bool {
	return !e.Ready || e.Withdrawn || e.Exited || e.Ejected
}

// load has clients send requests until the test ends.
func (s *inProcessRun) load(rate float64) {
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		report, err := generator.Run(ctx, generator.Options{URL: "http://127.0.0.1:" + s.port() + "/work", Rate: rate})
		if err != nil {
			s.t.Error(err)
			return
		}
		s.t.Log(report)
		for _, q := range report.Failures {
			s.t.Errorf("a GET failed: %v", &q)
		}
	}()
	s.t.Cleanup(func() {
		stop()
		<-done
	})
}

func (s *inProcessRun) port() string {
	_, port, _ := strings.Cut(s.sys.Front().State().Ports[0].Address, ":")
	return port
}

// crash kills a replica and waits until it is back. It returns how long it took until the replica
// was out of rotation, and until the last attempt at it.
func (s *inProcessRun) crash() (out, last time.Duration) {
	s.t.Helper()
	all := s.waitAllInRotation()
	victim := all[s.round%len(all)]
	s.round++
	pod, err := store.Get[*corev1.Pod](s.sys.Store(), victim.Pod.Namespace, victim.Pod.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	began := time.Now()
	if err := syscall.Kill(harness.PIDOf(s.t, pod, "app"), syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	attempts := victim.Requests
	for deadline := began.Add(harness.Timeout); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
		now, there := s.endpoint(victim.UID)
		switch took := time.Since(began); {
		case out > 0 && there && !isOutOfRotation(now):
			return out, last
		case out == 0 && (!there || isOutOfRotation(now)):
			out = took
		}
		if there && now.Requests > attempts {
			attempts, last = now.Requests, time.Since(began)
		}
	}
	s.t.Fatalf("the replica did not come back; it was out after %v", out)
	return 0, 0
}

func (s *inProcessRun) endpoint(pod types.UID) (found proxy.EndpointState, there bool) {
	all := s.endpoints()
	i := slices.IndexFunc(all, func(e proxy.EndpointState) bool { return e.UID == pod })
	if i < 0 {
		return found, false
	}
	return all[i], true
}
