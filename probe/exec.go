package probe

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// reapWait is how long an attempt waits for a killed command to be gone. Only a process that the
// kernel does not let go (uninterruptible sleep on a dead disk) or that may not be killed takes
// that long.
const reapWait = time.Second

// Exec is the exec handler (R83–R89): it runs a command without a shell and looks at the exit code.
// 0 is a success, any other is a failure, and so is an overrun of the time-out.
type Exec struct {
	// Command is the program and its arguments. $(NAME) references must have been expanded (R83). A
	// program without a slash is looked up in the PATH of Env.
	Command []string
	// Env is the environment, as "NAME=value". Default, if nil: the one of this process.
	Env []string
	// Dir is the working directory. Default: the one of this process.
	Dir string
	// Timeout is the time the command may take. Default [DefaultTimeout].
	Timeout time.Duration
	// Starter starts the command. Default: [LocalStarter].
	Starter Starter
}

// Probe runs the command once. The output is what it wrote to standard output followed by what it
// wrote to standard error, cut to 10 KiB together (R87); after a time-out it is the kubelet's text
// instead (R86). A command that cannot be started, or whose end cannot be learned, is a prober
// error (R85).
//
// The command is the leader of a process group of its own. Whatever of that group is left when the
// command ends, or when its time is up, is killed. A child that left the group and holds the output
// open does not delay the result.
func (e Exec) Probe(ctx context.Context) Result {
	if len(e.Command) == 0 {
		return unevaluable(errors.New("cannot run an exec probe: its command is empty"))
	}
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	out, err := newOutput()
	if err != nil {
		return e.notStarted(ctx, err)
	}
	defer out.close()
	seen := observe()
	command, err := e.starter().Start(Command{Argv: e.Command, Env: e.Env, Dir: e.Dir, Stdout: out.stdout.w, Stderr: out.stderr.w})
	out.handOver()
	if err != nil {
		return e.notStarted(ctx, err)
	}
	return seen.complete(e.await(ctx, command, out))
}

// ending is how a command ended.
type ending struct {
	code int
	err  error
}

// soon is how long a command may run before somebody reads what it writes.
const soon = 20 * time.Millisecond

// await waits for the command's end, for the time-out or for the owner, whichever comes first. The
// goroutine that it starts has ended when await returns, unless the kernel holds on to the process
// for longer than reapWait; then it stays to reap the process.
func (e Exec) await(ctx context.Context, command Running, out *output) Result {
	deadline := time.Now().Add(timeoutOr(e.Timeout))
	timer := time.NewTimer(min(soon, timeoutOr(e.Timeout)))
	defer timer.Stop()
	ended := make(chan ending, 1)
	go func() {
		code, err := command.Wait()
		ended <- ending{code, err}
	}()
	for watched := false; ; watched = true {
		select {
		case end := <-ended:
			return e.verdict(end, out)
		case <-timer.C:
			left := time.Until(deadline)
			if watched || left <= 0 {
				return e.overrun(kill(command, ended))
			}
			timer.Reset(left)
			if err := out.watch(); err != nil {
				return e.abandoned(e.unreadable(ctx, err), kill(command, ended))
			}
		case <-ctx.Done():
			return e.abandoned(stopped(ctx), kill(command, ended))
		}
	}
}

// abandoned adds to a result that the command's processes may still be there.
func (e Exec) abandoned(result Result, killErr error) Result {
	if killErr != nil {
		result.Err = fmt.Errorf("%w; %w", result.Err, killErr)
	}
	return result
}

// unreadable is the result of a command whose output cannot be read.
func (e Exec) unreadable(ctx context.Context, err error) Result {
	if result, ok := excused(ctx, err); ok {
		return result
	}
	return unevaluable(fmt.Errorf("cannot read the output of %q: %w", e.Command[0], err))
}

// verdict returns the result of a command that ended in time.
func (e Exec) verdict(end ending, out *output) Result {
	switch {
	case end.err != nil:
		return unevaluable(fmt.Errorf("cannot learn how %q ended: %w", e.Command[0], end.err))
	}
	text := out.text()
	result := Result{Outcome: Success, Output: text}
	if end.code != 0 {
		result = failure(text)
	}
	result.Detail = Detail{ExitCode: end.code, Body: verdict.Beginning(text), BodySize: len(text)}
	return result
}

// overrun returns the result of a command that took too long (R86). killErr is appended if its
// processes may still be there: the failure counts all the same.
func (e Exec) overrun(killErr error) Result {
	text := fmt.Sprintf("command timed out: %q timed out after %v", strings.Join(e.Command, " "), timeoutOr(e.Timeout))
	if killErr != nil {
		text += "; " + killErr.Error()
	}
	result := failure(text)
	result.Detail.TimedOut = true
	return result
}

// notStarted returns the result of a command that could not be started.
func (e Exec) notStarted(ctx context.Context, err error) Result {
	if result, ok := excused(ctx, err); ok {
		return result
	}
	return unevaluable(err)
}

// starter returns the configured starter or the default one.
func (e Exec) starter() Starter {
	if e.Starter != nil {
		return e.Starter
	}
	return LocalStarter{}
}

// kill kills the command's group and waits, within reapWait, until the command is gone.
func kill(command Running, ended <-chan ending) error {
	err := command.Kill()
	select {
	case <-ended:
		return nil
	case <-time.After(reapWait):
	}
	if err != nil {
		return fmt.Errorf("its processes could not be killed: %w", err)
	}
	return fmt.Errorf("its process did not go away within %v of being killed", reapWait)
}
