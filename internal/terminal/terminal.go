// Package terminal shows a running system to whoever started it: as an application on a
// terminal, as lines where there is none, or as the JSON stream of a watch.
//
// Whoever reads may be slow, or never read: nothing here holds up a Pod.
package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/terminal/live"
)

// Options of a [View].
type Options struct {
	// Out takes what is shown. If it is a terminal, the default format is the live view. Required.
	Out io.Writer
	// Err takes notices, log lines and the output of containers, unless the live view shows them.
	// Required.
	Err io.Writer
	// In is where keys are read, if Out is a terminal; nil means /dev/tty.
	In *os.File
	// ASCII asks for signs of ASCII only, in the live view.
	ASCII bool
	// JSON asks for every change of a Pod and every Event as a line of JSON.
	JSON bool
	// Lines asks for lines, also on a terminal. Plain asks for those that are good to be read by a
	// screen reader, too: with Starting and Stopping, and without marks.
	Lines, Plain bool
	// Probes adds a line for each attempt of a probe, and asks for lines on a terminal.
	Probes bool
}

// View shows the changes of a store. Make it with [New], call Start once and Close at the end; the
// other methods are safe for concurrent use from New on.
type View struct {
	screen  screen
	store   *store.Store
	stop    context.CancelFunc
	showing sync.WaitGroup // the goroutine of show
	failed  chan error     // why nothing is shown any more

	mu    sync.Mutex // guards shown
	shown sync.Cond  // signals that version has grown
	// version of the newest change that was shown
	version uint64
}

// New makes a view. A terminal is taken over by Start.
func New(opts Options) *View {
	v := &View{screen: newScreen(opts), failed: make(chan error, 1)}
	v.shown.L = &v.mu
	return v
}

// Start shows what is in the store of a run and then every change, on a goroutine that Close joins.
func (v *View) Start(run Run) error {
	v.store = run.Store
	watch, err := v.watch()
	if err != nil {
		return fmt.Errorf("cannot watch what is to be shown: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	v.stop = stop
	v.screen.start(run)
	v.showing.Go(func() {
		if err := v.show(ctx, watch); err != nil {
			v.failed <- err
		}
	})
	return nil
}

// Attend gives the view what a run can tell beside its objects, and what a person can do to it.
// Call it before Start. Without it the live view shows less.
func (v *View) Attend(run live.Run) {
	if s, ok := v.screen.(*liveScreen); ok {
		s.attended = run
	}
}

// Interactive reports whether a person watches, whose terminal can go away.
func (v *View) Interactive() bool { return v.screen.interactive() }

// Live reports whether the live view shows the run now: not lines, also not in its place.
func (v *View) Live() bool {
	s, ok := v.screen.(*liveScreen)
	return ok && s.instead() == nil
}

// Failed gives the reason for which nothing can be shown any more, such as a closed pipe.
func (v *View) Failed() <-chan error { return v.failed }

// Say shows a line that is no change: a notice, a log line. It waits for nobody.
func (v *View) Say(line string) { v.screen.say(line) }

// CatchUp waits until a change of a Pod or a workload is shown that has this resourceVersion, and
// until everything that was to be said is written: for a moment, as nobody may read it.
func (v *View) CatchUp(version uint64) {
	late := false
	timer := time.AfterFunc(closeTimeout, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		late = true
		v.shown.Broadcast()
	})
	defer timer.Stop()
	v.mu.Lock()
	for !late && v.version < version {
		v.shown.Wait()
	}
	v.mu.Unlock()
	v.screen.flush()
}

// noteShown notes that a change is shown.
func (v *View) noteShown(object store.Object) {
	version, err := strconv.ParseUint(object.GetResourceVersion(), 10, 64)
	if err != nil {
		return // what has none is waited for by nobody
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.version = max(v.version, version)
	v.shown.Broadcast()
}

// Refused shows why manifests that were saved are not applied; nil says that they are again. It
// waits for nobody.
func (v *View) Refused(err error) { v.screen.refused(err) }

// Unready says of each Pod that is not ready why it is not, and what can be done: in lines. It
// waits for nobody.
func (v *View) Unready() { v.screen.unready() }

// Write is Say for whole lines, so that a log can be written to a View. It never fails.
func (v *View) Write(lines []byte) (int, error) {
	v.screen.say(strings.TrimRight(string(lines), "\n"))
	return len(lines), nil
}

// Output shows a line that a container printed, with a prefix that tells whose it is. The live view
// reads the files of the logs itself.
func (v *View) Output(pod *corev1.Pod, container string, entry process.LogEntry) {
	if v.Live() {
		return
	}
	prefix := pod.Name
	if len(pod.Spec.Containers)+len(pod.Spec.InitContainers) > 1 {
		prefix += "/" + container
	}
	v.Say(prefix + " | " + string(entry.Text))
}

// Close shows what is left, as far as somebody reads it within a moment, and leaves the terminal as
// it was found.
func (v *View) Close() {
	v.screen.hurry()
	if v.stop != nil {
		v.stop()
	}
	v.showing.Wait()
	v.screen.close()
}

// errFellBehind is the reason when the store has forgotten changes that were not shown yet.
var errFellBehind = errors.New("the reader was too slow for the changes")

func (v *View) watch() (*store.Watch, error) {
	return v.store.Watch(store.WatchOptions{Kinds: v.screen.kinds()})
}

// show hands every change to the screen, which may be slow. When the context is done it shows what
// is left and returns.
func (v *View) show(ctx context.Context, watch *store.Watch) error {
	for {
		change, err := watch.Next(ctx)
		switch {
		case apierrors.IsResourceExpired(err):
			if watch, err = v.watch(); err == nil {
				err = v.screen.again(errFellBehind)
			}
		case err != nil && ctx.Err() != nil:
			return nil
		case err == nil:
			err = v.screen.show(change.Type, change.Object)
			v.noteShown(change.Object)
		}
		if err != nil {
			return fmt.Errorf("cannot show a change: %w", err)
		}
	}
}

// Print prints a line to a stream that perhaps nobody reads, and waits a moment for a reader.
func Print(out io.Writer, line string) {
	w := newAsyncWriter(out)
	w.offer(line)
	w.close()
}
