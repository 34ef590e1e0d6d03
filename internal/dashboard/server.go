package dashboard

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Server].
type Options struct {
	// Instance tells the runs of one user apart: cookies are shared by all ports of a host. It
	// stays the same when the run is started again. Required.
	Instance string
	// Key is what once-tokens and cookies are signed with; who has it is let in. Required.
	Key []byte
	// Port is where the server listens, at 127.0.0.1. Required.
	Port uint16
	// Title names the manifests. Default: "probity".
	Title string
	// Files are the files of the manifests, as they were given. Default: none.
	Files []string
	// Folder is where the run was started: files below it are shown by their paths from there.
	// Default: by their whole paths.
	Folder string
	// Version of Probity. Default: none.
	Version string
	// Cluster, if not nil, is what is shown, in the place of a run.
	Cluster Cluster
	// Store has the objects of a run. Required without a cluster.
	Store *store.Store
	// Registry takes what a person wants to be changed. Required without a cluster.
	Registry *registry.Registry
	// Fields knows who owns which field of an object. Required without a cluster.
	Fields Fields
	// History is the past of the Pods. The zero value knows nothing.
	History history.Reader
	// Traffic is how the Services are served. Nil: nothing is said of that.
	Traffic func() proxy.State
	// Drills, if not nil, are what is known of drills. Default: there is no page of them.
	Drills Drills
	// Runner runs the Pods. Required without a cluster.
	Runner Runner
	// Logger gets what goes wrong in the server itself. Default: nothing is logged.
	Logger *slog.Logger
	// Now is the clock. Default: [time.Now].
	Now func() time.Time
}

// Fields makes a change of an object a server-side apply: the result is next, of which the manager
// owns what it changes and what it has applied before. current is nil for what is to be made;
// written is next as a person would write it, without defaults. That something belongs to others is
// the API's Conflict, unless it is forced.
type Fields interface {
	Change(current, next store.Object, written map[string]any, manager string, force bool) (store.Object, error)
}

// Runner is what the dashboard needs of who runs the Pods. All of it is called by goroutines of
// requests and does not wait for a Pod.
type Runner interface {
	// OpenLog opens what an instance of a container has printed; instance counts the restarts
	// before. Who reads it closes it.
	OpenLog(pod *corev1.Pod, container string, instance int) *process.LogReader
	// Listeners are the addresses at which the processes of a Pod listen, by container.
	Listeners(ctx context.Context, pod types.UID) (map[string][]netip.AddrPort, error)
	// Place says where a field of a Pod's spec is written: "app.yaml:31", or "".
	Place(pod *corev1.Pod, field string) string
	// RestartContainer restarts a container of a Pod, all of them if it has no name; DeletePod
	// deletes the Pod, SetRotation takes it out of rotation by hand or back.
	RestartContainer(namespace, name, container string) error
	// ReplacePod deletes a Pod and makes another one of its name when it is gone; Waits reports
	// whether that is still to be made.
	ReplacePod(ctx context.Context, live, next *corev1.Pod, options registry.WriteOptions) error
	Waits(namespace, name string) bool
	DeletePod(namespace, name string) error
	SetRotation(namespace, name string, out bool) error
	// Signal sends a signal to the process of a container that runs.
	Signal(namespace, name, container string, sig syscall.Signal) error
	// Stopping reports whether the run is being stopped.
	Stopping() bool
}

// Server is the dashboard of a run. Make it with [New]. It is an [http.Handler] and safe for
// concurrent use; [Server.Serve] owns its goroutines.
type Server struct {
	opts    Options
	started time.Time
	files   func() *staticFiles // made when somebody asks first
	reads   Objects
	writes  Writer
	look    *look
	numbers numbers
	signIn  *signIn
	hub     *hub
	open    openPods
	checked checked
	specs   markedSpecs
	reports atomic.Int64 // of what browsers have refused
	// followers has a place for each log that is followed.
	followers chan struct{}
	// counting is held by who simulates what may take long.
	counting chan struct{}
	mux      *http.ServeMux
}

// maxConnections is how many connections there may be: ten browsers use sixty.
const maxConnections = 256

// New makes a server. Nothing of it costs anything before somebody looks.
func New(opts Options) *Server {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	opts.Title = cmp.Or(opts.Title, "probity")
	s := &Server{
		opts: opts, started: opts.Now(), files: sync.OnceValue(newStaticFiles), reads: stored{opts.Store}, writes: door{opts.Registry, opts.Fields}, look: newLook(), numbers: numbers{of: map[probeID]int{}}, signIn: newSignIn(opts.Key, opts.Instance, opts.Now),
		mux: http.NewServeMux(), followers: make(chan struct{}, maxFollowers), counting: make(chan struct{}, 1),
	}
	if opts.Cluster != nil {
		s.reads, s.writes = opts.Cluster, opts.Cluster
	}
	s.hub = newHub(s)
	s.routes()
	return s
}

// Serve answers requests of a listener until the context is done, and returns when nothing of it is
// left. Streams end with a word of farewell.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	streams, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	h := &http.Server{
		Handler: s, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 90 * time.Second, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return streams },
		ErrorLog:    slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelDebug), DisableGeneralOptionsHandler: true,
	}
	var serving sync.WaitGroup
	failed := make(chan error, 1)
	serving.Go(func() { failed <- h.Serve(newBounded(l, maxConnections)) })
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		s.hub.end()
		cut()
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		if err = h.Shutdown(ending); errors.Is(err, context.DeadlineExceeded) {
			err = nil // who has not left by then is cut
		}
		cancel()
	}
	err = errors.Join(err, h.Close())
	serving.Wait()
	s.hub.end()
	return err
}
