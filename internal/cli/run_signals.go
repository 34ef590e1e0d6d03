package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

const (
	// sameSignalTime is how long signals count as one: timeout sends its signal to its child and to
	// the child's group, and a terminal's Ctrl-C may come with one of a service manager.
	sameSignalTime = 500 * time.Millisecond
	// killTime is how long killing everything may take, which is a matter of milliseconds unless
	// something is stuck.
	killTime = 2 * time.Second
	// closeTime is how long a terminal that takes nothing is waited for, if somebody wants to
	// leave.
	closeTime = 200 * time.Millisecond
)

// errAborted is why a run that was ended by force has not succeeded.
var errAborted = errors.New("every process was killed, before its grace period was over")

// signalAction is what a signal asks for.
type signalAction int

const (
	actNone   signalAction = iota
	actReload              // read the manifests again
	actStop                // delete the Pods, with their grace periods
	actAbort               // kill every process
	actLeave               // wait for nothing any more
)

// signalState is which signals there were.
type signalState struct {
	last  time.Time    // when the last signal came that counted
	asked signalAction // what it asked for
}

// on decides what a signal asks for: the first one stops, the second one kills, a third one does
// not wait for that. HUP reads the manifests again, unless it says that the terminal is gone.
func (s *signalState) on(sig os.Signal, interactive bool, now time.Time) signalAction {
	if sig == syscall.SIGHUP && !interactive {
		return actReload
	}
	if s.asked != actNone && now.Sub(s.last) < sameSignalTime {
		return actNone
	}
	s.last = now
	switch s.asked {
	case actNone:
		s.asked = actStop
	case actStop:
		s.asked = actAbort
	default:
		s.asked = actLeave
	}
	return s.asked
}

// attendance starts a system and passes on signals until it has ended.
type attendance struct {
	system *system.System
	view   *terminal.View
	wait   *awaited // nil without --until and without a command
	state  signalState
}

// run returns when the system has ended, or when somebody who asked twice would have to wait.
func (a *attendance) run(ctx context.Context, signals <-chan os.Signal) error {
	started := make(chan error, 1)
	go func() { started <- start(ctx, a.system, a.view) }()
	tidy := time.After(startTime)
	var late <-chan time.Time
	var viewFailed <-chan error // once the system has started: only then can it be closed
	for {
		select {
		case err := <-started:
			if err != nil {
				return failed(errors.Join(err, a.system.Close()))
			}
			viewFailed = a.view.Failed()
			a.wait.begin(ctx, a.system)
		case r := <-a.wait.goalReached():
			a.onReached(r)
		case <-a.wait.commandDone():
			a.onCommandEnd()
		case <-tidy:
			releaseMemory(a.view)
		case sig := <-signals:
			switch a.onSignal(sig) {
			case actAbort:
				late = time.After(killTime)
			case actLeave:
				return a.leave()
			}
		case <-late:
			return a.leave()
		case err := <-viewFailed:
			a.wait.cut()
			return failed(errors.Join(err, a.system.Close()))
		case <-a.system.Done():
			a.wait.cut()
			return a.result()
		}
	}
}

// onSignal does what a signal asks for, but for leaving.
func (a *attendance) onSignal(sig os.Signal) signalAction {
	action := a.state.on(sig, a.view.Interactive(), time.Now())
	switch {
	case action == actStop && a.wait.passOn(sig):
		a.view.Say(fmt.Sprintf("probity: %v is passed on to the command; once more kills it and every Pod", sig))
		return action
	case action == actStop:
		a.wait.interrupt(sig)
	case action == actAbort:
		a.wait.kill()
	}
	switch action {
	case actReload:
		a.system.Reload()
	case actStop:
		a.view.Say(fmt.Sprintf("%v: stopping every Pod with its grace period; once more kills them", sig))
		a.system.Stop()
	case actAbort:
		a.view.Say(fmt.Sprintf("%v again: killing every process now", sig))
		a.system.Stop()
		a.system.Abort()
	}
	return action
}

// leave ends what has not ended in time.
func (a *attendance) leave() error {
	a.system.Leave()
	return failed(fmt.Errorf("%w; some of Probity itself was stuck and is left as it is", errAborted))
}

// result is how the system has ended.
func (a *attendance) result() error {
	if a.wait != nil {
		return a.wait.result(a.system.Wait())
	}
	if err := a.system.Wait(); err != nil {
		return failed(err)
	}
	if a.state.asked >= actAbort {
		return failed(errAborted)
	}
	return nil
}

// closeView gives the terminal back; one that takes nothing keeps nobody who asked twice.
func (a *attendance) closeView() {
	closed := make(chan struct{})
	go func() {
		a.view.Close()
		close(closed)
	}()
	var late <-chan time.Time
	if a.state.asked >= actAbort {
		late = time.After(closeTime)
	}
	select {
	case <-closed:
	case <-late:
	}
}
