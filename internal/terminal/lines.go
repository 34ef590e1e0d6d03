package terminal

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/lines"
)

// Run is what a View shows. Store and History are required.
type Run struct {
	// Store holds the objects, of the kinds that a system has.
	Store *store.Store
	// Traffic is what the proxy has counted.
	Traffic func() proxy.State
	// LastOutput gives the last line that an instance of a container printed and that is not
	// empty, restarts being the number of instances before it.
	LastOutput func(pod *corev1.Pod, container string, restarts int) (string, error)
	// History holds the attempts of probes.
	History history.Reader
	// Listeners are the addresses at which the processes of a Pod listen, by container.
	Listeners func(ctx context.Context, pod types.UID) (map[string][]netip.AddrPort, error)
	// Place says where a field of a Pod's spec is written: "app.yaml:31", or "".
	Place func(pod *corev1.Pod, field string) string
	// Stopping reports whether everything is being stopped.
	Stopping func() bool
}

// trafficPause is the time between two looks at what the proxy has counted.
const trafficPause = time.Second

// linesScreen prints the lines of package lines to standard output, and everything else to standard
// error. It owns a goroutine for the lines that are due by time; close joins it.
type linesScreen struct {
	out, err   *asyncWriter
	onTerminal bool
	done       sync.WaitGroup
	stop       chan struct{}
	woken      chan struct{} // the reporter's deadline may have changed
	probes     *probeLog     // nil without Options.Probes

	queueMu sync.Mutex // guards queue
	queue   []func(now time.Time)

	mu       sync.Mutex // guards what follows; whoever holds it may wait for a reader
	run      Run
	options  lines.Options
	reporter *lines.Reporter
	failed   error // of out
}

func newLinesScreen(opts Options) *linesScreen {
	out, err := newAsyncWriters(opts)
	_, onTerminal := opts.Out.(*tty)
	s := &linesScreen{out: out, err: err, onTerminal: onTerminal, stop: make(chan struct{}), woken: make(chan struct{}, 1)}
	if opts.Probes {
		s.probes = newProbeLog(out, func(a lines.ProbeAttempt) ([]byte, error) { return []byte(a.String()), nil })
	}
	s.options = lines.Options{Line: s.print, Plain: opts.Plain, Note: func(text string) { s.say("probity: " + text) }}
	s.reporter = lines.New(s.options)
	return s
}

func (*linesScreen) kinds() []store.Object { return lines.Kinds() }

func (s *linesScreen) interactive() bool { return s.onTerminal }

func (s *linesScreen) start(run Run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = run
	s.options.LastOutput, s.options.History, s.options.Place = run.LastOutput, run.History, run.Place
	if run.Listeners != nil {
		s.options.Listeners = s.listeners
	}
	s.reporter = lines.New(s.options) // nothing was shown so far
	s.done.Go(s.tick)
	if s.probes != nil {
		s.probes.start(run.History)
	}
}

// lookTime is how long it may take to ask where a Pod listens.
const lookTime = 200 * time.Millisecond

// listeners are the addresses at which a Pod listens; nil if it does not tell in time.
func (s *linesScreen) listeners(pod types.UID) map[string][]netip.AddrPort {
	ctx, cancel := context.WithTimeout(context.Background(), lookTime)
	defer cancel()
	found, err := s.run.Listeners(ctx, pod)
	if err != nil {
		return nil // the Pod has ended, or the system does not tell: the advice does without
	}
	return found
}

// print writes a line of the reporter, under the lock of whoever called that.
func (s *linesScreen) print(line lines.Line) {
	if s.failed == nil {
		s.failed = s.out.put([]byte(line.String()))
	}
}

func (s *linesScreen) show(change watch.EventType, object runtime.Object) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteStop(now)
	if s.probes != nil {
		s.probes.take(change, object)
	}
	err := s.reporter.Object(change, object, now)
	if event, ok := object.(*corev1.Event); ok && event.Reason == "RequestsLost" {
		s.countTraffic(now) // while its Pod is still among the endpoints
	}
	s.wake()
	if err == nil {
		err = s.failed
	}
	return err
}

func (s *linesScreen) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// later has something told by whoever holds the lock next, so as to wait for no reader.
func (s *linesScreen) later(tell func(now time.Time)) {
	s.queueMu.Lock()
	defer s.queueMu.Unlock()
	s.queue = append(s.queue, tell)
	s.wake()
}

// takeQueue tells what waits to be told, under the lock.
func (s *linesScreen) takeQueue(now time.Time) {
	s.queueMu.Lock()
	queue := s.queue
	s.queue = nil
	s.queueMu.Unlock()
	for _, tell := range queue {
		tell(now)
	}
}

// noteStop tells the reporter once that everything is being stopped.
func (s *linesScreen) noteStop(now time.Time) {
	if s.run.Stopping != nil && s.run.Stopping() {
		s.reporter.Stopping(now)
	}
}

func (s *linesScreen) countTraffic(now time.Time) {
	if s.run.Traffic != nil {
		s.reporter.Traffic(s.run.Traffic(), now)
	}
}

// tick gives the lines that are due by time, and looks at what the proxy counts.
func (s *linesScreen) tick() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-timer.C:
		case <-s.woken:
		}
		timer.Reset(s.due(time.Now()))
	}
}

// due says what is due, and how long it is until something else may be.
func (s *linesScreen) due(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeQueue(now)
	s.reporter.Tick(now)
	wait := time.Hour
	if next := s.reporter.Deadline(); !next.IsZero() {
		wait = next.Sub(now)
	}
	if s.run.Traffic != nil && s.reporter.HasServices() {
		s.countTraffic(now)
		wait = min(wait, trafficPause)
	}
	return wait
}

// again is about changes that were missed: everything there is comes once more.
func (s *linesScreen) again(reason error) error {
	s.say(fmt.Sprintf("probity: changes are missing in the output: %v", reason))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reporter.Missed()
	return s.failed
}

// lineOf is a place in a manifest, without its column; that of a file that cannot be read is the
// file.
func lineOf(at manifest.Position) string {
	at.Column = 0
	return at.String()
}

// refused gives a line for each thing that is wrong.
func (s *linesScreen) refused(err error) {
	if err == nil {
		return
	}
	problems, ok := errors.AsType[manifest.Errors](err)
	if !ok {
		text, whole := strings.CutPrefix(err.Error(), "nothing was changed: ")
		s.later(func(now time.Time) { s.reporter.Refused("manifests", text, whole, now) })
	}
	for _, p := range problems { // found before anything was applied
		place, text := lineOf(p.Position), p.Message
		if p.Field != "" {
			text = p.Field + ": " + text
		}
		s.later(func(now time.Time) { s.reporter.Refused(place, text, true, now) })
	}
}

func (s *linesScreen) unready() { s.later(s.reporter.Unready) }

func (s *linesScreen) say(line string) { s.err.offer(line) }

func (s *linesScreen) hurry() { s.out.hurry() }

func (s *linesScreen) flush() {
	if s.mu.TryLock() { // else somebody waits for a reader
		s.takeQueue(time.Now())
		s.mu.Unlock()
	}
	s.probes.flush()
	s.out.flush()
	s.err.flush()
}

// close gives the last line, if there was a run.
func (s *linesScreen) close() {
	close(s.stop)
	s.done.Wait()
	if s.probes != nil {
		s.probes.close()
	}
	s.mu.Lock()
	if s.run.Store != nil {
		now := time.Now()
		s.takeQueue(now)
		s.countTraffic(now)
		s.reporter.Stopped(now)
	}
	s.mu.Unlock()
	closeWriters(s.out, s.err)
}
