//go:build soak

package soak

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/test/harness"
)

var (
	duration = flag.Duration("duration", 4*time.Minute, "how long TestSoak takes")
	front    = flag.Duration("front", time.Minute, "how long TestFront takes")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random faults")
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "replica" {
		serveAsReplica()
		return
	}
	harness.Main(m)
}

const (
	pods = 100
	// maxRestartPeriod is short, so that Pods that crash are restarted often. The rule is the same
	// as with the usual five minutes.
	maxRestartPeriod = 4 * time.Second
)

// soak is a system in the process of the test, and what injects faults into its Pods.
type soak struct {
	t      *testing.T
	dir    string
	system *system.System
	store  *store.Store
	chance *rand.Rand
}

func TestSoak(t *testing.T) {
	t.Logf("-seed %d -duration %v", *seed, *duration)
	runtime.MemProfileRate = 1 // to count timers
	if err := process.BecomeSubreaper(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sys, err := system.New(system.Options{
		StateDir: filepath.Join(dir, "state"), MaxRestartPeriod: maxRestartPeriod, NoServices: true,
		Logger: slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &soak{t: t, dir: dir, chance: rand.New(rand.NewPCG(*seed, 0)), system: sys, store: sys.Store()}
	ctx, stop := context.WithCancel(t.Context())
	watched := newInvariants(t, s.store, s.logFile)
	var watching sync.WaitGroup
	watching.Go(func() { watched.run(ctx) })
	s.create()
	s.play()
	stop()
	watching.Wait()
	if err := sys.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d restarts, %d changes; the watch fell behind %d times", watched.restarts, watched.changes, watched.expired)
	if watched.restarts < int(duration.Seconds()) {
		t.Error("too few restarts for this to show anything")
	}
	for i := range pods {
		checkAttempts(t, s.logFile(podName(i)))
	}
}

// play injects faults, and measures the resources twice when all Pods are well: early, and at the
// end.
func (s *soak) play() {
	early := min(time.Minute, *duration/3)
	s.injectFaults(early)
	before := s.measureResources()
	s.t.Logf("after %v: %v", early, before)
	s.injectFaults(*duration - early)
	after := s.measureResources()
	s.t.Logf("at the end: %v", after)
	after.compare(s.t, before)
}

func podName(i int) string { return "pod-" + strconv.Itoa(i) }

func (s *soak) logFile(pod string) string { return filepath.Join(s.dir, pod+".log") }

// answerFile is the file with what a Pod answers to a path.
func (s *soak) answerFile(pod, path string) string { return filepath.Join(s.dir, pod+"-"+path) }

func (s *soak) create() {
	probe := func(path string, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/" + path, Port: intstr.FromInt32(8080)}},
			PeriodSeconds: 1, FailureThreshold: failures,
		}
	}
	for i := range pods {
		name := podName(i)
		s.answer(name, "ready", "200")
		s.answer(name, "live", "200")
		pod := &corev1.Pod{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default",
				Annotations: map[string]string{manifest.AnnotationManifest: filepath.Join(s.dir, "pod.yaml")}},
			Spec: corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(1)), Containers: []corev1.Container{{
				Name: "app", Image: "example", Command: []string{harness.Service(), "-print=hello", "-log=" + s.logFile(name),
					fmt.Sprintf("-answers=/ready=file:%s /live=file:%s", s.answerFile(name, "ready"), s.answerFile(name, "live"))},
				Ports:          []corev1.ContainerPort{{ContainerPort: 8080}},
				ReadinessProbe: probe("ready", 1), LivenessProbe: probe("live", 2),
			}}},
		}
		if _, err := registry.Create(s.system.Registry(), pod); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *soak) answer(pod, path, what string) {
	file := s.answerFile(pod, path)
	if err := os.WriteFile(file+".new", []byte(what), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		s.t.Fatal(err)
	}
}

// injectFaults does something to a random Pod ten times a second.
func (s *soak) injectFaults(d time.Duration) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-tick.C {
		pod := podName(s.chance.IntN(pods))
		switch s.chance.IntN(8) {
		case 0:
			s.signal(pod, syscall.SIGKILL)
		case 1:
			s.signal(pod, syscall.SIGTERM)
		case 2:
			s.signal(pod, syscall.SIGSTOP)
		case 3:
			s.answer(pod, "ready", "503")
		case 4:
			s.answer(pod, "live", "500")
		case 5:
			s.answer(pod, "live", "hang")
		default:
			s.answer(pod, "ready", "200")
			s.answer(pod, "live", "200")
		}
	}
}

// signal signals the process of a Pod, if it has one.
func (s *soak) signal(name string, sig syscall.Signal) {
	pod, err := store.Get[*corev1.Pod](s.store, "default", name)
	if err != nil {
		s.t.Fatal(err)
	}
	pid, err := strconv.Atoi(pod.Annotations[node.AnnotationPID+"app"])
	if err != nil {
		return
	}
	if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
		s.t.Error(err)
	}
}

// removeFaults ends all faults and waits until all Pods are well.
func (s *soak) removeFaults() {
	for i := range pods {
		s.answer(podName(i), "ready", "200")
		s.answer(podName(i), "live", "200")
	}
	since := time.Now()
	harness.WaitFor(s.t, "all Pods well again", func() bool {
		all, _ := store.List[*corev1.Pod](s.store, store.Selector{})
		well := 0
		for _, pod := range all {
			if harness.Ready(pod) && s.isLive(pod.Name, since) {
				well++
			}
		}
		return well == pods
	})
}

// isLive reports whether a Pod has answered its liveness probe since an instant. One that was
// stopped by SIGSTOP has not, and yet is ready until its probes have timed out.
func (s *soak) isLive(name string, since time.Time) bool {
	report, err := store.Get[*node.ProbeReport](s.store, "default", name)
	if err != nil {
		return false // there is none yet
	}
	return slices.ContainsFunc(report.Probes, func(p node.ProbeRecord) bool {
		return p.Type == lifecycle.Liveness && p.Outcome == "success" && p.Time.After(since)
	})
}

type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", p)
	return len(p), nil
}
