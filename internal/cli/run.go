package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/drill/pages"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/system"
	"github.com/probity-run/probity/internal/terminal"
)

const runHelp = `Start the programs of manifests on this machine and do to them what the kubelet would: probe them, restart them, back off.

FILE is a manifest, a folder of manifests, or - for standard input; a service of TrueFoundry may stand where a manifest does, and then --env and
--env-file give the values of the secrets that it refers to. Pods, Deployments, ReplicaSets, StatefulSets, ConfigMaps and Secrets
are read; other kinds are named and left alone. Without FILE it is an empty node, which runs what probity apply --state-dir brings. A container's
command runs as a process. A container that has only an image needs to know which program stands for it here: give the Pod the annotation
probity.run/command.CONTAINER, or use --command, by container or by workload and container. --only runs a part of the workloads.

A Service has an address of its own on this machine's loopback (127.64.0.0/10 on Linux), which programs find in STORE_SERVICE_HOST and
STORE_SERVICE_PORT; Events and the table say where it is served.

On a terminal a live view is shown: the Services, the Pods with failing ones first, why the selected one is as it is, what follows and what to do
next, what it printed, and Events; ? lists the keys. PROBITY_THEME=dark, light or basic sets its colours, NO_COLOR leaves them out. Without a terminal, with --plain or --probes, and with TERM=dumb or
ACCESSIBLE set, there are lines: time, word, object, text, of what started, became ready, is not ready any more and why, fails, restarts and
ended. Findings of probity check that are outages are said at the start.

A COMMAND after -- runs when all is ready. It has the streams and the terminal; what Probity prints goes to standard error. Everything is
stopped after it. --until ends the run by itself: ready when every workload is complete, every other Pod is Ready or has done its work, and
Services take requests; complete when every Pod that ends by itself has Succeeded. The run ends at once if that cannot be any more: a Pod of no
workload has Failed for good, a program cannot be started, a rollout has passed its deadline; else after --timeout.

With -d the run goes on in the background, in a session of its own, and this command returns when it is ready, or complete with --until complete;
or it says why it is not, with exit code 1, and the run goes on all the same. probity ps, logs and their like ask it, probity stop ends it, and what
it would print is in run.log of its state folder. A run survives its terminal in no other way.

With -o json, every change of a Pod and every Event is one line, as kubectl get pods,events --watch --output-watch-events -o json would
print it; with --probes there are lines of the type ATTEMPT, too. Events are raw, one object per occurrence. The process ids and the private ports are in annotations probity.run/….
A reader that is slow, or never reads, holds up no Pod: one that fell too far behind gets a line of type ERROR with the status 410 Expired, as
from a watch of the API, and then everything there is as ADDED.

On Linux programs find Services by name (store, store.NAMESPACE, store.NAMESPACE.svc.cluster.local): each Pod has a hosts file of its own. Where the
kernel refuses that, run says why; --names=env then puts working addresses into the variables of the manifests that name a Service.

Each run serves the Kubernetes API on loopback, with a token of its own: kubectl, k9s and client-go find it by the kubeconfig in the state folder,
which is named at the start, a COMMAND by KUBECONFIG in its environment. Port, token and authority stay from run to run.

Each run serves a dashboard on loopback, too: a link to it is printed at the start, and can be opened within a minute, once; --open opens it. probity
dashboard prints another one. Who has a link sees and does what the user of the run does.

Ctrl-C (or SIGTERM) deletes every Pod, with its grace period; a second one kills everything at once and waits for nothing. Two signals within
half a second count as one, as some programs send theirs twice.

What containers print is kept below the state folder, which run names at its start: the logs of Pods that have ended up to 100 MiB, those of
runs that have ended for a week; probity clean removes them. A state folder is emptied at each start, so --state-dir takes only one that is
new, empty, or Probity's own, and that no other user can write to.

A run of files ends by itself when there are Pods, no Deployment, ReplicaSet or StatefulSet is there to make others, and all of them have ended
for good. Otherwise it goes on until it is told to stop, also when the last object was deleted.

Exit codes: 0 stopped on request, every Pod Succeeded, or it is as --until says; 1 a Pod Failed for good, it is not as --until says, a second
signal killed everything, or Probity itself could not go on; 2 bad input, and then nothing was started. With --until or a COMMAND: that of the
COMMAND, 128+N if signal N ended it or stopped the wait; 126 or 127 if it cannot be executed or is not there, and then nothing was started.`

// runFlags are the flags of run.
type runFlags struct {
	output           string
	stateDir         string
	maxRestartPeriod time.Duration
	maxPods          int
	commands         []string
	env              envFlags
	only             []string
	logs             bool
	names            string
	plain            bool
	probes           bool
	ascii            bool
	until            string
	timeout          time.Duration
	noAPI            bool
	apiAddress       string
	kubeconfig       string
	newToken         bool
	noDashboard      bool
	open             bool
	detach           bool      // start a run in the background
	detached         bool      // be that run
	teller           *detached // of that run
}

// threads are more than Probity needs as long as disks are quick.
const threads = 12

func newRun(streams Streams) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:     "run [FILE...] [-- COMMAND...]",
		Short:   "Run the Pods of manifests here, as the kubelet would",
		Long:    runHelp,
		Example: "  probity run app.yaml\n  probity run -o json deploy/ --command 'web=./web --verbose'\n  probity run app.yaml -- go test ./e2e",
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, command := args, []string(nil)
			if dash := cmd.ArgsLenAtDash(); dash >= 0 {
				paths, command = args[:dash], args[dash:]
				if len(paths) == 0 || len(command) == 0 {
					return errors.New("write it as probity run FILE -- COMMAND")
				}
			}
			if flags.detach {
				if err := checkDetach(flags, command); err != nil {
					return badInput(err)
				}
				return detach(cmd.Context(), streams, cmd.Flags(), paths)
			}
			if flags.detached {
				return runDetached(cmd.Context(), streams, flags, paths)
			}
			return run(cmd.Context(), streams, flags, paths, command)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.output, "output", "o", "", "json: a line of JSON per change; default: the live view on a terminal, else lines")
	f.StringVar(&flags.stateDir, "state-dir", "", "folder for the output of containers and for volumes (default: one per manifest below the user's state folder)")
	f.DurationVar(&flags.maxRestartPeriod, "max-restart-period", system.MaxRestartPeriod, "longest crash-loop back-off, 1s to 5m (the kubelet's crashLoopBackOff.maxContainerRestartPeriod)")
	f.IntVar(&flags.maxPods, "max-pods", system.MaxPods, "how many Pods there may be at a time (the kubelet's maxPods)")
	f.StringArrayVar(&flags.commands, "command", nil, "program that stands for a container's image, as container='./program --flag' or deployment/web:container='./program'; may be repeated")
	flags.env.add(f)
	f.StringSliceVar(&flags.only, "only", nil, "run only these workloads, as web or deployment/web, and the Services in front of them")
	f.StringVar(&flags.names, "names", string(system.NamesAuto), "how programs find Services by name: auto: in a hosts file of their own, env: by addresses put into variables that name one, off: not at all")
	f.BoolVar(&flags.plain, "plain", false, "lines instead of the live table, good to be read by a screen reader")
	f.BoolVar(&flags.ascii, "ascii", false, "signs of ASCII only in the live view")
	f.BoolVar(&flags.probes, "probes", false, "also print each attempt of each probe, with what it found; as lines on a terminal, too")
	f.StringVar(&flags.until, "until", "", "ready or complete: end when it is so (with -- COMMAND: run that then; default: ready)")
	f.DurationVar(&flags.timeout, "timeout", untilTimeout, "how long to wait for --until or before -- COMMAND; 0 is for ever")
	f.BoolVar(&flags.noAPI, "no-api", false, "serve no Kubernetes API")
	f.StringVar(&flags.apiAddress, "api-address", "", "IP address at which the Kubernetes API listens besides loopback; who has its token reads Secrets and runs commands here")
	f.StringVar(&flags.kubeconfig, "kubeconfig", "", "kubeconfig file to put a context for this run into, besides that in the state folder")
	f.BoolVar(&flags.newToken, "new-token", false, "make another token for the Kubernetes API: whoever has the old one is shut out")
	f.BoolVar(&flags.noDashboard, "no-dashboard", false, "serve no dashboard")
	f.BoolVar(&flags.open, "open", false, "open the dashboard in a browser")
	f.BoolVar(&flags.logs, "logs", false, "also print what the containers print, with a prefix")
	addDetach(cmd, &flags)
	return cmd
}

// options checks the flags.
func (f runFlags) options() (system.Options, error) {
	if f.output != "" && f.output != "json" {
		return system.Options{}, fmt.Errorf("cannot print %q: --output takes json", f.output)
	}
	if err := checkRestartPeriod(f.maxRestartPeriod); err != nil {
		return system.Options{}, err
	}
	if f.maxPods < 1 {
		return system.Options{}, fmt.Errorf("cannot use --max-pods %d: it must be at least 1", f.maxPods)
	}
	names := system.Names(f.names)
	if !slices.Contains([]system.Names{system.NamesAuto, system.NamesEnv, system.NamesOff}, names) {
		return system.Options{}, fmt.Errorf("cannot use --names %q: it takes auto, env or off", f.names)
	}
	for i, name := range f.only {
		if kind, name, ok := strings.Cut(name, "/"); ok {
			f.only[i] = longKind(kind) + "/" + name
		}
	}
	commands, err := parseCommands(f.commands)
	if err != nil {
		return system.Options{}, err
	}
	env, err := f.env.read()
	if err != nil {
		return system.Options{}, err
	}
	opts := system.Options{Commands: commands, Env: env, Only: f.only, StateDir: f.stateDir, MaxRestartPeriod: f.maxRestartPeriod, MaxPods: f.maxPods, Names: names}
	err = f.setAPI(&opts)
	return opts, err
}

// setAPI sets the options of the Kubernetes API.
func (f runFlags) setAPI(opts *system.Options) error {
	if f.noAPI && (f.apiAddress != "" || f.kubeconfig != "" || f.newToken) {
		return errors.New("--no-api leaves nothing for --api-address, --kubeconfig and --new-token to do")
	}
	if f.noDashboard && f.open {
		return errors.New("--no-dashboard leaves nothing for --open to open")
	}
	opts.NoAPI, opts.NewToken, opts.NoDashboard = f.noAPI, f.newToken, f.noDashboard
	if f.kubeconfig != "" {
		var err error
		if opts.Kubeconfig, err = filepath.Abs(f.kubeconfig); err != nil {
			return err
		}
	}
	if f.apiAddress == "" {
		return nil
	}
	address, err := netip.ParseAddr(f.apiAddress)
	if err != nil || address.IsUnspecified() || address.Zone() != "" {
		return fmt.Errorf("cannot use --api-address %q: it takes one IP address of this machine", f.apiAddress)
	}
	opts.APIAddress = address
	return nil
}

func checkRestartPeriod(d time.Duration) error {
	if d < time.Second || d > system.MaxRestartPeriod {
		return fmt.Errorf("cannot use --max-restart-period %v: it must be between 1s and %v", d, system.MaxRestartPeriod)
	}
	return nil
}

// parseCommands reads container='./program --flag' and deployment/web:container='./program'.
func parseCommands(flags []string) (map[string]string, error) {
	commands := map[string]string{}
	for _, flag := range flags {
		container, line, ok := strings.Cut(flag, "=")
		kind, name, byWorkload := strings.Cut(container, "/")
		if !ok || container == "" || strings.Contains(container, ":") != byWorkload {
			return nil, fmt.Errorf("cannot use --command %q: write it as container='./program --flag' or deployment/web:container='./program --flag'", flag)
		}
		if byWorkload {
			container = longKind(kind) + "/" + name
		}
		commands[container] = line
	}
	return commands, nil
}

// longKind is the name of a kind that kubectl has a short one for.
func longKind(kind string) string {
	switch kind = strings.ToLower(kind); kind {
	case "po", "pods":
		return "pod"
	case "deploy", "deployments":
		return "deployment"
	case "rs", "replicasets":
		return "replicaset"
	case "sts", "statefulsets":
		return "statefulset"
	}
	return kind
}

// run is the whole life of probity run: check everything, then start it, show it, and end it.
func run(ctx context.Context, streams Streams, flags runFlags, paths, command []string) error {
	opts, err := flags.options()
	if err != nil {
		return badInput(err)
	}
	wait, err := newAwaited(flags, streams, command)
	if err != nil {
		return err
	}
	if wait != nil && wait.detached == nil && len(paths) == 0 {
		return badInput(errors.New("cannot wait for anything without a FILE"))
	}
	opts.StopWhenFinished = (wait == nil || wait.detached != nil) && len(paths) > 0 // an empty node has not finished
	view := terminal.New(viewOptions(streams, flags, command))
	stdin := remember(streams.In)
	opts.Manifests, opts.Stdin, opts.Version = paths, stdin, thisBuild().Version
	drills := pages.New(keptDrills(), paths)
	opts.Outputs, opts.Listed, opts.Drills, opts.Drill = streams.files(), true, drills, drillable(streams, paths, opts.Env, drills, view.Say)
	opts.Notice, opts.Refused, opts.Logger = view.Say, view.Refused, slog.New(slog.NewTextHandler(view, nil))
	if flags.logs {
		opts.Follow = view.Output
	}
	flags.env.sayUnused(streams.Err, opts.Env, paths)
	s, err := system.New(opts)
	if err != nil {
		view.Close()
		return systemError(err)
	}
	if err := wait.check(s); err != nil {
		view.Close()
		return systemError(errors.Join(err, s.Close()))
	}
	if err := sayRemarks(s, view, streams.Err); err != nil {
		view.Close()
		return failed(errors.Join(err, s.Close()))
	}
	if flags.open {
		if err := openBrowser(ctx, s.DashboardLink()); err != nil {
			view.Say("probity: " + err.Error())
		}
	}
	view.Attend(attended(s, paths))
	judge(s.Files(), stdin.read.Bytes(), view.Say)
	// From here on a Ctrl-C ends the Pods, not Probity.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	a := attendance{system: s, view: view, wait: wait}
	err = a.run(ctx, signals)
	a.closeView()
	return err
}

// sayRemarks says what a person should know of the run, and where to find it.
func sayRemarks(s *system.System, view *terminal.View, out io.Writer) error {
	remarks := s.Remarks()
	if link := s.DashboardLink(); link != "" {
		remarks = append(remarks, "probity: dashboard: "+link)
	}
	for _, line := range remarks {
		if view.Live() {
			view.Say(line) // it stays in the list of notices
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}

// viewOptions decide where a run is shown, and how. Standard output belongs to the command if there
// is one.
func viewOptions(streams Streams, flags runFlags, command []string) terminal.Options {
	opts := terminal.Options{Out: streams.Out, Err: streams.Err, In: keysOf(streams.In), ASCII: flags.ascii, JSON: flags.output == "json", Plain: flags.plain, Probes: flags.probes}
	opts.Lines = len(command) > 0 || os.Getenv("TERM") == "dumb" || os.Getenv("ACCESSIBLE") != ""
	if len(command) > 0 {
		opts.Out = streams.Err
	}
	return opts
}

// start makes this process one that can have Pods, and starts the system before anybody's eyes.
func start(ctx context.Context, s *system.System, view *terminal.View) error {
	process.ReserveThreads(threads)
	if err := process.BecomeSubreaper(); err != nil {
		return err
	}
	if err := view.Start(shown(s)); err != nil {
		return err
	}
	return s.Start(ctx)
}

// shown is what a view has to know of a system.
func shown(s *system.System) terminal.Run {
	run := terminal.Run{Store: s.Store(), LastOutput: s.LastOutput, History: s.History(), Listeners: s.Listeners, Place: s.Place, Stopping: s.Stopping}
	if p := s.Proxy(); p != nil {
		run.Traffic = p.State
	}
	return run
}

// startTime is how long it takes until what is used of the program is mostly what probing needs.
const startTime = 5 * time.Second

// garbage is how much may gather until it is collected, in percent of what is in use, unless the
// environment's GOGC says so. Below that, collecting is felt in the CPU time of 200 probes a
// second.
const garbage = 40

// releaseMemory gives memory back that only the start needed.
func releaseMemory(view *terminal.View) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
	if err := process.ReleaseMemory(); err != nil {
		view.Say(fmt.Sprintf("probity: more memory than necessary is used: %v", err))
	}
}

// systemError gives an error of a system its exit code.
func systemError(err error) error {
	if input, ok := errors.AsType[*system.InputError](err); ok {
		err = listed(err, "nothing was started")
		if hint := input.Hint(); hint != "" {
			err = fmt.Errorf("%w\n\n%s", err, hint)
		}
		return badInput(err)
	}
	return failed(err)
}

// listed puts several errors on lines of their own below a headline that says what they prevented.
func listed(err error, prevented string) error {
	lines := strings.Split(err.Error(), "\n")
	if len(lines) == 1 {
		return err
	}
	return fmt.Errorf("%d errors, %s\n%w", len(lines), prevented, err)
}
