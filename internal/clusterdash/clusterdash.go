package clusterdash

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/apiserver"
	"github.com/probity-run/probity/internal/dashboard"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
)

const (
	// keyBytes is how long the key is with which links and cookies are signed.
	keyBytes = 32
	// firstTime is how long the first lists may take.
	firstTime = 30 * time.Second
	// seeTime is the least time between two looks at what has changed.
	seeTime = 250 * time.Millisecond
)

// Options say which cluster is shown.
type Options struct {
	// Cluster is asked. Required; the caller closes it.
	Cluster *kube.Cluster
	// Namespace is the one that is shown; "" for all of them.
	Namespace string
	// Version of Probity. Default: none.
	Version string
	// Logger gets what goes wrong in the server itself. Default: nothing is logged.
	Logger *slog.Logger
	// Ready is called once pages are served, with a function that makes a link: it opens the
	// dashboard within a minute, once. Required.
	Ready func(link func() string)
}

// UnseenError says that nothing of the cluster can be seen.
type UnseenError struct{ err error }

func (e *UnseenError) Error() string { return e.err.Error() }

// Unwrap is why.
func (e *UnseenError) Unwrap() error { return e.err }

// Run serves the dashboard over a cluster on a loopback port until the context is done, and returns
// when nothing of it is left. If nothing can be seen at the beginning, the error is an
// [*UnseenError].
func Run(ctx context.Context, opts Options) error {
	ctx, stop := context.WithCancel(ctx)
	view := newView(opts)
	view.open(ctx)
	defer view.running.Wait()
	defer stop()
	if err := view.begin(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("cannot serve the dashboard: %w", err)
	}
	var recording sync.WaitGroup
	recording.Go(func() { view.record(ctx) })
	recording.Go(func() { view.counts.run(ctx) })
	defer recording.Wait()
	defer stop()
	port := uint16(listener.Addr().(*net.TCPAddr).Port)
	key := make([]byte, keyBytes)
	rand.Read(key) // never fails
	server := dashboard.New(dashboard.Options{
		Instance: instanceOf(opts), Key: key, Port: port, Title: titleOf(opts), Version: opts.Version,
		Cluster: view, History: view.past.recorder.Reader(), Logger: opts.Logger,
	})
	opts.Ready(func() string {
		return fmt.Sprintf("http://127.0.0.1:%d/ui/?t=%s", port, dashboard.NewOnce(key, time.Now()))
	})
	return server.Serve(ctx, listener)
}

// instanceOf tells the dashboards of one user apart in the names of cookies.
func instanceOf(opts Options) string {
	sum := sha256.Sum256([]byte("cluster\x00" + opts.Cluster.Server + "\x00" + opts.Cluster.Context + "\x00" + opts.Namespace))
	return hex.EncodeToString(sum[:6])
}

// titleOf is what is shown, in the words of kubectl.
func titleOf(opts Options) string {
	return "context " + cmp.Or(opts.Cluster.Context, "(in the cluster)") + " · " + cmp.Or(opts.Namespace, "all namespaces") + " · " + opts.Cluster.Server
}

// view is a cluster as pages see it. It implements [dashboard.Cluster].
type view struct {
	*sources
	opts   Options
	past   *past
	counts *counters
	fields *apiserver.Fields
	woken  chan struct{} // has room for one
}

func newView(opts Options) *view {
	v := &view{opts: opts, past: newPast(), fields: apiserver.NewFields(apiserver.FieldsOptions{Logger: opts.Logger}), woken: make(chan struct{}, 1)}
	v.counts = newCounters(func(ctx context.Context, node string) (io.ReadCloser, error) {
		return opts.Cluster.NodeMetrics(ctx, node, "/metrics/probes")
	}, time.Now)
	v.sources = &sources{client: opts.Cluster.Client, namespace: opts.Namespace, seen: newSeen(time.Now, plurals()...), changed: v.wake}
	return v
}

func (v *view) wake() {
	select {
	case v.woken <- struct{}{}:
	default: // somebody has done it
	}
}

// begin waits until there is something to be seen, and sees it.
func (v *view) begin(ctx context.Context) error {
	limit := time.NewTimer(firstTime)
	defer limit.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-v.seen.begun:
	case <-limit.C:
	}
	if err := v.seen.problem(); err != nil {
		return &UnseenError{fmt.Errorf("cannot see anything of the cluster of context %s (%s): %w", printable.Quote(v.opts.Cluster.Context), printable.Line(v.opts.Cluster.Server), err)}
	}
	v.look()
	return nil
}

// record sees what changes until the context is done.
func (v *view) record(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.woken:
			v.look()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(seeTime):
		}
	}
}

// look takes into the past what has changed.
func (v *view) look() {
	pods, _ := v.pods.All()
	events, _ := v.events.All()
	v.past.see(pods, events, time.Now())
}

// State implements [dashboard.Cluster].
func (v *view) State() dashboard.ClusterState {
	state := v.seen.state()
	state.Kubectl = v.opts.Cluster.Kubectl()
	if v.opts.Namespace != "" {
		state.Namespaces = []string{v.opts.Namespace}
	}
	return state
}

// Counted implements [dashboard.Cluster].
func (v *view) Counted(pod *corev1.Pod) map[history.Key]dashboard.Count { return v.counts.of(pod) }

// OpenLog implements [dashboard.Cluster].
func (v *view) OpenLog(pod *corev1.Pod, container string, instance int) dashboard.Log {
	return openLog(v.client, pod, container, instance, func() int {
		if now, ok := v.Get(pod, pod.Namespace, pod.Name).(*corev1.Pod); ok && now.UID == pod.UID {
			return restartsOf(now, container)
		}
		return restartsOf(pod, container)
	})
}
