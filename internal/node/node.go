package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
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
	// Environ is the environment below the manifest's. Default: empty.
	Environ []string
	// MaxRestartPeriod caps the crash-loop back-off (R147). Default 300 s.
	MaxRestartPeriod time.Duration
	// Follow, if not nil, gets every line that a container prints, from a goroutine per container.
	// It may be slow; lines are dropped then.
	Follow func(pod *corev1.Pod, container string, entry process.Entry)
	// Traffic is what routes requests to the Pods. Default: nobody does.
	Traffic Traffic
	// Logger gets what is neither an Event nor a status. Default: nothing is logged.
	Logger *slog.Logger
}

// reportHistory is how many changes of probe reports are kept: they are many, and only the latest
// of each says anything.
const reportHistory = 256

// Kinds are the kinds that a Node adds to Kubernetes' own.
func Kinds() []store.Kind {
	return []store.Kind{{Type: &ProbeReport{}, GVK: ProbeReportKind, Resource: "probereports", Equal: sameReport, History: reportHistory}}
}

// Node runs the Pods of a store whose spec.nodeName is [Name]. Make it with [New].
type Node struct {
	opts    Options
	machine machine
	objects Objects
	client  *probe.HTTPClient
	logs    process.Logs
	stalls  stallClock
	routine batch          // results that change nothing
	engine  probeEngine    // from Run on
	grid    grid           // from Run on
	running sync.WaitGroup // of the runners and the stallClock

	mu      sync.Mutex // guards runners
	runners map[types.UID]*runner
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
	return &Node{opts: opts, machine: m, objects: storeObjects{opts.Store}, client: &probe.HTTPClient{}, runners: map[types.UID]*runner{}}
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
			// what is old.
			if watch, err = n.opts.Store.Watch(pods); err != nil {
				return err
			}
			continue
		case err != nil && errors.Is(err, ctx.Err()):
			return nil
		case err != nil:
			return err
		}
		if pod := change.Object.(*corev1.Pod); pod.Spec.NodeName == Name && change.Type != store.Deleted {
			n.update(pod)
		}
	}
}

// Abort kills every process of every Pod now, without hooks or grace, and has the Pods deleted.
func (n *Node) Abort() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, r := range n.runners {
		r.abort()
	}
}

// update starts a Pod that is new, and passes on what others did to one that is not.
func (n *Node) update(pod *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.runners[pod.UID]
	if r == nil {
		// The watch may lag: this can be the past of a Pod whose runner has ended, which removes
		// the object first.
		if current, err := store.Get[*corev1.Pod](n.opts.Store, pod.Namespace, pod.Name); err != nil || current.UID != pod.UID {
			return
		}
		r = newRunner(n, pod)
		n.runners[pod.UID] = r
		n.running.Go(func() {
			r.run()
			n.mu.Lock()
			defer n.mu.Unlock()
			delete(n.runners, pod.UID)
		})
	}
	r.update(pod)
}
