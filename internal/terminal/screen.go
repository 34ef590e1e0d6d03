package terminal

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

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
		return newLiveScreen(opts, out.file)
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
