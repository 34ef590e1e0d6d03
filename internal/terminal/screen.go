package terminal

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/lines"
)

// screen is one way to show what happens. Its methods are safe for concurrent use; start is called
// once, before show.
type screen interface {
	// start takes over the terminal, if the screen needs one, and tells what will be shown.
	start(Run)
	// kinds are the kinds of objects that show wants.
	kinds() []store.Object
	// interactive reports whether a person watches, whose terminal can go away.
	interactive() bool
	// show takes a change of a Pod, an Event or a ProbeReport.
	show(change watch.EventType, object runtime.Object) error
	// again says that changes were missed for this reason, as the reader of the screen was too
	// slow: what there is now is shown from the start.
	again(reason error) error
	// say takes a line that is none of these: a container's output, a note. It does not wait for
	// whoever reads it.
	say(line string)
	// refused takes why manifests that were saved are not applied; nil says that they are again. It
	// waits for nobody.
	refused(err error)
	// unready says of each Pod that is not ready why it is not, where there is a line for that. It
	// waits for nobody.
	unready()
	// flush waits for a moment until what there is to be shown is written.
	flush()
	// hurry keeps show and again from waiting for a reader for more than a moment longer.
	hurry()
	// close leaves the terminal as it was found.
	close()
}

// newScreen chooses by what the output is and what was asked for.
func newScreen(opts Options) screen {
	opts.Out, opts.Err = Stream(opts.Out), Stream(opts.Err)
	out, isTerminal := opts.Out.(*tty)
	switch {
	case opts.JSON:
		screen := newLineScreen(opts, jsonLine, jsonExpired)
		if opts.Probes {
			screen.probes = newProbeLog(screen.out, lines.ProbeAttempt.JSON)
		}
		return screen
	case isTerminal && !opts.Lines && !opts.Plain && !opts.Probes:
		return newTableScreen(out.file)
	default:
		return newLinesScreen(opts)
	}
}

// lineScreen prints a line of JSON per change to standard output, and everything else to standard
// error. Only show and again wait for a reader.
type lineScreen struct {
	line     func(watch.EventType, runtime.Object) ([]byte, error)
	expired  func(error) ([]byte, error) // the line of again; nil if there is none
	out, err *asyncWriter
	probes   *probeLog // nil without Options.Probes
}

func newLineScreen(opts Options, line func(watch.EventType, runtime.Object) ([]byte, error), expired func(error) ([]byte, error)) *lineScreen {
	out, err := newAsyncWriters(opts)
	return &lineScreen{line: line, expired: expired, out: out, err: err}
}

func (*lineScreen) kinds() []store.Object { return []store.Object{&corev1.Pod{}, &corev1.Event{}} }

func (s *lineScreen) start(run Run) {
	if s.probes != nil {
		s.probes.start(run.History)
	}
}

func (*lineScreen) interactive() bool { return false }

func (s *lineScreen) show(change watch.EventType, object runtime.Object) error {
	if s.probes != nil {
		s.probes.take(change, object)
	}
	line, err := s.line(change, object)
	if err != nil || line == nil {
		return err
	}
	return s.out.put(line)
}

func (s *lineScreen) again(reason error) error {
	s.say(fmt.Sprintf("probity: changes are missing in the output: %v", reason))
	if s.expired == nil {
		return nil
	}
	line, err := s.expired(reason)
	if err != nil {
		return err
	}
	return s.out.put(line)
}

func (s *lineScreen) say(line string) { s.err.offer(line) }

func (s *lineScreen) refused(err error) {
	if err != nil {
		s.say("probity: the manifests were read again: " + err.Error())
	}
}

func (s *lineScreen) unready() {}

func (s *lineScreen) flush() {
	s.probes.flush()
	s.out.flush()
	s.err.flush()
}

func (s *lineScreen) hurry() { s.out.hurry() }

func (s *lineScreen) close() {
	if s.probes != nil {
		s.probes.close()
	}
	closeWriters(s.out, s.err)
}

// tableScreen draws the live table. It owns a goroutine that draws when something changed, at most
// a few times a second, and once a second for the ages; close joins it.
type tableScreen struct {
	out   *os.File
	dirty chan struct{}
	stop  chan struct{}
	done  sync.WaitGroup

	started bool // the terminal is ours; only start and close look

	mu       sync.Mutex // guards what follows
	pods     map[string]*corev1.Pod
	reports  map[string]*node.ProbeReport
	services map[string]*corev1.Service
	slices   map[string]*discoveryv1.EndpointSlice
	events   []*corev1.Event
	lines    []string
}

const (
	// maxEventsShown is how many Events and lines a table remembers; no window is higher.
	maxEventsShown = 200
	// drawPause is the shortest time between two drawings.
	drawPause = 100 * time.Millisecond

	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[2J" // alternate screen, no cursor
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	homeCursor  = "\x1b[H"
	clearRest   = "\x1b[K" // of the line
	clearBelow  = "\x1b[J"
)

func newTableScreen(out *os.File) *tableScreen {
	return &tableScreen{
		out: out, dirty: make(chan struct{}, 1), stop: make(chan struct{}),
		pods: map[string]*corev1.Pod{}, reports: map[string]*node.ProbeReport{},
		services: map[string]*corev1.Service{}, slices: map[string]*discoveryv1.EndpointSlice{},
	}
}

func (s *tableScreen) start(Run) {
	s.write(enterScreen)
	s.done.Go(s.loop)
	s.started = true
}

func (s *tableScreen) loop() {
	seconds := time.NewTicker(time.Second)
	defer seconds.Stop()
	for {
		s.draw()
		select {
		case <-s.stop:
			return
		case <-time.After(drawPause):
		}
		select {
		case <-s.stop:
			return
		case <-s.dirty:
		case <-seconds.C:
		}
	}
}

func (*tableScreen) kinds() []store.Object {
	return []store.Object{&corev1.Pod{}, &corev1.Event{}, &node.ProbeReport{}, &corev1.Service{}, &discoveryv1.EndpointSlice{}}
}

func (*tableScreen) interactive() bool { return true }

func (s *tableScreen) show(change watch.EventType, object runtime.Object) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o := object.(type) {
	case *corev1.Pod:
		keep(s.pods, change, o)
	case *node.ProbeReport:
		keep(s.reports, change, o)
	case *corev1.Service:
		keep(s.services, change, o)
	case *discoveryv1.EndpointSlice:
		keep(s.slices, change, o)
	case *corev1.Event:
		if change != watch.Deleted {
			s.events = slices.DeleteFunc(s.events, func(e *corev1.Event) bool { return e.UID == o.UID })
			s.events = lastOf(append(s.events, o), maxEventsShown)
		}
	}
	s.touch()
	return nil
}

// keep brings a map of objects by name up to date.
func keep[T metav1.Object](objects map[string]T, change watch.EventType, object T) {
	if objects[object.GetName()] = object; change == watch.Deleted {
		delete(objects, object.GetName())
	}
}

func (s *tableScreen) again(error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.pods)
	clear(s.reports)
	clear(s.services)
	clear(s.slices)
	s.events = nil
	return nil
}

func (s *tableScreen) hurry() {}

func (s *tableScreen) flush() {}

func (s *tableScreen) refused(err error) {
	if err != nil {
		s.say("probity: the manifests were read again: " + err.Error())
	}
}

func (s *tableScreen) unready() {}

func (s *tableScreen) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = lastOf(append(s.lines, oneLine(line)), maxEventsShown)
	s.touch()
}

func (s *tableScreen) touch() {
	select {
	case s.dirty <- struct{}{}:
	default: // a drawing is due already
	}
}

func (s *tableScreen) draw() {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		width, height = 80, 24
	}
	text := s.snapshot().render(width, height)
	text = strings.ReplaceAll(text, "\n", clearRest+"\r\n")
	s.write(homeCursor + text + clearRest + clearBelow)
}

func (s *tableScreen) snapshot() snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := snapshot{now: time.Now(), reports: map[string]*node.ProbeReport{}, events: slices.Clone(s.events), lines: slices.Clone(s.lines)}
	p.pods, p.services, p.slices = byName(s.pods), byName(s.services), byName(s.slices)
	maps.Copy(p.reports, s.reports)
	return p
}

// byName lists objects by their names.
func byName[T any](objects map[string]T) (all []T) {
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		all = append(all, objects[name])
	}
	return all
}

// close goes back to the normal screen and leaves the last snapshot's Events there, so that they
// can be read after the end.
func (s *tableScreen) close() {
	close(s.stop)
	s.done.Wait()
	var b bytes.Buffer
	if s.started {
		b.WriteString(leaveScreen)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.events {
		b.WriteString(eventText(e) + "\r\n")
	}
	for _, line := range s.lines {
		b.WriteString(line + "\r\n")
	}
	s.write(b.String())
}

// write writes to a terminal; one that is gone has nobody who could be told.
func (s *tableScreen) write(text string) { _, _ = io.WriteString(s.out, text) }

func lastOf[T any](items []T, n int) []T {
	if len(items) > n {
		return slices.Clone(items[len(items)-n:])
	}
	return items
}
