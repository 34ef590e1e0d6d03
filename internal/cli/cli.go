// Package cli is the command line: one file per subcommand, with flags and output and nothing else;
// the work is done by the packages below.
//
// Results go to standard output, everything else to standard error.
package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/terminal"
)

// Exit codes of every subcommand. Each says more in its help.
const (
	ExitOK     = 0
	ExitFailed = 1 // what was asked for was done, and the answer is no
	ExitUsage  = 2 // bad input: nothing was started
)

// Streams are the three standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// safe are the streams from which a terminal gets nothing that it would obey.
func (s Streams) safe() Streams {
	s.Out, s.Err = terminal.Stream(s.Out), terminal.Stream(s.Err)
	return s
}

// files are the output streams that are files.
func (s Streams) files() (files []*os.File) {
	for _, stream := range []io.Writer{s.Out, s.Err} {
		if file, ok := stream.(*os.File); ok {
			files = append(files, file)
		}
	}
	return files
}

// exitError is an error that decides the exit code. An empty one has said what there is to say
// already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func failed(err error) error   { return &exitError{ExitFailed, err} }
func badInput(err error) error { return &exitError{ExitUsage, err} }

// Main runs one command line and returns its exit code. Whatever it prints, a terminal gets nothing
// that it would obey.
func Main(ctx context.Context, streams Streams, args []string) int {
	streams = streams.safe()
	return runCommand(ctx, streams, newRoot(streams), args)
}

// runCommand runs a command line of a root command.
func runCommand(ctx context.Context, streams Streams, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	if message := err.Error(); message != "" {
		terminal.Print(streams.Err, "probity: "+nameFiles(message, err, args))
	}
	return codeOf(err)
}

// codeOf is the exit code of an error.
func codeOf(err error) int {
	if exit, ok := errors.AsType[*exitError](err); ok {
		return exit.code
	}
	return ExitUsage // what cobra refuses is a wrong command line
}

// nameFiles is the message of an error with the names of files in it on one line each: a name that
// has a line end in it cannot begin a line of its own.
func nameFiles(message string, err error, args []string) string {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		args = append(slices.Clone(args), path.Path)
	}
	for _, name := range args {
		if printable.Line(name) != name {
			message = strings.ReplaceAll(message, name, printable.File(name))
		}
	}
	return message
}

//go:generate go test -run TestReferenceIsCurrent . -update

func newRoot(streams Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "probity",
		Short: "Run a service under Kubernetes probes",
		Long: `Probity runs a service under Kubernetes' startup, readiness and liveness probes on this machine, by the kubelet's rules:
it starts the program of a manifest, probes it, restarts it and says why.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.AddCommand(newCheck(streams), newExplain(streams))
	root.AddCommand(newRun(streams), newApply(streams), newDashboard(streams), newClean(streams), newProbe(streams), newSimulate(streams), newDrill(streams), newSchema(streams), newVersion(streams))
	root.AddCommand(newPs(streams), newLs(streams), newStop(streams), newScale(streams), newDelete(streams))
	root.AddCommand(newRestart(streams), newRollout(streams), newEvents(streams), newLogs(streams), newDescribe(streams), newWait(streams), newExec(streams), newPortForward(streams))
	root.AddCommand(newDeploy(streams), newRender(streams), newConvert(streams), newTune(streams))
	return root
}
