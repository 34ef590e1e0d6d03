package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
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
	// Environ is the environment below the manifest's. Default: empty.
	Environ []string
	// MaxRestartPeriod caps the crash-loop back-off (R147). Default 300 s.
	MaxRestartPeriod time.Duration
	// Follow, if not nil, gets every line that a container prints, from a goroutine per container.
	// It may be slow; lines are dropped then.
	Follow func(pod *corev1.Pod, container string, entry process.LogEntry)
	// Traffic is what routes requests to the Pods. Default: nobody does.
	Traffic Traffic
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
	objects Objects
	client  *probe.HTTPClient
	logs    process.Logs
	ended   endedLogs
	ports   process.Ports
	sockets process.Sockets
	pulse   pulse
	calm    gathering      // results that change nothing
	engine  *engine.Engine // from Run on
	start   time.Time      // of Run
	running sync.WaitGroup // of the runners and the pulse

	mu      sync.Mutex // guards runners
	runners map[types.UID]*runner
}

// New makes a node. It does nothing before [Node.Run].
func New(opts Options) *Node {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Traffic == nil {
		opts.Traffic = noTraffic{}
	}
	return &Node{
		opts: opts, objects: storeObjects{opts.Store}, client: &probe.HTTPClient{}, runners: map[types.UID]*runner{},
		sockets: process.Sockets{Freshness: socketFreshness},
	}
}

// socketFreshness lets Pods whose probes are due together share one question about who listens
// where. It is shorter than what passes anyway between the question and the moment when the
// connection of the attempt is accepted.
const socketFreshness = 2 * time.Millisecond

// Run runs Pods until the context is done. Then it kills those that are left, at once; to end them
// with grace, delete them and wait until they are gone before. It returns when nothing it started
// is left.
func (n *Node) Run(ctx context.Context) error {
	probes, err := engine.New(engine.Options{})
	if err != nil {
		return err
	}
	n.engine, n.start = probes, time.Now()
	defer n.client.Close()
	defer probes.Close()
	defer n.sockets.Close()
	defer n.running.Wait()
	defer n.Abort()
	beating, stop := context.WithCancel(ctx)
	defer stop()
	n.running.Go(func() { n.pulse.run(beating, n.calm.flush) })
	pods := store.WatchOptions{Kinds: []store.Object{&corev1.Pod{}}}
	watch, err := n.opts.Store.Watch(pods)
	if err != nil {
		return err
	}
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			// held up for too long: each Pod is seen again as it is now, and runners know what is
			// old
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
			n.see(pod)
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

// see starts a Pod that is new, and passes on what others did to one that is not.
func (n *Node) see(pod *corev1.Pod) {
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
	r.see(pod)
}

// quantum is the time to whose multiples the timers of all runners are rounded up, so that Pods
// whose probes are due at about the same time share a wake-up: waking costs more than probing. The
// gap between two attempts stays the period, as both are rounded up alike.
const quantum = 50 * time.Millisecond

// quantize is how long it is until an instant, rounded up.
func (n *Node) quantize(at time.Time) time.Duration {
	since := at.Sub(n.start)
	return time.Until(n.start.Add((since + quantum - 1).Truncate(quantum)))
}

// takePort reserves a private port.
func (n *Node) takePort() (int, error) { return n.ports.Take() }

func (r *runner) releasePorts() {
	if r.ports == nil {
		return
	}
	for _, port := range r.ports.taken {
		r.node.ports.Release(port)
	}
}

// secretDir is where the Pod's Secret volumes are.
func (r *runner) secretDir() string {
	if r.node.opts.SecretDir == "" {
		return filepath.Join(r.dir, "secrets")
	}
	return filepath.Join(r.node.opts.SecretDir, filepath.Base(r.dir))
}

func (r *runner) removeVolumes() {
	for _, dir := range []string{filepath.Join(r.dir, "volumes"), r.secretDir()} {
		if err := os.RemoveAll(dir); err != nil {
			r.log.Warn("Cannot remove the volumes", "error", err)
		}
	}
}

func formatPID(pid int) string { return strconv.Itoa(pid) }
