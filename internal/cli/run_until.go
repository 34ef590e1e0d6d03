package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

// untilTimeout is how long a goal is waited for, unless --timeout says so.
const untilTimeout = 5 * time.Minute

// signalCode is the exit code of a command that a signal ended, less the signal's number.
const signalCode = 128

// awaited is what a run is waited for, and the command that is run then. The methods of a nil one
// say that there is nothing to wait for.
type awaited struct {
	goal    system.Goal
	timeout time.Duration
	command process.ForegroundCommand // without Argv: none
	// detached is whom the outcome is told, and then the run goes on; nil: the run ends with it
	detached *detached

	began   time.Time
	reached chan reach          // of the goroutine of begin
	cancel  context.CancelFunc  // ends that
	running *process.Foreground // from its start to its end
	since   time.Time           // when it started
	over    bool                // the goal was reached, or is not waited for any more
	outcome error               // of the run, as far as it is known
}

// reach is how the wait for a goal has ended.
type reach struct {
	version uint64 // of the change that reached it
	err     error
}

// newAwaited checks the flags; nil means that nothing is waited for.
func newAwaited(flags runFlags, streams Streams, command []string) (*awaited, error) {
	if flags.until == "" && len(command) == 0 && !flags.detached {
		if flags.timeout != untilTimeout {
			return nil, badInput(errors.New("cannot use --timeout without --until and without a command after --: there is nothing to wait for"))
		}
		return nil, nil
	}
	w := &awaited{goal: system.GoalReady, timeout: flags.timeout}
	if flags.until != "" {
		var err error
		if w.goal, err = system.ParseGoal(flags.until); err != nil {
			return nil, badInput(err)
		}
	}
	if flags.detached {
		w.detached = flags.teller
	}
	if w.timeout < 0 {
		return nil, badInput(fmt.Errorf("cannot use --timeout %v: it must not be negative", w.timeout))
	}
	if len(command) == 0 {
		return w, nil
	}
	w.command = process.ForegroundCommand{
		Argv: command, Env: os.Environ(),
		Stdin: fileOf(streams.In), Stdout: fileOf(streams.Out), Stderr: fileOf(streams.Err),
	}
	if _, err := w.command.Find(); err != nil { // before anything starts
		return nil, commandFailed(err)
	}
	return w, nil
}

// check says why the system can never be as it is waited for, and opens the log of a detached run.
func (w *awaited) check(s *system.System) error {
	if w == nil {
		return nil
	}
	if err := s.CheckGoal(w.goal); err != nil || w.detached == nil {
		return err
	}
	log, err := s.CreateRunLog(standardTo)
	if err != nil {
		return err
	}
	w.detached.logTo(log)
	return nil
}

// fileOf is the file behind a stream, nil if there is none.
func fileOf(stream any) *os.File {
	if file, ok := stream.(*os.File); ok {
		return file
	}
	if out, ok := stream.(io.Writer); ok {
		return terminal.File(out)
	}
	return nil
}

// commandFailed is the end of a run whose command could not be started.
func commandFailed(err error) error {
	if failure, ok := errors.AsType[*process.CommandError](err); ok {
		return &exitError{failure.Code, err}
	}
	return failed(err)
}

// begin begins to wait for the goal.
func (w *awaited) begin(ctx context.Context, s *system.System) {
	if w == nil {
		return
	}
	w.began, w.reached = time.Now(), make(chan reach, 1)
	if w.timeout > 0 {
		ctx, w.cancel = context.WithTimeout(ctx, w.timeout)
	} else {
		ctx, w.cancel = context.WithCancel(ctx)
	}
	go func() {
		version, err := s.Reach(ctx, w.goal)
		w.reached <- reach{version, err}
	}()
}

// goalReached gives how the wait for the goal has ended.
func (w *awaited) goalReached() <-chan reach {
	if w == nil {
		return nil
	}
	return w.reached
}

// commandDone is closed when the command has ended.
func (w *awaited) commandDone() <-chan struct{} {
	if w == nil || w.running == nil {
		return nil
	}
	return w.running.Done()
}

// maxName is how many columns of a command are shown.
const maxName = 100

// name is the command on one line, as a shell would take it.
func (w *awaited) name() string {
	words := make([]string, len(w.command.Argv))
	for i, word := range w.command.Argv {
		words[i] = printable.Shell(word)
	}
	name := strings.Join(words, " ")
	if shown := printable.Fit(name, maxName); shown != name {
		return shown + "…"
	}
	return name
}

// passOn passes a signal on to the command, and reports false if none runs.
func (w *awaited) passOn(sig os.Signal) bool {
	if w == nil || w.running == nil {
		return false
	}
	w.running.Signal(sig.(syscall.Signal))
	return true
}

// interrupt notes that somebody stopped the run, which is no success unless the command had ended.
func (w *awaited) interrupt(sig os.Signal) {
	if w == nil {
		return
	}
	if w.cancel != nil {
		w.cancel()
	}
	if !w.over {
		w.over, w.outcome = true, &exitError{signalCode + int(sig.(syscall.Signal)), nil}
	}
}

// kill kills the command, if one runs, and waits for its end.
func (w *awaited) kill() {
	if w == nil || w.running == nil {
		return
	}
	w.running.Signal(syscall.SIGKILL)
	select {
	case <-w.running.Done():
	case <-time.After(killTime): // the kernel holds it
	}
}

// cut kills the command, if one runs, because everything else has ended.
func (w *awaited) cut() {
	if w == nil || w.running == nil {
		return
	}
	w.kill()
	w.outcome = failed(fmt.Errorf("%s was killed, as the Pods were stopped before it had ended", w.name()))
}

// onReached goes on when the goal is reached, or cannot be.
func (a *attendance) onReached(r reach) {
	w := a.wait
	stopped := w.over // by somebody
	w.reached, w.over = nil, true
	w.cancel()
	a.view.CatchUp(r.version)
	goal, ok := errors.AsType[*system.GoalError](r.err)
	switch {
	case w.detached != nil:
		a.goOn(r, goal)
		return
	case stopped:
	case r.err == nil && len(w.command.Argv) > 0:
		a.runCommand()
		return
	case r.err == nil:
		a.view.Say(fmt.Sprintf("probity: %s after %s; %s", w.goal, diagnosis.Duration(time.Since(w.began)), a.stopping()))
	case ok:
		a.view.Unready()
		a.view.CatchUp(0) // before they are stopped
		w.outcome = failed(w.notReached(goal))
	default:
		w.outcome = failed(r.err)
	}
	a.system.Stop()
}

// goOn tells whoever started a detached run how the wait has ended. The run goes on as one that
// nobody waits for; one that ends now tells how by its end.
func (a *attendance) goOn(r reach, goal *system.GoalError) {
	w := a.wait
	a.wait = nil
	switch {
	case a.system.Finished():
	case r.err == nil:
		a.system.AwaitAPI()
		w.detached.isReady(fmt.Sprintf("%s after %s", w.goal, diagnosis.Duration(time.Since(w.began))))
	case goal != nil:
		a.view.Unready()
		a.view.CatchUp(0)
		w.detached.hasFailed(w.notReached(goal).Error())
	}
}

// notReached says why there was nothing to go on with.
func (w *awaited) notReached(goal *system.GoalError) error {
	text := goal.Error()
	if !goal.Final {
		text = fmt.Sprintf("not %s within %v: %s", w.goal, w.timeout, strings.Join(goal.Missing, ", "))
	}
	if len(w.command.Argv) > 0 {
		text += "; " + w.name() + " was not run"
	}
	return errors.New(text)
}

// runCommand starts the command. If it cannot be started the run ends.
func (a *attendance) runCommand() {
	w := a.wait
	w.command.Suspended = func() {
		a.view.Say("probity: " + w.name() + " is suspended, and with it probes and Services until it goes on")
		a.view.CatchUp(0)
	}
	a.view.Say(fmt.Sprintf("probity: %s after %s; running: %s", w.goal, diagnosis.Duration(time.Since(w.began)), w.name()))
	a.view.CatchUp(0) // what the command prints comes after it
	var err error
	w.command.Env = withVariables(w.command.Env, a.system.CommandEnvironment())
	w.since = time.Now()
	if w.running, err = process.StartForeground(w.command); err != nil {
		w.outcome = commandFailed(err)
		a.system.Stop()
	}
}

// withVariables is an environment with some variables set. What it had under their names is left
// out: of two entries of a name most programs take the first one.
func withVariables(environment, variables []string) []string {
	set := make(map[string]bool, len(variables))
	for _, v := range variables {
		name, _, _ := strings.Cut(v, "=")
		set[name] = true
	}
	kept := slices.DeleteFunc(slices.Clone(environment), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return set[name]
	})
	return append(kept, variables...)
}

// onCommandEnd takes the exit code of the command for that of the run, and stops the Pods.
func (a *attendance) onCommandEnd() {
	w := a.wait
	status, text := w.running.Status(), ""
	w.running = nil
	code := status.ExitStatus()
	if text = fmt.Sprintf("exit %d", code); status.Signaled() {
		code, text = signalCode+int(status.Signal()), diagnosis.SignalName(status.Signal())
	}
	if code != 0 {
		w.outcome = &exitError{code, nil}
	}
	a.view.Say(fmt.Sprintf("probity: %s: %s after %s; %s", w.name(), text, diagnosis.Duration(time.Since(w.since)), a.stopping()))
	a.system.Stop()
}

// stopping says what is being stopped.
func (a *attendance) stopping() string {
	pods, _ := store.List[*corev1.Pod](a.system.Store(), store.Selector{})
	if len(pods) == 1 {
		return "stopping 1 Pod"
	}
	return fmt.Sprintf("stopping %d Pods", len(pods))
}

// result is the end of the run: that of the command, unless there was none and the system failed.
func (w *awaited) result(err error) error {
	if w.cancel != nil {
		w.cancel()
	}
	if w.outcome == nil && err != nil {
		return failed(err)
	}
	return w.outcome
}
