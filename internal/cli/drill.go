package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/advice"
	"github.com/probity-run/probity/internal/drill/archive"
	"github.com/probity-run/probity/internal/drill/pages"
	"github.com/probity-run/probity/internal/drill/render"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/system"
)

const drillHelp = `Break a running service on purpose, under load, and see whether its probes do what they should. The service is started here by its manifests,
in a run of its own; nothing else is touched. With --attach it is a run that goes on: see below.

A restart is right if and only if it cures. A fault inside of a process (hang, deadlock, no descriptors left) has to lead to one, in the time that the
numbers of its liveness probe say at the phase at which the fault began. A fault outside of it (something that it depends on, load, a share of a
processor, a stall that passes) never. And a replica that does not answer has to leave the Service, while one that does is not to be killed.

Load comes open loop, at --rate a second: --request 'POST /compute {"x":[1]}' (may be repeated, each is a class), the requests of a --har file, or GET of
the root. It is routed as a cluster would: to any ready replica, without a second try, endpoints --endpoint-delay late; --routing probity is that of
probity run. Nobody waits longer than 5 s for an answer.

Each fault is injected --repeat times, evenly spread over the period of the liveness probe. What does not fit the --budget is left out, and listed.
--fault chooses: ` + "`probity drill faults`" + ` describes them. A repetition in which this machine was itself too late is tried again, and says nothing.

The verdicts are V1 restarted in time, V2 not restarted for nothing, V3 not green while failing, V4 not red while working, V5 recovered, V6 the
fleet stayed, V7 no request lost, V8 started without a dependency, V9 out of rotation before the kill.

--assert makes a gate of it: no verdict may be a failure, none inconclusive, and each --fault has to be tried. With a sentence, such as
--assert='kill within 12s', 'out within 3s', 'restarts == 0' or 'lost <= 5', that has to hold, too; may be repeated. V6 and V9 are warnings: they fail
nothing.

While it drills, the dashboard of its run shows how far it is, and each result as soon as it is there: a link to it is printed at the start, and probity
dashboard prints another one. The last twenty drills are kept in the user's state folder, and the dashboard of each probity run of the same manifests lists
them. probity clean removes them.

--attach drills the run of this folder, --attach=RUN another one by the name that probity ls has, with all its workloads or those of --only. It asks
first, as others may use that run; --yes for scripts. The run drills itself, asked through its Kubernetes API, one drill at a time. Requests are routed
as in a cluster, for everybody, and restarts come within a second, for the time of the drill alone. The run was not prepared for all faults: no dependency
can be broken, package health is told of no deadlock, and a full disk is EFBIG; what is left out is listed with the reason. When a workload is changed
or deleted meanwhile, the drill ends. If this command ends in whatever way, the run undoes the fault and goes on.

Ctrl-C undoes the fault of the moment, ends everything that the drill has started and reports what was done so far.

Exit codes: 0 drilled, and what was asserted holds; 1 it does not hold, a fault could not be undone, the drill was interrupted, or the answer was no;
2 bad input, a run that is being drilled already, or nobody there to ask, and then nothing was started.`

// drillFlags are the flags of drill.
type drillFlags struct {
	asserts, faults, requests, commands, only, dependencies []string
	target                                                  // with attach
	attach                                                  string
	yes                                                     bool
	env                                                     envFlags
	output, har, routing, script, report, junit             string
	quick, allowRemote, noDashboard                         bool
	budget, endpointDelay                                   time.Duration
	repeat                                                  int
	rate                                                    float64
}

// quickBudget is that of a drill in CI.
const quickBudget = 75 * time.Second

func newDrill(streams Streams) *cobra.Command {
	var flags drillFlags
	cmd := &cobra.Command{
		Use:   "drill FILE... | --attach[=RUN]",
		Short: "Break a service on purpose and judge its probes",
		Long:  drillHelp,
		Example: `  probity drill app.yaml
  probity drill app.yaml --quick --assert
  probity drill app.yaml --fault hang --fault hang+8s --request 'POST /compute {"x":[1]}'
  probity drill --attach --fault hang`,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := noSentences(args)
			if err == nil {
				err = flags.checkAttach(cmd, args)
			}
			var opts drill.Options
			if err == nil {
				opts, err = flags.options(streams, args)
			}
			if err == nil {
				err = errors.Join(flags.check(), opts.Check())
			}
			if err != nil {
				return badInput(err)
			}
			return runDrill(cmd.Context(), streams, flags, opts)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&flags.asserts, "assert", nil, "fail unless every verdict is well; with a sentence, that has to hold, too; may be repeated")
	f.Lookup("assert").NoOptDefVal = assertVerdicts
	f.BoolVar(&flags.quick, "quick", false, "one repetition of what fits into "+quickBudget.String())
	f.DurationVar(&flags.budget, "budget", drill.DefaultBudget, "how long the drill may take")
	f.StringArrayVar(&flags.faults, "fault", nil, "a fault to inject, such as hang, hang+8s or dependency-outage:db; may be repeated")
	f.StringVar(&flags.script, "script", "", "faults to inject, from a script as of probity simulate, as long as that says; - for standard input")
	f.StringArrayVar(&flags.requests, "request", nil, "a request to send, such as 'POST /compute {\"x\":[1]}'; may be repeated (default: GET of the root)")
	f.StringVar(&flags.har, "har", "", "a HAR file whose requests are sent, as browsers export it: those to the host of its first one")
	f.Float64Var(&flags.rate, "rate", drill.DefaultRate, "requests a second")
	f.StringVar(&flags.routing, "routing", "cluster", "how requests are routed: cluster or probity")
	f.DurationVar(&flags.endpointDelay, "endpoint-delay", drill.DefaultEndpointDelay, "how late the front learns of endpoints, as in a cluster")
	f.IntVar(&flags.repeat, "repeat", drill.DefaultRepetitions, "how often each fault is injected, at different phases of the probes")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	f.StringVar(&flags.report, "report", "", "also write the report as one HTML page to this file")
	f.StringVar(&flags.junit, "junit", "", "also write the verdicts as JUnit XML to this file")
	f.StringArrayVar(&flags.dependencies, "dependency", nil, "where a dependency is, as db=DATABASE_URL: the variable that says so; may be repeated")
	f.BoolVar(&flags.allowRemote, "allow-remote", false, "also break connections to other machines")
	f.BoolVar(&flags.noDashboard, "no-dashboard", false, "serve no dashboard while it drills")
	f.StringArrayVar(&flags.commands, "command", nil, "program that stands for a container's image, as of probity run; may be repeated")
	f.StringSliceVar(&flags.only, "only", nil, "drill only these workloads, as web or deployment/web; the others run as well")
	flags.env.add(f)
	flags.addAttach(cmd)
	cmd.AddCommand(newDrillFaults(streams))
	return cmd
}

func newDrillFaults(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "faults",
		Short: "Describe the faults of a drill",
		Long:  strings.TrimSuffix(drill.Reference(), "\n"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if _, err := io.WriteString(streams.Out, drill.Reference()); err != nil {
				return failed(err)
			}
			return nil
		},
	}
}

// assertVerdicts is --assert without a sentence.
const assertVerdicts = "verdicts"

// noSentences refuses a sentence among the files. --assert stands alone, too, so it takes what
// follows only after an equals sign.
func noSentences(files []string) error {
	for _, name := range files {
		if _, err := drill.ParseAssertion(name); err == nil {
			return fmt.Errorf("%q is no file but an assertion: write --assert='%s'", name, name)
		}
	}
	return nil
}

// check refuses what has a form of its own.
func (f drillFlags) check() error {
	switch {
	case f.output != "text" && f.output != "json":
		return fmt.Errorf("cannot print %q: --output takes text or json", f.output)
	case f.routing != "cluster" && f.routing != "probity":
		return fmt.Errorf("cannot use --routing %q: it takes cluster or probity", f.routing)
	case f.endpointDelay < 0:
		return fmt.Errorf("cannot use --endpoint-delay %v: it must be between 0s and 1m", f.endpointDelay)
	}
	for _, text := range f.asserts {
		if _, err := drill.ParseAssertion(text); err != nil && text != assertVerdicts {
			return err
		}
	}
	return nil
}

// options are what the flags ask for.
func (f drillFlags) options(streams Streams, files []string) (opts drill.Options, err error) {
	opts = drill.Options{
		Files: files, Stdin: streams.In, Only: f.only, Rate: f.rate, Repetitions: f.repeat, Budget: f.budget, LikeProbity: f.routing == "probity",
		EndpointDelay: f.endpointDelay, AllowRemote: f.allowRemote, Dependencies: map[string]string{}, Version: version(),
		Progress: func(line string) { fmt.Fprintln(streams.Err, "probity: "+line) },
	}
	if f.endpointDelay == 0 {
		opts.EndpointDelay = -1
	}
	if f.quick {
		opts.Repetitions, opts.Budget = 1, min(f.budget, quickBudget)
	}
	for _, text := range f.faults {
		fault, err := drill.ParseFault(text)
		if err != nil {
			return opts, err
		}
		opts.Faults = append(opts.Faults, fault)
	}
	if err := f.readScript(streams, &opts); err != nil {
		return opts, err
	}
	for _, text := range f.dependencies {
		name, variable, ok := strings.Cut(text, "=")
		if !ok || name == "" || variable == "" {
			return opts, fmt.Errorf("cannot use --dependency %q: write it as db=DATABASE_URL", text)
		}
		opts.Dependencies[name] = variable
	}
	if opts.Commands, err = parseCommands(f.commands); err != nil {
		return opts, err
	}
	if opts.Env, err = f.env.read(); err != nil {
		return opts, err
	}
	err = f.addRequests(&opts)
	return opts, err
}

// readScript adds the faults of a script.
func (f drillFlags) readScript(streams Streams, opts *drill.Options) error {
	if f.script == "" {
		return nil
	}
	if f.script == "-" && slices.Contains(opts.Files, "-") {
		return errors.New("cannot read both a manifest and the script from standard input")
	}
	s, err := script.Load(f.script, streams.In)
	if err != nil {
		return listed(err, "nothing was started")
	}
	faults, err := drill.ScriptedFaults(s)
	opts.Faults = append(opts.Faults, faults...)
	return err
}

func (f drillFlags) addRequests(opts *drill.Options) error {
	for _, text := range f.requests {
		r, err := drill.ParseRequest(text)
		if err != nil {
			return err
		}
		opts.Requests = append(opts.Requests, r)
	}
	if f.har == "" {
		return nil
	}
	data, err := os.ReadFile(f.har)
	if err != nil {
		return fmt.Errorf("cannot read --har: %w", err)
	}
	recorded, note, err := drill.ParseHAR(data)
	opts.Requests = append(opts.Requests, recorded...)
	if note != "" {
		opts.Progress(note)
	}
	return err
}

// runDrill is the whole life of probity drill.
func runDrill(ctx context.Context, streams Streams, flags drillFlags, opts drill.Options) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	keep := keptDrills()
	report, err := flags.drill(ctx, streams, keep, opts)
	if _, decided := errors.AsType[*exitError](err); decided {
		return err
	}
	if input, ok := errors.AsType[*drill.InputError](err); ok {
		return badInput(listed(input.Err, "nothing was started"))
	}
	if report == nil {
		return failed(err)
	}
	if len(flags.asserts) > 0 {
		report.AssertTried(opts.Faults)
	}
	for _, text := range flags.asserts {
		if a, parseErr := drill.ParseAssertion(text); parseErr == nil {
			report.Assertions = append(report.Assertions, a.Check(report))
		}
	}
	outcome, grade := render.Outcome(report)
	if keepErr := keep.Keep(archive.Entry{Outcome: outcome, Grade: grade}, report); keepErr != nil { // the drill is none the worse for it
		fmt.Fprintln(streams.Err, "probity: no dashboard will show this drill: "+keepErr.Error())
	}
	return flags.judge(report, errors.Join(err, flags.write(streams.Out, report)))
}

// drill drills a run of its own, or one that goes on.
func (f *drillFlags) drill(ctx context.Context, streams Streams, keep archive.Archive, opts drill.Options) (*drill.Report, error) {
	if f.attach != "" {
		run, err := f.attachedRun(ctx, streams)
		if err != nil {
			return nil, err
		}
		return drillRun(ctx, run, opts)
	}
	opts.Judged = adviceFor(streams, opts)
	if !f.noDashboard {
		shown := pages.New(keep, opts.Files)
		opts.Drills, opts.Watch = shown, shown.Watch
	}
	return drill.Run(ctx, opts)
}

// keptDrills are those of this user that are kept for dashboards.
func keptDrills() archive.Archive {
	return archive.Archive{
		Open: func() (*os.Root, error) { return system.OpenKept("drills") },
		Make: func() (*os.Root, error) { return system.MakeKept("drills") },
	}
}

// adviceFor adds to the verdicts what can be done. It is nil for manifests that cannot be read a
// second time: there is no advice then.
func adviceFor(streams Streams, opts drill.Options) func(*drill.Report, *drill.Result) {
	if slices.Contains(opts.Files, "-") || len(opts.Files) == 0 {
		return nil
	}
	m, err := advisor.ReadFormats(formats.All(formats.Options{Env: opts.Env}), streams.In, nil, opts.Files...)
	if err != nil {
		return nil // the drill says why
	}
	return advice.For(m)
}

// write writes the report in every form that is asked for.
func (f drillFlags) write(out io.Writer, report *drill.Report) (err error) {
	if f.report != "" { // files first: whoever reads the output may stop at any time
		err = writeFile(f.report, func(out io.Writer) error { return render.Page(out, report) })
	}
	if f.junit != "" {
		err = errors.Join(err, writeFile(f.junit, func(out io.Writer) error { return render.JUnit(out, report) }))
	}
	if f.output == "json" {
		return errors.Join(err, render.JSON(out, report))
	}
	return errors.Join(err, render.Text(out, report))
}

// judge is the error that decides the exit code.
func (f drillFlags) judge(report *drill.Report, err error) error {
	var errs []error
	if err != nil {
		errs = append(errs, err)
	}
	for _, failure := range report.Failures {
		errs = append(errs, errors.New(failure))
	}
	if report.Interrupted {
		errs = append(errs, errors.New("the drill was interrupted"))
	}
	if len(f.asserts) > 0 {
		for _, r := range report.Results {
			for _, v := range r.Verdicts {
				if v.Grade == drill.GradeFail || v.Grade == drill.GradeInconclusive {
					errs = append(errs, fmt.Errorf("assertion failed: %s of %s: %s: %s", r.Title, r.Workload, v.Rule, v.Word))
				}
			}
		}
	}
	for _, a := range report.Assertions {
		if !a.Holds {
			errs = append(errs, fmt.Errorf("assertion failed: %s: got %s", a.Text, a.Got))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return failed(errors.Join(errs...))
}
