package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// Options of a [Screen].
type Options struct {
	// Out is the terminal to draw on. Required.
	Out *os.File
	// In is the terminal whose keys are read; nil means /dev/tty.
	In *os.File
	// Settings are how the person wants it.
	Settings Settings
	// Failed is called once if the view ends before Close: because the terminal is gone, or because
	// a picture cannot be made. What is shown from then on has to be shown otherwise. It is called
	// from a goroutine of the view.
	Failed func(err error)
}

// Screen shows a run on a terminal. Make it with [New]. Its methods are safe for concurrent use and
// wait for no terminal; Start and Close are called once each.
type Screen struct {
	opts    Options
	hub     *hub
	started bool
	stop    context.CancelFunc
	program *tea.Program
	done    chan struct{} // closed when the program has ended
	before  *term.State   // of the terminal, to be restored if the program is stuck
	// closeTime is how long Close waits for a terminal that takes nothing.
	closeTime time.Duration
}

// New makes a screen. The terminal is taken over by Start.
func New(opts Options) *Screen {
	return &Screen{opts: opts, hub: newHub(Run{}), done: make(chan struct{}), closeTime: closeTime}
}

// closeTime is how long the end waits for a terminal that takes nothing, except in tests.
const closeTime = 2 * time.Second

// Start takes over the terminal and shows what the screen gets, until Close.
func (s *Screen) Start(run Run) {
	s.hub.mu.Lock()
	s.hub.run = run
	s.hub.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	input, keys := s.input()
	if state, err := term.GetState(int(input.Fd())); err == nil {
		s.before = state
	}
	w := &window{out: s.opts.Out, settings: s.opts.Settings}
	size := w.size().(tea.WindowSizeMsg)
	m := &model{
		ctx: ctx, hub: s.hub, settings: s.opts.Settings, window: w, width: size.Width, height: size.Height,
		interrupt: raise,
		gone: func() bool {
			_, _, err := term.GetSize(int(s.opts.Out.Fd()))
			return err != nil
		},
	}
	var broke error
	m.failed = func(reason any) { broke, _ = reason.(error) }
	opts := []tea.ProgramOption{
		tea.WithOutput(s.opts.Out), tea.WithoutRenderer(), tea.WithFPS(1), tea.WithWindowSize(size.Width, size.Height), tea.WithoutSignalHandler(), tea.WithoutCatchPanics(),
	}
	if keys {
		w.keys, w.shared = input, process.HasControl(input)
		opts = append(opts, tea.WithInput(&keyboard{input, w, ctx}))
	} else {
		opts = append(opts, tea.WithInput(nil))
	}
	s.program, s.started = tea.NewProgram(m, opts...), true
	go func() {
		defer close(s.done)
		err := s.runIn(ctx, w)
		m.log.close()
		if err = errors.Join(broke, err); ctx.Err() == nil && s.opts.Failed != nil {
			if err == nil {
				err = errors.New("the terminal does not answer any more")
			}
			s.opts.Failed(fmt.Errorf("the live view has ended, the run goes on: %w", err))
		}
	}()
}

// runIn runs the program in a window, to which it listens for changes of its size. A run that was
// started in the background has one when it comes to the foreground.
func (s *Screen) runIn(ctx context.Context, w *window) error {
	if !w.wait(ctx) {
		return nil
	}
	defer signal.Reset(syscall.SIGTTIN) // see suspension
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH, syscall.SIGCONT) // the terminal may be a shell's, or another size, since
	var listening sync.WaitGroup
	listening.Go(func() {
		for range resized {
			s.program.Send(w.size())
		}
	})
	w.enter()
	_, err := s.program.Run()
	w.leave()
	signal.Stop(resized)
	close(resized)
	listening.Wait()
	return err
}

// input is the terminal whose keys are read. Without one nothing can be asked.
func (s *Screen) input() (file *os.File, keys bool) {
	if s.opts.In != nil && term.IsTerminal(int(s.opts.In.Fd())) {
		return s.opts.In, true
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return s.opts.Out, false
	}
	return tty, true
}

// raise does what Ctrl-C would do, if the terminal was not in raw mode.
func raise() { _ = syscall.Kill(os.Getpid(), syscall.SIGINT) } // this process is there

// Kinds are those that Show takes.
func (*Screen) Kinds() []store.Object { return kinds() }

// Show takes a change of the store.
func (s *Screen) Show(change watch.EventType, object runtime.Object) { s.hub.show(change, object) }

// Again says that changes were missed: what there is comes anew.
func (s *Screen) Again() { s.hub.again() }

// Say takes a line that is no change, such as a note.
func (s *Screen) Say(line string) { s.hub.say(line) }

// Refused takes why manifests that were saved are not applied, at length and in few words; "" says
// that they are applied again.
func (s *Screen) Refused(text, short string) { s.hub.refuse(text, short, time.Now()) }

// Close gives the terminal back as it was, and writes a summary of the run where it was. It waits
// for a terminal that takes nothing for two seconds at most.
func (s *Screen) Close() {
	if !s.started {
		return
	}
	s.stop()
	late := time.After(s.closeTime)
	go s.program.Send(quitMsg{})
	select {
	case <-s.done:
	case <-late:
		s.restore()
		return
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(s.opts.Out, s.hub.summary(time.Now(), s.width(), s.opts.Settings)) // a terminal that is gone has nobody who could be told
	}()
	select {
	case <-written:
	case <-late:
	}
}

// width is that of the terminal, as far as it tells.
func (s *Screen) width() int {
	width, _, err := term.GetSize(int(s.opts.Out.Fd()))
	if err != nil || width <= 0 {
		return defaultWidth
	}
	return width
}

// restore gives the terminal its modes back, for a program that is stuck in a write.
func (s *Screen) restore() {
	if s.before == nil {
		return
	}
	input := s.opts.In
	if input == nil {
		input = s.opts.Out
	}
	_ = term.Restore(int(input.Fd()), s.before) // nobody could be told
}
