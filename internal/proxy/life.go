package proxy

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// pod is a Pod as the router sees it. It outlives its processes: each has a life of its own.
type pod struct {
	uid types.UID
	// nil until an EndpointSlice or the Pod itself told it
	name atomic.Pointer[types.NamespacedName]
	life atomic.Pointer[life] // the current one
}

// life is the part of a Pod's time from one start of its process to its end: who is in flight at
// it, and what its end cost the clients.
type life struct {
	gate
	pod     *pod
	report  func(l *life, requests, connections int)
	unsent  atomic.Int64 // attempts of which nothing was written yet
	watcher atomic.Bool  // somebody waits in sent

	mu          sync.Mutex // guards the rest
	drained     chan struct{}
	sent        chan struct{}
	requests    recent // that broke, while nobody knows yet that the process ended
	connections recent // upgraded ones and those of TCP, likewise
	undecided   int    // requests that broke and may succeed elsewhere
	how         string // the process ended; empty while it lives
	reported    bool
}

// newLife begins a life of a Pod. report is called at most once, when the process ended and the
// last request that it concerned has been decided.
func newLife(p *pod, report func(l *life, requests, connections int)) *life {
	l := &life{pod: p, report: report}
	l.empty = l.settle
	return l
}

// broke notes that the connection of a request in flight broke after it was sent. decide has to
// follow. The caller is still inside.
func (l *life) broke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undecided++
}

// decide says what became of a request that broke: whether its client lost it.
func (l *life) decide(lost bool) {
	l.mu.Lock()
	l.undecided--
	if lost {
		l.requests.add(time.Now())
	}
	l.mu.Unlock()
	l.settle()
}

// cut notes that an upgraded or a TCP connection was ended by the replica, not by the client. The
// caller is still inside.
func (l *life) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.connections.add(time.Now())
}

// wait returns a channel that is closed when nobody is inside: at once, if nobody is.
func (l *life) wait() <-chan struct{} {
	l.mu.Lock()
	if l.drained == nil {
		l.drained = make(chan struct{})
	}
	drained := l.drained
	l.set(watched)
	l.mu.Unlock()
	l.settle()
	return drained
}

// exit ends the life. The first one who says how is believed.
func (l *life) exit(how string) {
	l.mu.Lock()
	if l.how == "" {
		l.how = how
		now := time.Now()
		l.requests.keep(now)
		l.connections.keep(now)
	}
	l.set(closed | watched)
	l.mu.Unlock()
	l.settle()
}

// settle does what was waiting for the last one to leave.
func (l *life) settle() {
	l.mu.Lock()
	if l.count() > 0 {
		l.mu.Unlock()
		return
	}
	if l.drained != nil {
		close(l.drained)
		l.drained = nil
		if l.how == "" {
			l.clear(watched)
		}
	}
	over := l.how != "" && l.undecided == 0 && !l.reported
	l.reported = l.reported || over
	requests, connections := l.requests.total, l.connections.total
	l.mu.Unlock()
	if over && requests+connections > 0 {
		l.report(l, requests, connections)
	}
}

// recent counts what happened within the last second or so. After keep it counts all that follows
// too.
type recent struct {
	total  int
	kept   bool
	slot   int64 // of the newest
	counts [recentSlots]int
}

// A process that ends breaks its connections before anyone can tell that it ended, and a second
// before if it closes them itself and then cleans up.
const (
	recentSlots = 10
	recentSlot  = 100 * time.Millisecond
)

func (r *recent) add(now time.Time) {
	r.forget(now)
	r.total++
	r.counts[r.slot%recentSlots]++
}

// forget drops what is too old.
func (r *recent) forget(now time.Time) {
	slot := max(r.slot, now.UnixNano()/int64(recentSlot))
	for i := max(r.slot+1, slot-recentSlots+1); i <= slot && !r.kept; i++ {
		r.total -= r.counts[i%recentSlots]
		r.counts[i%recentSlots] = 0
	}
	r.slot = slot
}

// keep forgets nothing from now on.
func (r *recent) keep(now time.Time) {
	r.forget(now)
	r.kept = true
}

// lossMessage is the Event about what the end of a Pod's process cost its clients.
func lossMessage(pod, how string, requests, connections int) string {
	var parts []string
	if requests > 0 {
		parts = append(parts, plural(requests, "request was", "requests were")+" in flight when "+pod+" "+how+"; "+
			map[bool]string{true: "it", false: "they"}[requests == 1]+" would be lost on a cluster too")
	}
	if connections > 0 {
		parts = append(parts, plural(connections, "open connection was", "open connections were")+" cut when "+pod+" "+how)
	}
	return strings.Join(parts, "; ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// reference is what an Event about a Pod refers to.
func reference(name types.NamespacedName, uid types.UID) corev1.ObjectReference {
	return corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: name.Namespace, Name: name.Name, UID: uid}
}
