package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/render"
	"github.com/probity-run/probity/internal/simulate/script"
	"github.com/probity-run/probity/internal/system"
)

const simulateHelp = `Play a manifest in virtual time: the same rules as probity run, with a script in place of the service. A month takes milliseconds,
nothing is started, and the same seed gives the same answer.

It forecasts a cluster, so the first probe comes when a cluster's would: at some moment within its period after the start, or after the initial delay. The
seed chooses the moment; what other moments bring is simulated too, and stands in parentheses ("at any phase").

The summary says when the Pods were ready, what became of each fault and how long its detection takes at any phase of the probes, whether a slow start can
become a restart loop (safe, lottery with its odds, certain) and by which inequality, how long the Service had nobody to send to, and how many requests
failed at --rate. The timeline below it has every probe, state, Event and change of endpoints; Events that only repeat a failed probe are left to -o json.

Faults are ready-made (--fault hang@60s) or written in a script (--script); probity simulate script describes both. Of several workloads a fault can name
one: --fault hang@60s,workload=deployment/web. Beside what probity run starts, DaemonSets, ReplicationControllers, Jobs and CronJobs are simulated.

With --runs N many Pods are simulated, each for the horizon and with chances of its own, the phases of its probes among them. The outcome is distributions, the restarts for nothing of a fleet of --replicas in 30 days, and for random stalls the closed forms beside the simulation.

--assert makes a gate of it: 'restarts == 0', 'ready within 30s', 'detected within 20s', 'drained within 10s', 'unavailable <= 5s', 'false-restarts < 1',
'failed-requests <= 100'; with --runs also 'p99 ready within 30s'. Without a quantile the worst run counts, and for one run the
worst phase. What never happened is within no time.

Exit codes: 0 simulated, and every assertion holds; 1 an assertion does not hold; 2 bad input.`

// simulateFlags are the flags of simulate.
type simulateFlags struct {
	script, output, svg, junit string
	faults, asserts            []string
	horizon                    string
	runs, replicas             int
	seed                       uint64
	rate                       float64
	maxRestartPeriod           time.Duration
}

func newSimulate(streams Streams) *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate FILE...",
		Short: "Show what would happen, second by second, without waiting",
		Long:  simulateHelp,
		Example: `  probity simulate app.yaml --fault slow-start=90s
  probity simulate app.yaml --fault hang@60s --assert 'detected within 30s' --svg hang.svg
  probity simulate app.yaml --fault gc-stall=8s/1h --runs 1000 --horizon 30d --replicas 100`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return runSimulation(streams, flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.script, "script", "", "what the service does, as YAML; - for standard input")
	f.StringArrayVar(&flags.faults, "fault", nil, "a ready-made fault, such as hang@60s or slow-start=90s; may be repeated")
	f.StringVar(&flags.horizon, "horizon", "", "how long to simulate, such as 90s, 1h or 30d (default 10m; with --runs 30d)")
	f.IntVar(&flags.runs, "runs", 1, "how many times; more than one gives distributions instead of a timeline")
	f.IntVar(&flags.replicas, "replicas", 0, "replicas of each workload, instead of the manifest's")
	f.Uint64Var(&flags.seed, "seed", 1, "chooses among what chance may bring")
	f.Float64Var(&flags.rate, "rate", 100, "requests a second that are imagined")
	f.DurationVar(&flags.maxRestartPeriod, "max-restart-period", system.MaxRestartPeriod, "longest crash-loop back-off, 1s to 5m")
	f.StringVarP(&flags.output, "output", "o", "text", "text (summary and timeline), summary, json or svg")
	f.StringVar(&flags.svg, "svg", "", "also write the timeline as a picture to this file")
	f.StringArrayVar(&flags.asserts, "assert", nil, "what must hold, such as 'restarts == 0'; may be repeated")
	f.StringVar(&flags.junit, "junit", "", "also write the assertions as JUnit XML to this file")
	cmd.AddCommand(newSimulateScript(streams))
	return cmd
}

// simulation is a checked request to simulate.
type simulation struct {
	flags   simulateFlags
	set     *manifest.Set
	script  *script.Script
	horizon time.Duration
	asserts []simulate.Assertion
}

// runSimulation is the whole life of probity simulate.
func runSimulation(streams Streams, flags simulateFlags, paths []string) error {
	s, err := prepareSimulation(streams, flags, paths)
	if err != nil {
		return badInput(err)
	}
	var results []simulate.AssertionResult
	if flags.runs > 1 {
		results, err = s.many(streams)
	} else {
		results, err = s.once(streams)
	}
	if err != nil {
		return err
	}
	if flags.junit != "" {
		err := writeFile(flags.junit, func(out io.Writer) error { return render.JUnit(out, strings.Join(paths, " "), results) })
		if err != nil {
			return failed(err)
		}
	}
	return judged(results)
}

// judged is the error that says which assertions do not hold, one a line.
func judged(results []simulate.AssertionResult) error {
	var errs []error
	for _, r := range results {
		if !r.Holds {
			errs = append(errs, fmt.Errorf("assertion failed: %s: got %s", r.Assertion, r.Got))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return failed(errors.Join(errs...))
}

func prepareSimulation(streams Streams, flags simulateFlags, paths []string) (*simulation, error) {
	s := &simulation{flags: flags, script: &script.Script{}}
	if err := s.checkFlags(); err != nil {
		return nil, err
	}
	stdin := streams.In
	if flags.script == "-" {
		if slices.Contains(paths, "-") {
			return nil, errors.New("cannot read both a manifest and the script from standard input")
		}
		stdin = nil
	}
	var err error
	if flags.script != "" {
		if s.script, err = script.Load(flags.script, streams.In); err != nil {
			return nil, listed(err, "nothing was simulated")
		}
	}
	for _, f := range flags.faults {
		if err := s.script.ParseFault(f); err != nil {
			return nil, err
		}
	}
	s.set, err = manifest.Load(manifest.Options{Stdin: stdin, AllWorkloads: true, Formats: formats.All(formats.Options{Named: paths, Together: true})}, paths...)
	if err == nil {
		err = simulate.Check(s.set.Objects)
	}
	if err != nil {
		return nil, listed(err, "nothing was simulated")
	}
	return s, nil
}

// checkFlags reads the flags that have a form of their own.
func (s *simulation) checkFlags() (err error) {
	f := &s.flags
	switch {
	case !slices.Contains([]string{"text", "summary", "json", "svg"}, f.output):
		return fmt.Errorf("cannot print %q: --output takes text, summary, json or svg", f.output)
	case f.runs < 1 || f.runs > simulate.MaxRuns:
		return fmt.Errorf("cannot use --runs %d: it must be between 1 and %d", f.runs, simulate.MaxRuns)
	case f.runs > 1 && (f.output == "svg" || f.svg != ""):
		return errors.New("cannot draw many runs: a picture shows one, leave --runs out")
	case f.replicas < 0:
		return fmt.Errorf("cannot use --replicas %d: it must be positive", f.replicas)
	case !(f.rate >= 0 && f.rate <= 1e9):
		return fmt.Errorf("cannot use --rate %g: it must be between 0 and 1e9", f.rate)
	}
	if err := checkRestartPeriod(f.maxRestartPeriod); err != nil {
		return err
	}
	if f.horizon != "" {
		if s.horizon, err = script.ParseDuration(f.horizon); err != nil {
			return fmt.Errorf("cannot use --horizon: %w", err)
		}
		if s.horizon == 0 {
			return errors.New("cannot use --horizon 0: nothing would be simulated")
		}
	}
	for _, text := range f.asserts {
		a, err := simulate.ParseAssertion(text)
		if err != nil {
			return err
		}
		s.asserts = append(s.asserts, a)
	}
	return nil
}
