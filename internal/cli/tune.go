package cli

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/tune"
	"github.com/probity-run/probity/internal/tune/measure"
)

const tuneHelp = `Measure the service of a manifest and recommend the timings of its probes; promise no more than the measurement supports.

The manifest is run, one Pod of each workload and without its probes, so that none of them ends what is to be measured. All workloads come up first, in any order, as one
may need another; a program that ends before the others are there is started again. Then come cold starts while the others run,
one by one, three at once, and three at the CPU limit if the container has one; then what the probes would ask is asked, 20 times a second (2 times for exec) and over new connections: idle for a quarter of --for, two minutes
at most, and then under load. --request is the load, sent 20 times a second to the Services of HTTP; without it that is GET /. A stall is a stretch without a good answer.

What is to be reached are objectives, not numbers. --detect: a hang is noticed within this time at the latest, A + P. --survive: a stall of this length never leads to a
restart, A. --drain: a replica that hangs is out of its Service within this time. --false-restarts: there are no more restarts than this that cure
nothing, as 1/day, 6/h or 1/replica-month, each for one replica. What is not asked for is chosen: twice the longest stall is survived, which is an assumption
and is called so; readiness acts before liveness can.

For each objective the output says on what it rests: measured, supported (it follows from the numbers, or is an exact limit of what was counted),
assumed, or not supported. Counting nothing supports little: 20 minutes without a restart support 9 an hour and no fewer. What binds is
said, with the faster numbers that it forbids. If nothing reaches all objectives, the output has what there is between them.

What was measured is kept in --out, also if it is stopped before the end, and can be used again: --from takes such files, also several, instead of a measurement; a series that was there is kept as FILE~, and that is said; beside it a script is written that
plays the stalls in probity simulate. --from cluster reads what a cluster has counted: restarts, failed probes, Events. These are counts of failures, without
lengths, and are labelled so. --verify holds a series that was measured against what a cluster has counted since.

--diff prints what would change in the files, --write changes it; comments and layout stay.

Exit codes: 0 recommended, or verified; 1 there is no recommendation, because the objectives contradict each other or too much of what was measured is tainted, or
what a cluster has counted contradicts the promise, or nothing is promised of what liveness asks there (UNKNOWN); 2 bad input, or it could not be measured.`

// tuneFlags are the flags of tune.
type tuneFlags struct {
	detect, survive, drain, endpointDelay time.Duration
	falseRestarts                         string
	length                                time.Duration
	requests, from, commands              []string
	env                                   envFlags
	out, verify, output                   string
	diff, write, model                    bool
	kubeconfig, context, namespace        string
}

func newTune(streams Streams) *cobra.Command {
	var flags tuneFlags
	cmd := &cobra.Command{
		Use:   "tune FILE...",
		Short: "Measure a service and recommend the timings of its probes",
		Long:  tuneHelp,
		Example: `  probity tune app.yaml --detect 30s --survive 8s
  probity tune app.yaml --from series.json.gz --false-restarts 1/day --diff
  probity tune --verify series.json.gz --from cluster`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := refuseNothing(cmd.Flags(), "detect", "survive", "drain"); err != nil {
				return badInput(err)
			}
			return runTune(cmd.Context(), streams, flags, args)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&flags.detect, "detect", 0, "longest time until liveness has noticed a hang (default: as short as the others allow)")
	f.DurationVar(&flags.survive, "survive", 0, "longest stall that must not lead to a restart (default: twice the longest that was measured)")
	f.DurationVar(&flags.drain, "drain", 0, "longest time until a replica that hangs gets no requests (default: before liveness can act)")
	f.DurationVar(&flags.endpointDelay, "endpoint-delay", time.Second, "how long a change of readiness takes to reach those who send requests")
	f.StringVar(&flags.falseRestarts, "false-restarts", "", "how many restarts that cure nothing one replica may have, as 6/h, 1/day or 1/replica-month")
	f.DurationVar(&flags.length, "for", measure.DefaultFor, "how long answers are measured, after the starts")
	f.StringArrayVar(&flags.requests, "request", nil, `a request of the load, as 'GET /path' or 'POST /compute {"x":[1]}'; may be repeated`)
	f.StringArrayVar(&flags.from, "from", nil, "a series to use instead of measuring, or cluster for what one has counted; may be repeated")
	f.StringArrayVar(&flags.commands, "command", nil, "program that stands for a container's image, as container='./program --flag'; may be repeated")
	flags.env.add(f)
	f.StringVar(&flags.out, "out", "", "file for the series (default: series.json.gz if something is measured)")
	f.StringVar(&flags.verify, "verify", "", "hold this series against what a cluster has counted; needs --from cluster, and no FILE")
	f.StringVarP(&flags.output, "output", "o", "text", "text or json")
	f.BoolVar(&flags.diff, "diff", false, "print what --write would change, and change nothing")
	f.BoolVar(&flags.write, "write", false, "write the recommended numbers to the files")
	f.BoolVar(&flags.model, "model", false, "also print what a tail fitted to the stalls would say, marked as a model")
	f.StringVar(&flags.context, "context", "", "context of the kubeconfig, for --from cluster (default: the current one)")
	f.StringVarP(&flags.namespace, "namespace", "n", "", "namespace of the cluster, for --from cluster (default: that of the context)")
	addKubeconfig(cmd, &flags.kubeconfig)
	return cmd
}

// refuseNothing finds objectives of no time, which would be taken for those that nobody gave.
func refuseNothing(f *pflag.FlagSet, names ...string) error {
	for _, name := range names {
		if value, err := f.GetDuration(name); err != nil {
			return err
		} else if f.Changed(name) && value == 0 {
			return fmt.Errorf("cannot use --%s 0s: it takes a second or more; leave it out for its default", name)
		}
	}
	return nil
}

// fromCluster is what --from takes instead of a file.
const fromCluster = "cluster"

// check finds flags that do not go together.
func (f *tuneFlags) check(args []string) error {
	cluster := slices.Contains(f.from, fromCluster)
	switch {
	case f.output != "text" && f.output != "json":
		return fmt.Errorf("cannot print %s: --output takes text or json", printable.Quote(f.output))
	case cluster && slices.Contains(f.from[slices.Index(f.from, fromCluster)+1:], fromCluster):
		return errors.New("--from cluster is given twice: what it has counted would count twice")
	case f.verify != "" && (!cluster || len(f.from) > 1):
		return errors.New("--verify holds a series against a cluster: write it as --verify series.json.gz --from cluster")
	case f.verify != "" && len(args) > 0:
		return errors.New("--verify needs no FILE: the cluster tells the numbers of its probes")
	case f.verify == "" && len(args) == 0:
		return errors.New("requires at least 1 arg: name a FILE, or a series with --verify")
	case slices.Contains(args, "-"):
		return errors.New("cannot tune standard input: name a file")
	case !cluster && (f.context != "" || f.namespace != "" || f.kubeconfig != ""):
		return errors.New("--context, --namespace and --kubeconfig are about a cluster: they need --from cluster")
	case f.length < minFor || f.length > measure.MaxFor:
		return fmt.Errorf("cannot use --for %v: it must be between %v and %v", f.length, minFor, measure.MaxFor)
	}
	return nil
}

// minFor is the shortest measurement that is taken for one.
const minFor = 4 * time.Second

// tuneRun is one run of probity tune.
type tuneRun struct {
	tuneFlags
	streams    Streams
	paths      []string
	objectives tune.Objectives
	requests   []measure.Request
	values     map[string]string // that documents refer to, by names
	manifests  *advisor.Manifests
	series     *tune.Series
	measured   bool // just now
	advice     []*tune.Advice
}

// runTune is the whole of probity tune.
func runTune(ctx context.Context, streams Streams, flags tuneFlags, args []string) error {
	if err := flags.check(args); err != nil {
		return badInput(err)
	}
	ctx, cancel := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	t := &tuneRun{tuneFlags: flags, streams: streams, paths: args}
	if flags.verify != "" {
		return t.verifySeries(ctx)
	}
	if err := t.prepare(); err != nil {
		return badInput(err)
	}
	if err := t.read(ctx); err != nil {
		if ctx.Err() != nil {
			err = t.stopped()
		}
		return badInput(err)
	}
	t.recommend()
	if err := t.keep(); err != nil {
		return failed(err)
	}
	if err := t.act(); err != nil {
		return failed(err)
	}
	for _, a := range t.advice {
		if a.Refused != "" || a.Infeasible != "" {
			return failed(nil)
		}
	}
	return nil
}

// stopped keeps what was measured until somebody stopped it, and says so.
func (t *tuneRun) stopped() error {
	if t.series == nil || len(t.series.Containers) == 0 {
		return errors.New("stopped: nothing was measured that could be kept")
	}
	if err := t.keep(); err != nil {
		return err
	}
	return fmt.Errorf("stopped: what was measured until then is in %s, for --from", printable.File(t.out))
}

// prepare reads what was asked for and the manifests.
func (t *tuneRun) prepare() (err error) {
	o := &t.objectives
	for _, d := range []struct {
		flag string
		from time.Duration
		to   *int
	}{{"detect", t.detect, &o.Detect}, {"survive", t.survive, &o.Survive}, {"drain", t.drain, &o.Drain}, {"endpoint-delay", t.tuneFlags.endpointDelay, &o.EndpointDelay}} {
		if d.from < 0 || d.from > time.Hour || d.from%time.Second != 0 {
			return fmt.Errorf("cannot use --%s %v: it takes whole seconds, an hour at most", d.flag, d.from)
		}
		*d.to = int(d.from / time.Second)
	}
	if t.falseRestarts != "" {
		if o.FalseRestarts, err = tune.ParseRate(t.falseRestarts); err != nil {
			return fmt.Errorf("cannot use --false-restarts: %w", err)
		}
	}
	for _, text := range t.tuneFlags.requests {
		r, err := measure.ParseRequest(text)
		if err != nil {
			return err
		}
		t.requests = append(t.requests, r)
	}
	if t.values, err = t.env.read(); err != nil {
		return err
	}
	t.manifests, err = advisor.ReadFormats(formats.All(formats.Options{Env: t.values, Named: t.paths}), nil, nil, t.paths...)
	return err
}

// recommend chooses the numbers of every container that has probes.
func (t *tuneRun) recommend() {
	for _, w := range t.manifests.Workloads {
		for _, c := range w.Containers {
			if c.Startup == nil && c.Readiness == nil && c.Liveness == nil {
				continue
			}
			name := tuneName(w)
			measured, notes := t.series.Find(name, c.Name).Asked(requestsOf(c))
			a := tune.Recommend(measured, todayOf(name, c), t.objectives)
			a.Notes = append(a.Notes, notes...)
			if t.model {
				a.AddModel(measured)
			}
			t.advice = append(t.advice, a)
		}
	}
}
