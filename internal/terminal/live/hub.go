package live

import (
	"context"
	"net/netip"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// Run is what a run can tell beside its objects, and what a person can do to it. Every function may
// be nil: then that is not shown, or the person is told that it cannot be done. They are called
// from goroutines of the view, must be safe for concurrent use, and must not take long.
type Run struct {
	// Title names the manifests.
	Title string
	// Store has the ConfigMaps and Secrets that containers refer to.
	Store *store.Store
	// History is what was recorded of the Pods' probes and instances. The zero value knows nothing.
	History history.Reader
	// Traffic is how the Services are served.
	Traffic func() proxy.State
	// Listeners are the addresses at which the processes of a Pod listen, by container.
	Listeners func(ctx context.Context, pod types.UID) (map[string][]netip.AddrPort, error)
	// OpenLog opens what an instance of a container printed; instance counts those before it.
	OpenLog func(pod *corev1.Pod, container string, instance int) *process.LogReader
	// Place says where a field of a Pod's spec is written: "app.yaml:31", or "".
	Place func(pod *corev1.Pod, field string) string
	// LogDir is where the output of containers is kept, for the summary at the end.
	LogDir string
	// Stopping reports whether the Pods are being stopped.
	Stopping func() bool
	// Restart, Delete and SetRotation change a Pod.
	Restart, Delete func(namespace, name string) error
	SetRotation     func(namespace, name string, out bool) error
}

// hub is what is known of a run, for the goroutine that draws. It is safe for concurrent use;
// nobody waits in it for a terminal.
type hub struct {
	run     Run
	started time.Time
	// changed has room for one: somebody has put something in that is to be shown at once
	changed chan struct{}

	mu           sync.Mutex // guards what follows
	pods         map[types.UID]*corev1.Pod
	services     map[string]*corev1.Service
	slices       map[string]*discoveryv1.EndpointSlice
	deployments  map[string]*appsv1.Deployment
	statefulSets map[string]*appsv1.StatefulSet
	replicaSets  map[string]*appsv1.ReplicaSet
	events       []event
	merged       []screen.Event // of them, as they are shown; nil if that is to be made anew
	notices      []screen.Notice
	refusals     int       // how often manifests were refused
	refusedSince time.Time // zero while the manifests are applied
	refusedText  string
	refusedShort string
	said         int // how many notices there were
	stopping     bool
	podsAtStop   int
	stopped      time.Time
	tallies      []tally
	past         map[types.UID]*past
	known        known
	rates        rates
	serving      map[string]int // how many Pods get requests, by workload
}

func newHub(run Run) *hub {
	return &hub{
		run: run, started: time.Now(), changed: make(chan struct{}, 1),
		pods: map[types.UID]*corev1.Pod{}, services: map[string]*corev1.Service{},
		slices: map[string]*discoveryv1.EndpointSlice{}, deployments: map[string]*appsv1.Deployment{}, statefulSets: map[string]*appsv1.StatefulSet{},
		replicaSets: map[string]*appsv1.ReplicaSet{}, past: map[types.UID]*past{}, known: known{containers: map[string]diagnosis.Container{}},
	}
}

// kinds are those that show takes.
func kinds() []store.Object {
	return []store.Object{
		&corev1.Pod{}, &corev1.Event{}, &corev1.Service{}, &discoveryv1.EndpointSlice{},
		&appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.ReplicaSet{},
	}
}

// show takes a change of the store.
func (h *hub) show(change watch.EventType, object runtime.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	urgent := true
	switch o := object.(type) {
	case *corev1.Pod:
		h.pod(change, o)
	case *corev1.Service:
		keep(h.services, change, o)
	case *discoveryv1.EndpointSlice:
		keep(h.slices, change, o)
		urgent = false // the Pod has changed as well
	case *appsv1.Deployment:
		keep(h.deployments, change, o)
	case *appsv1.StatefulSet:
		keep(h.statefulSets, change, o)
	case *appsv1.ReplicaSet:
		keep(h.replicaSets, change, o)
		urgent = false
	case *corev1.Event:
		h.event(change, o)
	}
	if urgent {
		h.touch()
	}
}

func (h *hub) pod(change watch.EventType, pod *corev1.Pod) {
	if change == watch.Deleted {
		delete(h.pods, pod.UID)
		delete(h.past, pod.UID)
		return
	}
	h.pods[pod.UID] = pod
	if past := h.past[pod.UID]; past != nil {
		past.version++
		past.placed = whereabouts{}
	}
}

// keep brings a map of objects by namespace and name up to date.
func keep[T store.Object](objects map[string]T, change watch.EventType, object T) {
	if objects[key(object)] = object; change == watch.Deleted {
		delete(objects, key(object))
	}
}

func key(o store.Object) string { return o.GetNamespace() + "/" + o.GetName() }

// again forgets everything: it comes anew.
func (h *hub) again() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.pods)
	clear(h.services)
	clear(h.slices)
	clear(h.deployments)
	clear(h.statefulSets)
	clear(h.replicaSets)
	h.events, h.merged = nil, nil
}

// touch says that there is something to show at once.
func (h *hub) touch() {
	select {
	case h.changed <- struct{}{}:
	default: // a drawing is due already
	}
}
