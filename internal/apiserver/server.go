package apiserver

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/apiserver/guard"
	"github.com/probity-run/probity/internal/apiserver/openapi"
	"github.com/probity-run/probity/internal/apiserver/scrape"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Server].
type Options struct {
	// Store is read and watched. Required.
	Store *store.Store
	// Registry takes what clients want. Required.
	Registry *registry.Registry
	// Runner runs the Pods. Nil: nothing is served that needs it, such as logs.
	Runner Runner
	// Guard bounds how many watches and streams there are. Nil: nobody does.
	Guard *guard.Guard
	// Fields knows who owns which field of an object, and the kinds that there are. Default: those
	// of Kubernetes.
	Fields *Fields
	// History has the counters of probes for /metrics. Default: nothing is known of them.
	History history.Reader
	// Traffic is what the proxy does, for /metrics. Nil: there is none.
	Traffic func() proxy.State
	// Version of Probity, as in "0.4.0", for /version. Default: "unknown".
	Version string
	// Applier answers an [ApplyRequest]. Nil: it cannot be applied.
	Applier Applier
	// Drill answers who posts to [DrillPath]. Nil: nobody does.
	Drill http.Handler
	// Stopping reports whether what clients create would end at once. Default: it never does.
	Stopping func() bool
	// WriteTime is how long a client may take nothing of an event before its watch is cut. Default
	// 30 s.
	WriteTime time.Duration
	// Logger gets what goes wrong in the server itself. Default: nothing is logged.
	Logger *slog.Logger
}

// Runner is what the API needs of who runs the Pods.
type Runner interface {
	// OpenLog opens what an instance of a container has printed, at its beginning. instance counts
	// the restarts before. There need not be any output; who reads it closes it.
	OpenLog(pod *corev1.Pod, container string, instance int) *process.LogReader
	// Exec runs a command beside the program of a running container, and returns its exit code. It
	// ends the command when the context ends, when the container does, and when nobody takes what
	// it writes. Why it could not be started is written to its errors; the error is that of the
	// machine.
	Exec(ctx context.Context, pod types.UID, container string, command []string, streams process.Streams) (int, error)
	// Attach writes what a running container prints from now on, until it or the context ends. A
	// nil writer gets nothing.
	Attach(ctx context.Context, pod types.UID, container string, stdout, stderr io.Writer) error
	// DialPort opens a connection to a port of a Pod, by the number that its manifest has for it.
	DialPort(ctx context.Context, pod types.UID, port int32) (net.Conn, error)
}

// Kind is a kind that the API machinery does not know.
type Kind struct {
	GVK    schema.GroupVersionKind
	Object store.Object
	List   runtime.Object
}

// Server answers requests of the Kubernetes API. Make it with [New]. It is an [http.Handler], is
// safe for concurrent use and starts no goroutine that outlives a request; of those requests that
// net/http does not wait for, see [Server.Wait].
type Server struct {
	opts       Options
	scheme     *runtime.Scheme
	codecs     []runtime.SerializerInfo
	parameters runtime.ParameterCodec
	resources  map[schema.GroupVersionResource]*resource
	documents  func() []openapi.Document // read when somebody asks for them
	requests   scrape.Requests
	streams    streams
}

// New makes a server.
func New(opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Stopping == nil {
		opts.Stopping = func() bool { return false }
	}
	opts.WriteTime = cmp.Or(opts.WriteTime, 30*time.Second)
	if opts.Fields == nil {
		opts.Fields = NewFields(FieldsOptions{Logger: opts.Logger})
	}
	scheme, err := opts.Fields.scheme()
	if err != nil {
		return nil, err
	}
	s := &Server{
		opts: opts, scheme: scheme, codecs: newCodecs(scheme), parameters: runtime.NewParameterCodec(scheme),
		documents: sync.OnceValue(openapi.Documents),
	}
	return s, s.newResources()
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.counted(w, r, s.serve) }

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.serveHealth(w, r) || s.serveMetrics(w, r) || s.serveDiscovery(w, r) || s.serveDrill(w, r) || s.serveResource(w, r) {
		return
	}
	if s.knows(r.URL.Path) {
		s.Refuse(w, r, apierrors.NewGenericServerResponse(http.StatusNotFound, "", schema.GroupResource{}, "", "", 0, false))
		return
	}
	http.Error(w, "404 page not found", http.StatusNotFound)
}

// knows reports whether a path is below a group that is served. What is not found there is told in
// the API's words, as it is on a cluster.
func (s *Server) knows(path string) bool {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return parts[0] == "api" && len(parts) > 1 || parts[0] == "apis" && len(parts) > 2 && s.group(parts[1]) != nil
}

// serveHealth answers whether the server is well, which it is as long as it answers.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/healthz", "/livez":
	case "/readyz":
		if s.opts.Stopping() {
			http.Error(w, "the run is being stopped", http.StatusServiceUnavailable)
			return true
		}
	default:
		return false
	}
	if c := (&call{server: s, w: w, r: r}); c.onlyRead() {
		return true
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, "ok") // who has left does not get it
	return true
}

// Refuse answers with why a request is refused, in the encoding that its client takes.
func (s *Server) Refuse(w http.ResponseWriter, r *http.Request, reason *apierrors.StatusError) {
	s.counted(w, r, func(w http.ResponseWriter, r *http.Request) {
		c := &call{server: s, w: w, r: r}
		var err error
		if c.format, err = negotiate(r.Header.Get("Accept"), s.codecs, false); err != nil {
			c.format = s.defaultFormat()
		}
		c.fail(reason)
	})
}

// offers are the encodings of a resource: protobuf only for those of Kubernetes.
func (s *Server) offers(r *resource) []runtime.SerializerInfo {
	if r.protobuf {
		return s.codecs
	}
	return textual(s.codecs)
}

func textual(all []runtime.SerializerInfo) (some []runtime.SerializerInfo) {
	for _, info := range all {
		if info.EncodesAsText {
			some = append(some, info)
		}
	}
	return some
}

func (s *Server) defaultFormat() format { return format{SerializerInfo: s.codecs[0]} }
