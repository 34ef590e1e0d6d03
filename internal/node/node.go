package node

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
)

// Name is the name of this machine as a Kubernetes node: spec.nodeName of the Pods that run here.
const Name = "probity"

// Options of a [Node].
type Options struct {
	// Store holds the Pods to run, and takes their status, Events and probe reports. Required. It
	// has to know Kubernetes' kinds and those of [Kinds].
	Store *store.Store
	// Starter starts every process. Required.
	Starter process.Starter
	// Dir is the state folder: output of containers and volumes, in a folder per Pod. Required.
	Dir string
	// SecretDir is where Secret volumes are, in a folder per Pod. Default: in Dir.
	SecretDir string
	// DrillDir is a folder for sockets on which programs can be told to have a loop hang, see
	// [Node.Deadlock]: one that only this user may enter, with a name of 90 bytes at most. Default:
	// programs are told of none.
	DrillDir string
	// Disks has emptyDir volumes with a sizeLimit be disks of their own, so that they can be full,
	// for Pods with a namespace: see [Node.Disks]. Default: they are folders.
	Disks bool
	// Environ is the environment below the manifest's. Default: empty.
	Environ []string
	// PodAddress, if not nil, gives a Pod an address of its own, which release takes back. Pods of
	// one name have the same address. Default: every Pod has 127.0.0.1.
	PodAddress func(namespace, name string) (address netip.Addr, release func())
	// Redirect, if not nil, gives the address that an attempt of a probe over the network connects
	// to instead of one of the Pod, so that a fault can be put in between. It is called by the
	// Pod's goroutine before each attempt and must not wait. Default: the address.
	Redirect func(pod types.UID, kind lifecycle.ProbeType, probe *corev1.Probe, address netip.AddrPort) netip.AddrPort
	// MaxRestartPeriod caps the crash-loop back-off (R147). Default 300 s.
	MaxRestartPeriod time.Duration
	// Follow, if not nil, gets every line that a container prints, from a goroutine per container.
	// It must not wait for anybody: the end of a container waits until it had all of them.
	Follow func(pod *corev1.Pod, container string, entry process.LogEntry)
	// Traffic is what routes requests to the Pods. Default: nobody does.
	Traffic Traffic
	// Names is what lets programs find each other by name. Default: they see what everybody sees.
	Names Names
	// Logger gets what is neither an Event nor a status. Default: nothing is logged.
	Logger *slog.Logger
}

// reportHistory is how many changes of probe reports are kept: they are many, and only the latest
// of each says anything.
const reportHistory = 256

// Kinds are the kinds that a Node adds to Kubernetes' own.
func Kinds() []store.KindDefinition {
	return []store.KindDefinition{{Type: &ProbeReport{}, GVK: ProbeReportKind, Resource: "probereports", Equal: sameReport, History: reportHistory}}
}

// Node runs the Pods of a store whose spec.nodeName is [Name]. Make it with [New].
type Node struct {
	opts    Options
	machine machine
	objects program.Objects
	client  *probe.HTTPClient
	logs    process.Logs
	ended   endedLogs
	stalls  stallClock
	history history.Recorder
	routine batch       // results that change nothing
	engine  probeEngine // from Run on
	grid    grid        // from Run on
	advice  advice
	running sync.WaitGroup // of the runners and the stallClock

	mu      sync.Mutex // guards what follows
	runners map[types.UID]*runner
	waiting map[types.UID]*waitingPod
	// backoff caps the back-off for a while; 0 if there is no such limit
	backoff time.Duration
}

// New makes a node. It does nothing before [Node.Run].
func New(opts Options) *Node { return newNode(opts, thisMachine()) }

func newNode(opts Options, m machine) *Node {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Traffic == nil {
		opts.Traffic = noTraffic{}
	}
	if opts.Names == nil {
		opts.Names = noNames{}
	}
	return &Node{opts: opts, machine: m, objects: storeObjects{opts.Store}, client: &probe.HTTPClient{}, runners: map[types.UID]*runner{}, waiting: map[types.UID]*waitingPod{}}
}

// Run runs Pods until the context is done. Then it kills those that are left, at once; to end them
// with grace, delete them and wait until they are gone before. It returns when nothing it started
// is left.
func (n *Node) Run(ctx context.Context) error {
	probes, err := n.machine.newEngine()
	if err != nil {
		return err
	}
	n.engine, n.grid = probes, grid{time.Now()}
	defer n.client.Close()
	defer probes.Close()
	defer n.machine.close()
	defer n.running.Wait()
	defer n.Abort()
	ticking, stop := context.WithCancel(ctx)
	defer stop()
	n.running.Go(func() { n.stalls.run(ticking, n.routine.flush) })
	return n.watch(ctx)
}

// watch follows the Pods of the store until the context is done.
func (n *Node) watch(ctx context.Context) error {
	pods := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}}
	watch, err := n.opts.Store.Watch(pods)
	if err != nil {
		return err
	}
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			// The watch fell behind. A new one begins with each Pod as it is now, and runners know
			// what is old; removals in between are in none of them.
			if watch, err = n.opts.Store.Watch(pods); err != nil {
				return err
			}
			n.abortRemoved()
			continue
		case err != nil && errors.Is(err, ctx.Err()):
			return nil
		case err != nil:
			return err
		}
		switch pod := change.Object.(*corev1.Pod); {
		case pod.Spec.NodeName != Name:
		case change.Type == store.Deleted:
			n.removed(pod.UID)
		default:
			n.update(pod)
		}
	}
}

// History is the past of the Pods that run here, for people.
func (n *Node) History() history.Reader { return n.history.Reader() }

// Abort kills every process of every Pod now, without hooks or grace, and has the Pods deleted.
func (n *Node) Abort() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.runners {
		r.abort()
	}
	for _, w := range n.waiting {
		(&podObject{store: n.opts.Store, pod: w.pod, log: n.opts.Logger}).remove()
	}
}

// update starts a Pod that is new, and passes on what others did to one that is not.
func (n *Node) update(pod *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer n.startWaitingLocked()
	if r := n.runners[pod.UID]; r != nil {
		r.update(pod)
		return
	}
	// The watch may lag: this can be the past of a Pod whose runner has ended, which removes the
	// object first.
	if !n.exists(pod) {
		return
	}
	if !n.waitsLocked(pod) {
		n.beginLocked(pod)
	}
}

// beginLocked starts a Pod that is new.
func (n *Node) beginLocked(pod *corev1.Pod) {
	r := newRunner(n, pod)
	if n.backoff > 0 {
		r.limitBackoff(n.backoff)
	}
	r.update(pod)
	n.startLocked(r)
}

// startLocked starts the goroutine of a new Pod. It first waits until no process is left of former
// Pods of the same name, whose objects were removed while they ran.
func (n *Node) startLocked(r *runner) {
	var former []<-chan struct{}
	for _, other := range n.runners {
		if other.pod.Namespace == r.pod.Namespace && other.pod.Name == r.pod.Name {
			former = append(former, other.gone)
		}
	}
	n.runners[r.pod.UID] = r
	n.running.Go(func() {
		for _, gone := range former {
			<-gone
		}
		r.run()
		n.history.Remove(r.pod.UID)
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.runners, r.pod.UID)
		n.forgetAdviceLocked(workloadOf(r.pod))
	})
}

// forgetAdviceLocked forgets what was said about a workload of which no Pod is left.
func (n *Node) forgetAdviceLocked(workload types.UID) {
	for _, r := range n.runners {
		if workloadOf(r.pod) == workload {
			return
		}
	}
	n.advice.forget(workload)
}

// removed kills the processes of a Pod whose object was removed from the store, as a deletion with
// a grace period of 0 does: nobody could stop them any more.
func (n *Node) removed(pod types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.waiting, pod)
	if r := n.runners[pod]; r != nil {
		r.abort()
	}
}

// abortRemoved does for every Pod what removed does for one.
func (n *Node) abortRemoved() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.runners {
		if !n.exists(r.pod) {
			r.abort()
		}
	}
}

// exists reports whether the object of a Pod is in the store.
func (n *Node) exists(pod *corev1.Pod) bool {
	current, err := store.Get[*corev1.Pod](n.opts.Store, pod.Namespace, pod.Name)
	return err == nil && current.UID == pod.UID
}
