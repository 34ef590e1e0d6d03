package browser

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/pages"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// noon is the time on a stage.
var noon = time.Date(2026, 11, 4, 12, 8, 31, 0, time.UTC)

// stage is a run of nothing but objects and a past, shown by the dashboard's own code: nothing of
// it moves before a test moves it, so it looks the same each time, and costs what pages cost.
type stage struct {
	t       testing.TB
	objects *store.Store
	past    history.Recorder
	logs    string // a folder for each Pod
	dir     string // of the manifest
	address string
	key     []byte
	sec     atomic.Int64 // the clock, in seconds
	made    atomic.Int64 // when objects are made
	traffic atomic.Pointer[proxy.State]
	archive archive.Archive // of drills
	drills  *pages.Drills
}

// newStage opens the dashboard of a stage until the test ends.
func newStage(t testing.TB) *stage {
	t.Helper()
	s := &stage{t: t, logs: t.TempDir(), dir: t.TempDir(), key: []byte(strings.Repeat("k", 32))}
	s.objects = store.New(store.Options{Kinds: store.Kubernetes(), Now: func() time.Time { return time.Unix(s.made.Load(), 0).UTC() }})
	kept := t.TempDir()
	open := func() (*os.Root, error) { return os.OpenRoot(kept) }
	s.archive = archive.Archive{Open: open, Make: open}
	s.drills = pages.New(s.archive, []string{filepath.Join(s.dir, "deployment.yaml")})
	s.sec.Store(noon.Add(-42 * time.Minute).Unix()) // the beginning
	s.made.Store(noon.Add(-42 * time.Minute).Unix())
	s.traffic.Store(&proxy.State{})
	doors := registry.New(registry.Options{Store: s.objects, NodeName: "here"})
	if _, err := registry.Create(doors, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}}); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	server := dashboard.New(dashboard.Options{
		Instance: "stage", Key: s.key, Port: netip.MustParseAddrPort(s.address).Port(), Title: "deployment.yaml", Files: []string{filepath.Join(s.dir, "deployment.yaml")}, Store: s.objects, Registry: doors, History: s.past.Reader(),
		Traffic: func() proxy.State { return *s.traffic.Load() }, Runner: s, Now: s.now, Drills: s.drills,
	})
	s.sec.Store(noon.Unix())
	ctx, end := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ctx, listener); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { end(); serving.Wait() })
	return s
}

func (s *stage) now() time.Time { return time.Unix(s.sec.Load(), 0).UTC() }

// link signs in.
func (s *stage) link() string {
	return "http://" + s.address + "/ui/?t=" + dashboard.NewOnce(s.key, s.now())
}

// What a page may ask of who runs the Pods. Nothing can be done on a stage.

func (s *stage) OpenLog(pod *corev1.Pod, _ string, instance int) *process.LogReader {
	return process.OpenLogReader(filepath.Join(s.logs, pod.Name), instance)
}
func (s *stage) Listeners(context.Context, types.UID) (map[string][]netip.AddrPort, error) {
	return nil, nil
}
func (s *stage) Place(*corev1.Pod, string) string       { return "" }
func (s *stage) Stopping() bool                         { return false }
func (s *stage) Restart(string, string) error           { return errors.ErrUnsupported }
func (s *stage) DeletePod(string, string) error         { return errors.ErrUnsupported }
func (s *stage) SetRotation(string, string, bool) error { return errors.ErrUnsupported }
func (s *stage) ReplacePod(context.Context, *corev1.Pod, *corev1.Pod, registry.WriteOptions) error {
	return errors.ErrUnsupported
}
func (s *stage) Waits(string, string) bool                           { return false }
func (s *stage) RestartContainer(string, string, string) error       { return errors.ErrUnsupported }
func (s *stage) Signal(string, string, string, syscall.Signal) error { return errors.ErrUnsupported }

// add adds an object with its defaults, as one of so long ago.
func add[T interface {
	store.Object
	manifest.Resource
}](s *stage, object T, age time.Duration) T {
	s.t.Helper()
	if object.GetNamespace() == "" {
		object.SetNamespace("default")
	}
	manifest.Default(object)
	s.made.Store(noon.Add(-age).Unix())
	created, err := store.Create(s.objects, object)
	if err != nil {
		s.t.Fatal(err)
	}
	return created
}

// get is an object of the stage.
func get[T store.Object](s *stage, name string) T {
	s.t.Helper()
	o, err := store.Get[T](s.objects, "default", name)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// manifest adds what a manifest has.
func (s *stage) manifest(text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, "deployment.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	set, err := manifest.Load(manifest.Options{}, file)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range set.Objects {
		written, err := o.Configuration()
		if err != nil {
			s.t.Fatal(err)
		}
		annotations := o.Resource.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations[corev1.LastAppliedConfigAnnotation], annotations[manifest.AnnotationManifest] = written, file
		o.Resource.SetAnnotations(annotations)
		switch object := o.Resource.(type) {
		case *appsv1.Deployment:
			add(s, object, 42*time.Minute)
		case *appsv1.StatefulSet:
			add(s, object, 42*time.Minute)
		case *corev1.Service:
			add(s, object, 42*time.Minute)
		default:
			s.t.Fatalf("a %T has no place here", object)
		}
	}
}

// asked is the past of a probe while it is written.
type asked struct {
	pod   *history.Pod
	probe *history.Probe
	spec  *corev1.Probe

	instance int
	run      int
	failing  bool
	result   history.Result
}

// ask begins the past of a probe of a Pod's only container.
func ask(pod *history.Pod, kind string, spec *corev1.Probe) *asked {
	a := &asked{pod: pod, spec: spec, probe: pod.Probe(history.Key{Container: "app", Type: kind}, history.Probing{
		Asks: "GET http://:8080" + spec.HTTPGet.Path, SuccessThreshold: max(1, int(spec.SuccessThreshold)), FailureThreshold: cmp.Or(int(spec.FailureThreshold), 3),
	})}
	a.begin(kind, 0)
	return a
}

// begin begins with another instance.
func (a *asked) begin(kind string, instance int) {
	a.instance, a.run, a.failing = instance, 0, false
	a.result = map[string]history.Result{"Liveness": history.Passing, "Readiness": history.Failing}[kind]
}

// answer is what an attempt came to.
type answer struct {
	outcome history.Outcome
	took    time.Duration
	status  int
	body    string
}

// attempt records one attempt, counted as the kubelet does.
func (a *asked) attempt(at time.Time, is answer) {
	failing := is.outcome == history.Failed || is.outcome == history.TimedOut
	threshold := max(1, int(a.spec.SuccessThreshold))
	if failing {
		threshold = cmp.Or(int(a.spec.FailureThreshold), 3)
	}
	if is.outcome != history.NoVerdict {
		if failing != a.failing {
			a.run = 0
		}
		a.failing = failing
		if a.run++; a.run >= threshold {
			a.result = map[bool]history.Result{true: history.Failing, false: history.Passing}[failing]
		}
	}
	message := ""
	switch is.outcome {
	case history.Failed:
		message = fmt.Sprintf("HTTP probe failed with statuscode: %d", is.status)
	case history.TimedOut:
		message = fmt.Sprintf("Get %q: context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "http://127.0.0.1:37121"+a.spec.HTTPGet.Path)
	case history.Warning:
		message = "Probe terminated redirects, Response body: "
	case history.NoVerdict:
		message = "the file of the probe's header cannot be read"
	}
	a.pod.Attempt(a.probe, history.Attempt{
		Time: at, Took: is.took, Outcome: is.outcome, Instance: a.instance, Message: message, Run: a.run, Threshold: threshold, Failing: failing, Result: a.result,
	}, history.Detail{
		Remote: "127.0.0.1:37121", Status: is.status, Message: message, Body: is.body, BodySize: len(is.body),
		Connect: is.took / 8, FirstByte: is.took * 7 / 8, Total: is.took, TimedOut: is.outcome == history.TimedOut,
	})
}

// well is an answer of a service that is well, a little different each time.
func well(n int) answer {
	return answer{history.Answered, time.Duration(800+(n*7919)%500) * time.Microsecond, 200, "ok"}
}

// writeLog writes the log of a Pod's instance as the node does, so far apart, the last one now.
func (s *stage) writeLog(pod string, instance int, apart time.Duration, lines ...string) {
	s.t.Helper()
	var all strings.Builder
	for i, line := range lines {
		at := s.now().Add(time.Duration(i-len(lines)) * apart)
		fmt.Fprintf(&all, "%s stdout F %s\n", at.Format("2006-01-02T15:04:05.000000000Z07:00"), line)
	}
	dir := filepath.Join(s.logs, pod)
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.log", instance)), []byte(all.String()), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// still gives pages the clock of the stage, which stands, and the time zone of its server.
func (s *stage) still(x *tab) {
	x.t.Helper()
	x.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(
			`(() => { const real = Date; globalThis.Date = class extends real { constructor(...a) { if (a.length) super(...a); else super(%[1]d); } static now() { return %[1]d; } }; })()`, s.now().UnixMilli())})
		if err != nil {
			return err
		}
		if _, err = cdp.Call(ctx, t, emulation.SetScrollbarsHidden, emulation.SetScrollbarsHiddenParams{Hidden: true}); err != nil { // they fade
			return err
		}
		_, err = cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "UTC"})
		return err
	}))
}
