// Package system is a running Probity as one value: the store and what works on it (registry,
// controllers, node, proxy), and what connects it with the outside: manifests and their files,
// the state folder, the Kubernetes API by which other programs reach it.
//
//	New --> Start --> Apply, Reload, ... --> Stop (with grace) or Abort (at once) --> Wait
//
// A system belongs to the process that made it, which has to be one that can be its own shepherd
// (process.IsShepherd): whatever the system starts ends with it.
package system

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/apiserver"
	"github.com/probity-run/probity/internal/apiserver/credentials"
	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/dependency"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/workload"
)

// Options of a [System]. The zero value is an empty system, whose state folder belongs to the
// working folder.
type Options struct {
	// Manifests are files, folders of files, and "-" for standard input. They are applied by Start,
	// and again when they change. A manifest without anything to run is an error. Default: none.
	Manifests []string
	// Stdin is read for the manifest "-". Nil makes that an error.
	Stdin io.Reader
	// Commands are the programs that stand for images, by the containers' names, or by workload and
	// container, as in "deployment/web:server", which come first.
	Commands map[string]string
	// Env are values, by names, that documents of other formats refer to as secrets. Default: none.
	Env map[string]string
	// Only are the workloads of the manifests to run, by name or as in "deployment/web", with the
	// Services in front of them. Default: all.
	Only []string
	// Environ is the environment below that of the manifests, "NAME=value". Default: that of this
	// process. Probity's own program is added to its PATH.
	Environ []string
	// StateDir is a folder for the output of containers, for volumes, and for the socket of other
	// commands. It must not be used by another system; what the last one left is removed. Default:
	// a folder below the user's state folder that belongs to the manifests.
	StateDir string
	// Listed has other commands of this user find the system by a link in the user's state folder
	// if StateDir lies elsewhere.
	Listed bool
	// MaxRestartPeriod caps the crash-loop back-off (R147). Default 300 s.
	MaxRestartPeriod time.Duration
	// PortPatience is for how long Services leave a port number to a program that declares it and
	// has not shown where it listens, at first. Default [workload.PortPatience].
	PortPatience time.Duration
	// MaxPods is how many Pods there may be at a time; more wait for a place, or are refused where
	// a manifest asks for them. Default 110, as a kubelet's maxPods.
	MaxPods int
	// StopWhenFinished ends the system when there are Pods, nothing that makes others, and every
	// Pod has ended for good. Default: it goes on until it is told to stop.
	StopWhenFinished bool
	// NoServices leaves Services alone: nothing listens for them, and a Pod's end waits for no
	// request.
	NoServices bool
	// Names is how programs find each other by name. Default [NamesAuto].
	Names Names
	// NoAPI leaves out the Kubernetes API.
	NoAPI bool
	// NoDashboard leaves out the dashboard.
	NoDashboard bool
	// Drill, if not nil, makes what has the system drilled for clients of the API, as drills are
	// made of systems. Default: nobody can ask for one.
	Drill func(s *System) http.Handler
	// Drills, if not nil, are what the dashboard shows of drills. Default: it has no page of them.
	Drills dashboard.Drills
	// APIAddress is where the Kubernetes API listens besides loopback. Default: nowhere. Who has
	// the token reads Secrets and runs commands through it.
	APIAddress netip.Addr
	// NewToken makes another token for the API: whoever has the one of the last run is shut out.
	NewToken bool
	// Kubeconfig is a file that gets a context for the API, besides that in the state folder.
	// Default: none.
	Kubeconfig string
	// Version of Probity, for clients of the API. Default: none.
	Version string
	// Faults prepares for [System.Inject] and [System.Deadlock]. Default: not.
	Faults bool
	// Follow, if not nil, gets every line that a container prints, from a goroutine per container.
	// It must not wait for anybody: the end of a container waits until it had all of them.
	Follow func(pod *corev1.Pod, container string, entry process.LogEntry)
	// Outputs are files that this process writes to. They are no manifests if they are in a folder
	// of them. Default: none.
	Outputs []*os.File
	// Notice, if not nil, gets what a person should know, a line at a time: what a changed manifest
	// changed, what of it is not applied here. It must not wait for anybody.
	Notice func(line string)
	// Dependencies are what Pods connect to, for a drill: see [System.SetMode]. Default: not
	// watched.
	Dependencies DependencyOptions
	// Routing is how requests get from Services to Pods. Default: as the docs say.
	Routing proxy.Routing
	// Refused, if not nil, gets why manifests that were saved are not applied, once for each new
	// reason, and nil as soon as what is in the files is applied again. Errors in the manifests are
	// [manifest.Errors] in it. It must not wait for anybody. Default: Notice gets the reason.
	Refused func(err error)
	// Logger gets what is neither an Event nor a status nor a notice. Default: nothing is logged.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Refused == nil {
		o.Refused = func(err error) {
			if err != nil {
				o.Notice(readAgain + err.Error())
			}
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.MaxRestartPeriod = cmp.Or(o.MaxRestartPeriod, MaxRestartPeriod)
	o.PortPatience = cmp.Or(o.PortPatience, workload.PortPatience)
	o.MaxPods = cmp.Or(o.MaxPods, MaxPods)
	return o
}

// MaxRestartPeriod is the kubelet's cap of the crash-loop back-off, and the largest value that its
// setting takes (R146, R147).
const MaxRestartPeriod = 5 * time.Minute

// System is a running Probity. Make it with [New]. Its methods are safe for concurrent use.
type System struct {
	opts       Options
	state      *stateDir
	shepherd   *process.Shepherd
	store      *store.Store
	registry   *registry.Registry
	node       *node.Node
	controller *controller.Controller
	proxy      *proxy.Proxy // nil with Options.NoServices
	claims     *portClaims  // of the proxy, nil without it
	addresses  *addresses   // nil before New has the state folder
	noDisks    error        // why volumes cannot be disks of their own
	hostNames  *hostNames
	watcher    *dependency.Watcher // nil without Dependencies.Watch
	api        *api
	faults     *faults
	fields     *apiserver.Fields // who owns which field of an object
	dashboard  *dashboardHost    // nil if there is none
	files      *fileWatch        // from Start on
	created    time.Time         // when New made it
	started    bool              // by Start
	loader     *loader
	applier    *applier   // of the goroutine of run
	first      *manifests // what that applies first; nil without manifests
	remarks    []string

	requests chan func()   // for the goroutine of run
	applied  chan struct{} // closed when the first manifests are in the store
	changed  chan struct{} // Pods changed
	edited   chan struct{} // manifests have changed
	settled  chan struct{} // manifests are as they are meant: what is not in them may be pruned
	loading  sync.WaitGroup
	stopOnce sync.Once
	stop     chan struct{} // closed by Stop

	endOnce sync.Once
	done    chan struct{} // closed when nothing is left
	err     error         // of Wait, once done is closed
}

// New reads and checks the manifests, takes the state folder and starts the shepherd; nothing of
// the manifests has started then. Call Start or Close. The error is an [*InputError] if the options
// are to blame.
func New(opts Options) (*System, error) {
	opts = opts.withDefaults()
	kinds := slices.Concat(store.Kubernetes(), node.Kinds(), controller.Kinds())
	s := &System{
		opts: opts, created: time.Now(), store: store.New(store.Options{Kinds: kinds}), requests: make(chan func()), applied: make(chan struct{}),
		changed: make(chan struct{}, 1), edited: make(chan struct{}, 1), settled: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	doors := registry.Options{Store: s.store, NodeName: node.Name, Commands: opts.Commands, Admit: s.admit}
	if !opts.NoServices {
		doors.ServiceAddress = func(namespace, name string) netip.Addr { return s.addresses.service(namespace, name) }
	}
	s.api = newAPI(s)
	s.fields = apiserver.NewFields(apiserver.FieldsOptions{
		Kinds: []apiserver.Kind{{GVK: node.ProbeReportKind, Object: &node.ProbeReport{}, List: &node.ProbeReportList{}}}, Logger: opts.Logger,
	})
	doors.ManagedFields = s.fields.ManagedFields
	s.registry = registry.New(doors)
	s.applier = newApplier(s.registry, s.store)
	if err := s.createCluster(); err != nil {
		return nil, err
	}
	s.loader = newLoader(s.registry, opts)
	var err error
	if len(opts.Manifests) > 0 {
		s.first, err = s.loader.load(opts.Manifests, manifest.Options{Stdin: opts.Stdin}, nil)
		if s.first != nil {
			err = cmp.Or(s.first.checkCommands(opts.Commands), err) // a slip there is the cause of others
		}
		if err != nil {
			return nil, &InputError{err}
		}
		s.remarks = s.loader.news(s.first)
	}
	if s.state, err = openState(opts.StateDir, opts.Manifests); err != nil {
		return nil, &InputError{err}
	}
	if opts.Listed && opts.StateDir != "" {
		s.state.list()
	}
	s.remarks = append(s.remarks, s.state.remarks...)
	if !opts.NoAPI {
		s.remarks = append(s.remarks, "probity: Kubernetes API: export KUBECONFIG="+printable.Shell(filepath.Join(s.state.dir, credentials.KubeconfigName)))
	}
	var moved string
	if s.addresses, moved, err = openAddresses(s.state.root, s.state.dir, opts.Notice); err != nil {
		return nil, errors.Join(err, s.state.close())
	}
	if moved != "" {
		s.tellMoved(moved)
	}
	if s.shepherd, err = process.NewShepherd(process.ShepherdOptions{Remove: []string{s.state.secrets.path}, Reaper: opts.Faults, Notice: opts.Notice}); err != nil {
		s.addresses.close()
		return nil, errors.Join(err, s.state.close())
	}
	s.compose()
	if !opts.NoDashboard {
		s.offerDashboard()
	}
	return s, nil
}

// compose makes the parts that work on the store. None of them does anything yet.
func (s *System) compose() {
	s.faults = &faults{store: s.store, log: s.opts.Logger}
	var traffic node.Traffic
	if !s.opts.NoServices {
		s.claims = newPortClaims(s.registry, s.state.root, s.opts.PortPatience, s.opts.Notice)
		if s.first != nil {
			s.claims.set(sourceOf(s.opts.Manifests), s.first)
			s.addresses.expect(s.first.services())
		}
		s.proxy = proxy.New(proxy.Options{
			Store: s.store, Claims: s.claims.now, Logger: s.opts.Logger, Redirect: s.faults.diversions.Request,
			Routing: s.opts.Routing,
			CheckListener: func(ctx context.Context, pod types.UID, address netip.AddrPort) (netip.AddrPort, error) {
				return s.node.CheckListener(ctx, pod, address)
			},
		})
		traffic = podTraffic{s.proxy, s.claims}
		s.applier.served = s.proxy.CatchUp
	}
	s.controller = controller.New(controller.Options{Store: s.store, Registry: s.registry, Logger: s.opts.Logger})
	s.hostNames = newHostNames(s.opts.Names, s.store, s.shepherd, s.state.names, s.opts)
	s.tryDisks()
	s.node = node.New(node.Options{
		Store: s.store, Starter: s.starter(), Dir: s.state.pods, SecretDir: s.state.secrets.path, Environ: s.state.environ(s.opts.Environ),
		MaxRestartPeriod: s.opts.MaxRestartPeriod, Follow: s.opts.Follow, Traffic: traffic, Names: s.hostNames, Logger: s.opts.Logger,
		PodAddress: s.addresses.pod, Redirect: s.faults.diversions.Probe, DrillDir: s.drillDir(), Disks: s.hostNames.disks,
	})
}

// Store holds the system's objects. Read and watch them there; what is desired is written through
// [System.Registry].
func (s *System) Store() *store.Store { return s.store }

// Registry takes what a client wants to be made or changed.
func (s *System) Registry() *registry.Registry { return s.registry }

// Proxy serves the Services. It is nil with Options.NoServices.
func (s *System) Proxy() *proxy.Proxy { return s.proxy }

// Files are the files in which the first manifests are, as they were given or found in a folder;
// standard input is <stdin>. It is to be called before Start.
func (s *System) Files() (files []string) {
	if s.first == nil {
		return nil
	}
	for _, o := range s.first.set.Objects {
		files = append(files, o.Position.File)
	}
	for _, o := range s.first.set.Unknown {
		files = append(files, o.Position.File)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

// History is the past of the Pods that run, for people: attempts of probes, changes of state, ends
// of instances.
func (s *System) History() history.Reader { return s.node.History() }

// Remarks are lines about what of the first manifests is not done here: kinds that are left alone,
// fields that are not applied, the API server's warnings, and where the output is kept.
func (s *System) Remarks() []string { return s.remarks }

// Start starts everything and applies the manifests. When the context is done the system stops as
// by Stop. Call it once. After an error the system has ended.
func (s *System) Start(ctx context.Context) error {
	var err error
	if s.files, err = newFileWatch(s.opts.Manifests, s.loader.outputs); err != nil {
		s.opts.Notice(err.Error() + unwatched)
	} else {
		s.files.beside = s.loading.Go
	}
	s.started = true
	go s.run(ctx)
	return nil
}

// Close ends a system at once and waits for its end; one that was not started gives back what it
// took. The error is that of Wait.
func (s *System) Close() error {
	if !s.started {
		if s.dashboard != nil {
			_ = s.dashboard.listener.Close() // nobody was answered
		}
		s.end(nil)
		return s.Wait()
	}
	s.Stop()
	s.Abort()
	return s.Wait()
}

// end gives back what New took, once nothing else is left.
func (s *System) end(err error) {
	s.endOnce.Do(func() {
		s.err = errors.Join(err, s.endProcesses())
		s.addresses.close()
		s.err = errors.Join(s.err, s.state.close())
		close(s.done)
	})
}

// Stop deletes what makes Pods, and every Pod, with its grace period.
func (s *System) Stop() { s.stopOnce.Do(func() { close(s.stop) }) }

// Stopping reports whether the system is being stopped.
func (s *System) Stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// Abort kills every process at once, without hooks or grace. Stop first: else what makes Pods makes
// others.
func (s *System) Abort() { s.node.Abort() }

// Done is closed when the system has ended and nothing of it is left.
func (s *System) Done() <-chan struct{} { return s.done }

// Wait waits for the end of a system that was started. The error says which Pod failed for good, or
// why the system could not go on; nil means that it ended on request or that every Pod Succeeded.
func (s *System) Wait() error {
	<-s.done
	return s.err
}
