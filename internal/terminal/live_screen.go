package terminal

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/live"
)

// liveScreen is the application on a terminal. If that ends before the run, because the terminal is
// gone or because a picture could not be made, lines go on in its place.
type liveScreen struct {
	live     *live.Screen
	attended live.Run
	opts     Options
	run      Run // from start on

	mu    sync.Mutex // guards what follows
	lines screen
	ended time.Time // when lines took over
}

// hangupTime is how long after its terminal the HUP of a closed window may come.
const hangupTime = 2 * time.Second

func newLiveScreen(opts Options, out *os.File) *liveScreen {
	s := &liveScreen{opts: opts}
	s.live = live.New(live.Options{Out: out, In: opts.In, Settings: live.Settings{ASCII: opts.ASCII}, Failed: s.failed})
	return s
}

// failed goes on with lines.
func (s *liveScreen) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines, s.ended = newLinesScreen(s.opts), time.Now()
	s.lines.start(s.run)
	s.lines.say("probity: " + err.Error())
}

// instead are the lines that took over; nil as long as the application runs.
func (s *liveScreen) instead() screen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines
}

func (s *liveScreen) start(run Run) {
	s.run = run
	s.live.Start(s.attended)
}

func (s *liveScreen) unready() {}

func (s *liveScreen) flush() {
	if lines := s.instead(); lines != nil {
		lines.flush()
	}
}

func (s *liveScreen) kinds() []store.Object { return s.live.Kinds() }

// interactive is false after the view has ended before the run: a HUP means there what it means
// without a terminal. When a window is closed, though, the view may see that before the HUP comes.
func (s *liveScreen) interactive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines == nil || time.Since(s.ended) < hangupTime
}

func (s *liveScreen) show(change watch.EventType, object runtime.Object) error {
	if lines := s.instead(); lines != nil {
		return lines.show(change, object)
	}
	s.live.Show(change, object)
	return nil
}

func (s *liveScreen) again(reason error) error {
	if lines := s.instead(); lines != nil {
		return lines.again(reason)
	}
	s.live.Again()
	return nil
}

func (s *liveScreen) say(line string) {
	if lines := s.instead(); lines != nil {
		lines.say(line)
		return
	}
	s.live.Say(line)
}

// refused shows the first of the problems whole; how many others there are is said.
func (s *liveScreen) refused(err error) {
	if lines := s.instead(); lines != nil {
		lines.refused(err)
		return
	}
	problems, ok := errors.AsType[manifest.Errors](err)
	switch {
	case err == nil:
		s.live.Refused("", "")
	case !ok || len(problems) == 0:
		s.live.Refused("not applied: "+err.Error(), "not applied: "+err.Error())
	default:
		p, more := problems[0], ""
		if n := len(problems) - 1; n > 0 {
			more = fmt.Sprintf("; and %d more", n)
		}
		place := lineOf(p.Position) + " not applied: "
		long, short := place+p.Object.String()+": ", place
		if p.Field != "" {
			long += shortened(p.Field) + ": "
			short += lastFields(p.Field) + ": "
		}
		s.live.Refused(long+p.Message+more, short+p.Message+more)
	}
}

func (s *liveScreen) hurry() {
	if lines := s.instead(); lines != nil {
		lines.hurry()
	}
}

func (s *liveScreen) close() {
	s.live.Close()
	if lines := s.instead(); lines != nil {
		lines.close()
	}
}

// shortened is a path without its middle, if that only says that it is a field of the Pod template.
func shortened(path string) string {
	if strings.HasPrefix(path, "spec.template.spec.") {
		return "spec.…." + lastFields(path)
	}
	return path
}

// lastFields is the end of a path: the probe and the field of it.
func lastFields(path string) string {
	dots := 0
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			if dots++; dots == 2 {
				return path[i+1:]
			}
		}
	}
	return path
}
