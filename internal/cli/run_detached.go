package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

// A detached run is a process of its own session. Until it is ready, or will not be, whoever
// started it is told by a pipe what the run says, and how it comes out; then it goes on by itself,
// and what it says is in the log of its state folder alone.

// detachedReport is what a detached run tells whoever started it: a piece of its output, or the
// last report, which has one of the last three.
type detachedReport struct {
	Out []byte `json:"out,omitempty"`
	Err []byte `json:"err,omitempty"`
	// Ready says that it is as --until asks, in words.
	Ready string `json:"ready,omitempty"`
	// Failed is why it is not. The run goes on.
	Failed string `json:"failed,omitempty"`
}

// detachedFD is the descriptor of the pipe in the run.
const detachedFD = 3

// detachedFlag asks for the run that a detached one is. It is not for people.
const detachedFlag = "detached-run"

// checkDetach refuses what makes no sense in a run that nobody watches.
func checkDetach(flags runFlags, command []string) error {
	switch {
	case len(command) > 0:
		return errors.New("cannot use -d with a command after --: the run ends with that")
	case flags.logs:
		return errors.New("cannot use -d with --logs: probity logs -f follows what the containers print")
	case flags.probes:
		return errors.New("cannot use -d with --probes: probity logs -f --probes follows the attempts")
	case flags.output != "":
		return errors.New("cannot use -d with --output: kubectl get pods,events -w -o json watches a run")
	}
	return nil
}

// detach starts a run in a session of its own and returns when it is as --until says, or will not
// be.
func detach(ctx context.Context, streams Streams, flags *pflag.FlagSet, paths []string) error {
	reading, writing, err := os.Pipe()
	if err != nil {
		return failed(err)
	}
	defer reading.Close() // it was only read
	self, err := os.Executable()
	if err != nil {
		return failed(errors.Join(err, writing.Close()))
	}
	cmd := exec.Command(self, detachedArguments(flags, paths)...)
	cmd.Args[0] = os.Args[0]
	cmd.ExtraFiles = []*os.File{writing}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if slices.Contains(paths, "-") {
		cmd.Stdin = fileOf(streams.In) // else /dev/null
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err = cmd.Start()
	if err := errors.Join(err, writing.Close()); err != nil {
		return failed(fmt.Errorf("cannot start the run: %w", err))
	}
	last := make(chan detachedReport, 1)
	go func() { last <- relay(reading, streams) }()
	select {
	case report := <-last:
		return detachedResult(streams, cmd, report)
	case <-ctx.Done():
		// it is not left behind by somebody who did not want to wait for it
		err := cmd.Process.Signal(syscall.SIGTERM)
		<-last
		return errors.Join(&exitError{signalCode + int(syscall.SIGINT), nil}, err, ignoreExit(cmd.Wait()))
	}
}

// detachedArguments are those of the run: the flags that were given, and the files.
func detachedArguments(flags *pflag.FlagSet, paths []string) []string {
	args := []string{"run", "--" + detachedFlag}
	flags.Visit(func(f *pflag.Flag) {
		if f.Name == "detach" {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, value := range values {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return append(args, paths...)
}

// relay prints what a run says until its last report, or its end.
func relay(from io.Reader, streams Streams) detachedReport {
	for reports := json.NewDecoder(from); ; {
		var r detachedReport
		if err := reports.Decode(&r); err != nil {
			return detachedReport{} // it has ended
		}
		_, outErr := streams.Out.Write(r.Out)
		_, errErr := streams.Err.Write(r.Err)
		if r.Ready != "" || r.Failed != "" || outErr != nil || errErr != nil {
			return r
		}
	}
}

// detachedResult is how the start of a run came out. Without a last report the run has ended, and
// so the exit code is its own.
func detachedResult(streams Streams, cmd *exec.Cmd, report detachedReport) error {
	switch {
	case report.Ready != "":
		terminal.Print(streams.Err, report.Ready)
		return cmd.Process.Release()
	case report.Failed != "":
		return errors.Join(failed(errors.New(report.Failed)), cmd.Process.Release())
	}
	err := cmd.Wait()
	exit, ok := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return nil // every Pod has done its work
	case ok && exit.ExitCode() >= 0:
		return &exitError{exit.ExitCode(), nil}
	}
	return failed(fmt.Errorf("the run has ended: %w", err))
}

// ignoreExit leaves out that a program has ended with an exit code.
func ignoreExit(err error) error {
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil
	}
	return err
}

// detached is the end of the pipe in the run, and its log. It is safe for concurrent use.
type detached struct {
	mu     sync.Mutex
	pipe   *os.File       // nil when nobody is told any more
	log    *system.RunLog // nil before there is a state folder
	logged string         // its path
}

// newDetached takes over the pipe.
func newDetached() *detached {
	unix.CloseOnExec(detachedFD)
	return &detached{pipe: os.NewFile(detachedFD, "detached")}
}

// streams are those of the run.
func (d *detached) streams(in io.Reader) Streams {
	return Streams{In: in, Out: detachedStream{d, false}, Err: detachedStream{d, true}}
}

// runDetached is the life of a detached run. Whoever started it is told why it ends, too.
func runDetached(ctx context.Context, streams Streams, flags runFlags, paths []string) error {
	flags.teller = newDetached()
	streams = flags.teller.streams(streams.In)
	err := run(ctx, streams, flags, paths, nil)
	if err == nil || err.Error() == "" {
		return err
	}
	terminal.Print(streams.Err, "probity: "+nameFiles(err.Error(), err, paths))
	return &exitError{codeOf(err), nil}
}

// detachedStream is one of the output streams of a detached run.
type detachedStream struct {
	to      *detached
	isError bool
}

// Write implements [io.Writer].
func (s detachedStream) Write(p []byte) (int, error) {
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	if s.to.log != nil {
		if _, err := s.to.log.Write(p); err != nil {
			return 0, err
		}
	}
	report := detachedReport{Out: p}
	if s.isError {
		report = detachedReport{Err: p}
	}
	s.to.tell(report)
	return len(p), nil
}

// tell sends a report. Whoever started the run may be gone. It is called under the lock.
func (d *detached) tell(r detachedReport) {
	if d.pipe == nil {
		return
	}
	if err := json.NewEncoder(d.pipe).Encode(r); err != nil {
		_ = d.pipe.Close()
		d.pipe = nil
	}
}

// logTo also writes to a log from now on.
func (d *detached) logTo(log *system.RunLog) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log, d.logged = log, log.Name()
}

// standardTo has whatever writes to the standard streams of the process write to a file: the Go
// runtime, if it cannot go on.
func standardTo(file *os.File) error {
	for _, stream := range []*os.File{os.Stdout, os.Stderr} {
		if err := unix.Dup2(int(file.Fd()), int(stream.Fd())); err != nil {
			return fmt.Errorf("cannot write to %s: %w", file.Name(), err)
		}
	}
	return nil
}

// finish sends the last report.
func (d *detached) finish(r detachedReport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell(r)
	if d.pipe != nil {
		_ = d.pipe.Close()
		d.pipe = nil
	}
}

// isReady reports that the run is as it was asked for.
func (d *detached) isReady(what string) {
	d.finish(detachedReport{Ready: fmt.Sprintf("probity: %s; it goes on: probity ps, probity logs -f, probity stop; its log: %s", what, printable.File(d.logged))})
}

// hasFailed reports that it is not, and why.
func (d *detached) hasFailed(why string) {
	d.finish(detachedReport{Failed: why + "; it goes on: probity ps and probity describe say why, probity stop ends it"})
}

// addDetach adds the flags of a detached run.
func addDetach(cmd *cobra.Command, flags *runFlags) {
	f := cmd.Flags()
	f.BoolVarP(&flags.detach, "detach", "d", false, "run in the background, in a session of its own; returns when it is ready, or says why not (--until, --timeout)")
	f.BoolVar(&flags.detached, detachedFlag, false, "be the run that --detach has started")
	if err := f.MarkHidden(detachedFlag); err != nil {
		panic(err) // there is no such flag
	}
}
