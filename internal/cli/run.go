package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/controller"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

const runHelp = `Start the programs of manifests on this machine and do to them what the kubelet would: probe them, restart them, back off.

FILE is a manifest, a folder of manifests, or - for standard input. Pods, Deployments, ReplicaSets, StatefulSets, ConfigMaps and Secrets
are read; other kinds are named and left alone. A container's command runs as a process. A container that has only an image needs to know
which program stands for it here: give the Pod the annotation probity.run/command.<container>, or use --command.

On a terminal a live table is shown: a line per container, below it one per probe with the last outcome, its latency and the counter
(2/3: two of the three results in a row that it takes), and Events below. Without a terminal each Event is a line.

With -o json, every change of a Pod and every Event is one line, as kubectl get pods,events --watch --output-watch-events -o json would
print it. Events are raw, one object per occurrence. The process ids and the private ports are in annotations probity.run/….
A reader that is slow, or never reads, holds up no Pod: one that fell too far behind gets a line of type ERROR with the status 410 Expired, as
from a watch of the API, and then everything there is as ADDED.

Ctrl-C (or SIGTERM) deletes every Pod, with its grace period; a second one kills everything at once.

Exit codes: 0 stopped on request, or every Pod Succeeded; 1 a Pod Failed for good, or Probity itself could not go on; 2 bad input, and
then nothing was started.`

// runFlags are the flags of run.
type runFlags struct {
	output           string
	stateDir         string
	maxRestartPeriod time.Duration
	commands         []string
	logs             bool
}

// maxRestartPeriod is the kubelet's cap of the crash-loop back-off, and the largest value that its
// setting takes (R146, R147).
const maxRestartPeriod = 5 * time.Minute

// threads are more than Probity needs as long as disks are quick.
const threads = 12

func newRun(streams Streams) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:     "run FILE...",
		Short:   "Run the Pods of manifests here, as the kubelet would",
		Long:    runHelp,
		Example: "  probity run app.yaml\n  probity run -o json deploy/ --command 'web=./web --verbose'",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), streams, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.output, "output", "o", "", "json: a line per change; default: a table on a terminal, else a line per Event")
	f.StringVar(&flags.stateDir, "state-dir", "", "folder for the output of containers and for volumes (default: one per manifest below the user's state folder)")
	f.DurationVar(&flags.maxRestartPeriod, "max-restart-period", maxRestartPeriod, "longest crash-loop back-off, 1s to 5m (the kubelet's crashLoopBackOff.maxContainerRestartPeriod)")
	f.StringArrayVar(&flags.commands, "command", nil, "program that stands for a container's image, as container='./program --flag'; may be repeated")
	f.BoolVar(&flags.logs, "logs", false, "also print what the containers print, with a prefix")
	return cmd
}

func (f runFlags) check() error {
	if f.output != "" && f.output != "json" {
		return badInput(fmt.Errorf("cannot print %q: --output takes json", f.output))
	}
	if f.maxRestartPeriod < time.Second || f.maxRestartPeriod > maxRestartPeriod {
		return badInput(fmt.Errorf("cannot use --max-restart-period %v: it must be between 1s and %v", f.maxRestartPeriod, maxRestartPeriod))
	}
	return nil
}

// run is the whole life of probity run: check everything, then start it, show it, and end it.
func run(ctx context.Context, streams Streams, flags runFlags, paths []string) (err error) {
	if err := flags.check(); err != nil {
		return err
	}
	here := surroundings{stdin: streams.In, commands: flags.commands, environ: os.Environ()}
	in, err := load(here, paths)
	if err != nil {
		return err
	}
	state, err := openState(flags.stateDir, paths)
	if err != nil {
		return badInput(err)
	}
	defer func() { err = errors.Join(err, state.close()) }()
	if err := in.report(streams.Err); err != nil {
		return failed(err)
	}
	// From here on a Ctrl-C ends the Pods, not Probity.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	process.ReserveThreads(threads)
	if err := process.BecomeSubreaper(); err != nil {
		return failed(err)
	}
	shepherd, err := process.NewShepherd()
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, shepherd.Close()) }()
	s := newSession(streams, flags, state, shepherd, in)
	s.signals, s.here, s.paths = signals, here, paths
	if s.absolute, err = absolute(slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return path == "-" })); err != nil {
		return failed(err)
	}
	s.remark(in, func(string) {}) // it is said already
	return s.run(ctx, in)
}

func newSession(streams Streams, flags runFlags, state *stateDir, shepherd *process.Shepherd, in *input) *session {
	kinds := slices.Concat(store.Kubernetes(), node.Kinds(), controller.Kinds())
	objects := store.New(store.Options{Kinds: kinds})
	screen := newScreen(streams, flags)
	logger := slog.New(slog.NewTextHandler(lineWriter{screen}, nil))
	reserved := in.reserved()
	front := proxy.New(proxy.Options{Store: objects, Reserved: func(port int) bool { return reserved[port] }, Logger: logger})
	options := node.Options{
		Store: objects, Starter: shepherd, Dir: state.path, Environ: state.environ(os.Environ()),
		MaxRestartPeriod: flags.maxRestartPeriod, Traffic: front, Logger: logger,
	}
	if flags.logs {
		options.Follow = printer(screen)
	}
	return &session{
		store: objects, node: node.New(options), proxy: front, shepherd: shepherd, screen: screen, logger: logger,
		controller: controller.New(controller.Options{Store: objects, Prepare: binder(flags.commands), Logger: logger}),
		applier:    newApplier(objects), stateDir: filepath.Dir(state.path),
		applies: make(chan applyRequest), edited: make(chan struct{}, 1), remarked: map[string]bool{},
	}
}
