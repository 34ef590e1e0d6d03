//go:build soak

package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/test/harness"
)

const (
	// frontReplicas is how many replicas get faults. One more has none, so that some replica is
	// always ready.
	frontReplicas = 5
	frontPort     = 8080
	// clientsOfKind is how many clients of each kind there are at a time.
	clientsOfKind = 2
)

// frontSoak is a Service whose replicas are killed, stopped and replaced, and clients of all kinds.
type frontSoak struct {
	t       *testing.T
	dir     string
	system  *system.System
	address string
	chance  *rand.Rand
	serial  atomic.Int64
	counts  map[string]*kindCount
	stalls  atomic.Int64 // how often this process got no processor time for half a second
}

// kindCount counts what came of the requests of one kind of client.
type kindCount struct{ served, broken, stalled atomic.Int64 }

// errBroken is the error of a client whose request broke, as it may when its replica is killed.
var errBroken = errors.New("the request broke")

// TestFront has clients of all kinds at a Service while its replicas are killed, stopped, reset and
// replaced. What may be sent twice is always answered; whatever is answered is the answer to that
// request, and whole; and nothing is left of it in the end.
func TestFront(t *testing.T) {
	t.Logf("-seed %d -front %v", *seed, *front)
	runtime.MemProfileRate = 1 // to count timers
	if err := process.BecomeSubreaper(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sys, err := system.New(system.Options{
		StateDir: filepath.Join(dir, "state"), MaxRestartPeriod: maxRestartPeriod,
		Logger: slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := sys.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := &frontSoak{t: t, dir: dir, system: sys, chance: rand.New(rand.NewPCG(*seed, 1)), counts: map[string]*kindCount{}}
	for name := range f.kinds() {
		f.counts[name] = &kindCount{}
	}
	f.create()
	early := *front / 3 // for long enough that the store keeps no more changes than now
	f.play(early)
	before := measureProcesses(t)
	t.Logf("after %v: %v", early, before)
	f.play(*front - early)
	after := measureProcesses(t)
	t.Logf("at the end: %v", after)
	after.compare(t, before)
	f.report()
	if err := sys.Close(); err != nil {
		t.Error(err)
	}
}

// create creates the Service and its replicas, and waits until it is served.
func (f *frontSoak) create() {
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	program := filepath.Join(f.dir, "replica")
	if err := os.Symlink(self, program); err != nil {
		f.t.Fatal(err)
	}
	labels := map[string]string{"app": "front"}
	annotations := map[string]string{manifest.AnnotationManifest: filepath.Join(f.dir, "front.yaml")}
	probe := func(failures, timeout int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/ready", Port: intstr.FromInt32(frontPort)}},
			PeriodSeconds: 1, FailureThreshold: failures, TimeoutSeconds: timeout,
		}
	}
	template := func(failures, timeout int32) corev1.PodSpec {
		return corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(10)), Containers: []corev1.Container{{
			Name: "app", Image: "example", Command: []string{program}, Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: frontPort}},
			StartupProbe: probe(120, timeout), ReadinessProbe: probe(failures, timeout), LivenessProbe: probe(failures+1, timeout),
		}}}
	}
	deployment := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "front", Namespace: "default", Annotations: annotations},
		Spec: appsv1.DeploymentSpec{Replicas: new(int32(frontReplicas)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: template(2, 2)}},
	}
	steady := &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: "steady", Namespace: "default", Labels: labels, Annotations: annotations},
		Spec:       template(20, 20),
	}
	service := &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: metav1.ObjectMeta{Name: "front", Namespace: "default", Annotations: annotations},
		Spec:       corev1.ServiceSpec{Selector: labels, Ports: []corev1.ServicePort{{Name: "http", Port: frontPort, TargetPort: intstr.FromInt32(frontPort)}}},
	}
	if _, err := registry.Create(f.system.Registry(), service); err != nil {
		f.t.Fatal(err)
	}
	if _, err := registry.Create(f.system.Registry(), steady); err != nil {
		f.t.Fatal(err)
	}
	if _, err := registry.Create(f.system.Registry(), deployment); err != nil {
		f.t.Fatal(err)
	}
	f.waitReady()
	f.address = f.port().Address
}

func (f *frontSoak) port() proxy.PortState {
	for _, p := range f.system.Proxy().State().Ports {
		if p.Service.Name == "front" {
			return p
		}
	}
	return proxy.PortState{}
}

// waitReady waits until all replicas are ready, and nothing is on its way.
func (f *frontSoak) waitReady() {
	f.t.Helper()
	harness.WaitFor(f.t, "all replicas ready, and no request in flight", func() bool {
		ready := 0
		for _, pod := range f.pods() {
			if harness.Ready(pod) {
				ready++
			}
		}
		return ready == frontReplicas+1 && len(f.pods()) == frontReplicas+1 && f.port().Address != "" && f.port().InFlight == 0
	})
}

func (f *frontSoak) pods() []*corev1.Pod {
	all, _ := store.List[*corev1.Pod](f.system.Store(), store.Selector{})
	return all
}

// play has clients and faults for a time. All clients have gone when it returns, and all replicas
// are well.
func (f *frontSoak) play(d time.Duration) {
	ctx, cancel := context.WithTimeout(f.t.Context(), d)
	defer cancel()
	var clients sync.WaitGroup
	for name, serve := range f.kinds() {
		for range clientsOfKind {
			clients.Go(func() { f.client(ctx, name, serve) })
		}
	}
	clients.Go(func() { f.noteStalls(ctx) })
	f.injectFaults(ctx)
	clients.Wait()
	f.waitReady()
}

// client makes requests of one kind.
func (f *frontSoak) client(ctx context.Context, name string, serve func(id string) error) {
	for ctx.Err() == nil {
		id := fmt.Sprintf("id-%d", f.serial.Add(1))
		switch err := serve(id); {
		case err == nil:
			f.counts[name].served.Add(1)
		case errors.Is(err, errBroken):
			f.counts[name].broken.Add(1)
		case strings.Contains(err.Error(), "i/o timeout") && f.stalls.Load() > 0:
			f.counts[name].stalled.Add(1) // a dial of the front found no time to succeed
		default:
			f.t.Errorf("%s %s: %v", name, id, err)
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// noteStalls counts how often a pause of this process is far longer than it was to be.
func (f *frontSoak) noteStalls(ctx context.Context) {
	const pause = 50 * time.Millisecond
	for before := time.Now(); ctx.Err() == nil; before = time.Now() {
		time.Sleep(pause)
		if time.Since(before) > 10*pause {
			f.stalls.Add(1)
		}
	}
}

// injectFaults kills, stops or replaces replicas until ctx is done.
func (f *frontSoak) injectFaults(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if n%40 == 0 {
			f.rollOut(n)
		}
		pods := slices.DeleteFunc(f.pods(), func(p *corev1.Pod) bool { return p.Name == "steady" || p.DeletionTimestamp != nil })
		if len(pods) == 0 {
			continue
		}
		pod := pods[f.chance.IntN(len(pods))]
		pid, err := strconv.Atoi(pod.Annotations[node.AnnotationPID+"app"])
		if err != nil {
			continue // it does not run
		}
		sig := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP, 0, 0, 0}[f.chance.IntN(6)]
		if sig == syscall.SIGSTOP && !harness.Ready(pod) {
			continue // the startup probe would let one that is stopped be for minutes
		}
		if sig != 0 {
			if err := syscall.Kill(pid, sig); err != nil && err != syscall.ESRCH {
				f.t.Error(err)
			}
		}
	}
}

// rollOut has all replicas but the steady one replaced.
func (f *frontSoak) rollOut(n int) {
	live, err := store.Get[*appsv1.Deployment](f.system.Store(), "default", "front")
	if err != nil {
		f.t.Error(err)
		return
	}
	next := live.DeepCopy()
	metav1.SetMetaDataAnnotation(&next.Spec.Template.ObjectMeta, "rollout", strconv.Itoa(n))
	if _, err := registry.Update(f.system.Registry(), next); err != nil && !apierrors.IsConflict(err) {
		f.t.Error(err)
	}
}

// report logs what came of everything, and fails if a kind of client was never served.
func (f *frontSoak) report() {
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		c := f.counts[name]
		f.t.Logf("%-40s %7d served, %5d broken, %5d stalled", name, c.served.Load(), c.broken.Load(), c.stalled.Load())
		if c.served.Load() == 0 {
			f.t.Errorf("%s: none was served", name)
		}
	}
	f.t.Logf("this process stalled %d times", f.stalls.Load())
	p := f.port()
	f.t.Logf("%d requests, %d retries, %d failed, %d clients gone, %d lost, answers %v", p.Requests, p.Retries, p.Failed, p.Gone, p.Lost, p.Answers)
}
