package lines

import (
	"net/netip"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Reporter]. Line and Note are required.
type Options struct {
	// Line gets each line, in order.
	Line func(Line)
	// Note gets what is no line of the closed list of words: Warnings about what works here and
	// would not on a cluster, for example. Each one comes once per Pod.
	Note func(text string)
	// Plain adds the words Starting and Stopping, and uses commas instead of middle dots, for
	// those who have the lines read to them.
	Plain bool
	// LastOutput gives the last line that an instance of a container printed and that is not
	// empty, restarts being the number of instances before it. Nil: none is quoted.
	LastOutput func(pod *corev1.Pod, container string, restarts int) (string, error)
	// History is what was recorded of the Pods. The zero value knows nothing: a row of failures
	// goes on until the Pod changes.
	History history.Reader
	// Listeners are the addresses at which the processes of a Pod listen, by container. Nil: nobody
	// looks.
	Listeners func(pod types.UID) map[string][]netip.AddrPort
	// Place says where a field of a Pod's spec is written: "app.yaml:31", or "". Nil: nobody knows.
	Place func(pod *corev1.Pod, field string) string
}

// Reporter turns changes into lines. Make it with [New]; it belongs to one goroutine.
type Reporter struct {
	opts      Options
	pods      map[types.UID]*pod
	workloads map[types.UID]*workload
	services  map[types.NamespacedName]*service
	event     uint64 // version of the last Event that was told
	stopping  time.Time
	toStop    int // Pods there were then
	lost      uint64
}

// Kinds are the kinds of objects that [Reporter.Object] wants.
func Kinds() []store.Object {
	return []store.Object{&corev1.Pod{}, &corev1.Event{}, &corev1.Service{}, &appsv1.Deployment{}, &appsv1.StatefulSet{}, &appsv1.ReplicaSet{}}
}

// New makes a Reporter that has seen nothing.
func New(opts Options) *Reporter {
	return &Reporter{
		opts: opts, pods: map[types.UID]*pod{}, workloads: map[types.UID]*workload{}, services: map[types.NamespacedName]*service{},
	}
}

// Object takes a change of an object. Kinds that it does not know say nothing.
func (r *Reporter) Object(change watch.EventType, object runtime.Object, now time.Time) error {
	switch o := object.(type) {
	case *corev1.Pod:
		r.onPod(change, o, now)
	case *corev1.Event:
		return r.onEvent(change, o, now)
	case *corev1.Service:
		r.onService(change, o, now)
	case *appsv1.Deployment, *appsv1.StatefulSet, *appsv1.ReplicaSet:
		r.onWorkload(change, o.(store.Object), now)
	}
	return nil
}

// Missed says that changes were missed: what there is now comes as Added, and what does not come is
// gone.
func (r *Reporter) Missed() {
	for _, p := range r.pods {
		p.gone = true
	}
}

// Tick gives the lines that are due because of the time.
func (r *Reporter) Tick(now time.Time) {
	for _, p := range r.inOrder() {
		if due := p.waitingDue(); !due.IsZero() && !due.After(now) {
			r.say(now, Waiting, p.ref(), p.waiting(now, r.whyNotReady(p, now)))
			p.skipWaits(now)
		}
	}
	r.tellLost(now)
}

// Deadline is when Tick has something to do; zero if only a change can bring that.
func (r *Reporter) Deadline() time.Time {
	var next time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, p := range r.pods {
		sooner(p.waitingDue())
	}
	for _, s := range r.services {
		sooner(s.lostDue())
	}
	return next
}

// HasServices reports whether Traffic has something to tell.
func (r *Reporter) HasServices() bool { return len(r.services) > 0 }

// say gives a line.
func (r *Reporter) say(now time.Time, word Word, object, text string) {
	r.opts.Line(Line{Time: now, Word: word, Object: object, Text: text})
}

// ref names an object: kind/name, and its namespace unless that is default.
func ref(kind, namespace, name string) string {
	text := strings.ToLower(kind) + "/" + name
	if namespace != "" && namespace != corev1.NamespaceDefault {
		text = namespace + "/" + text
	}
	return text
}
