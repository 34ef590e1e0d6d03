package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/printable"
)

const checkHelp = `Find the pitfalls of the probes in manifests before anything runs, without a cluster and without a network; or, with --context, of what runs in a cluster.

FILE is a manifest, a folder, or - for standard input; what helm template and kustomize build print will do. Deployments, StatefulSets,
DaemonSets, ReplicaSets, Jobs, CronJobs and Pods are judged, together with the Services, HorizontalPodAutoscalers, PodDisruptionBudgets and
Istio's PeerAuthentications that belong to them; what probity run refuses is a finding too, manifest-invalid. All judgements are made on effective values, with the defaults
filled in. probity explain RULE tells more about a finding.

A folder is read with everything below it, except for what is hidden, vendored (node_modules, vendor, third_party), templates of a Helm chart,
or matches --exclude: a name or a path with * and ?, ** for any number of folders. In a folder only what looks like a Kubernetes object must be
one; to check a vendored folder, name it. What is passed over, other kinds of objects too, is counted, and listed with --verbose.

The severities, by consequence:

  outage  certain: refused by the API server, never ready, killed for ever
  risk    an outage under a plausible fault
  waste   time, resources or precision are lost
  style   nothing breaks, a reader is misled

To accept a finding, annotate the object or its pod template with probity.run/ignore.RULE; the value is the reason. An annotation without a
reason has no effect, and one that is not needed any more is itself reported. To begin with an old stock of manifests, write what is there to a
baseline, and only new findings count. The outputs for programs have both, marked as such; --hide-accepted leaves them out, for those that do not
know the marks, such as GitHub's code scanning.

With --fix, patches that follow from declared values are written to the files, and what is left is reported; comments and layout stay, and
JSON stays JSON. The result is judged before it is written: a patch that would leave something worse is not made.

With --context it is what runs in a cluster that is judged: the objects of a namespace, or with -A of all, and what has happened to their Pods
by status, Events of the last hour, and the kubelets' counters of probes where they may be read. Each finding then says whether it was predicted,
seen, both, or contradicted, and over what; what was seen makes waste a risk, and a risk an outage if Pods were killed for it. What was seen and
no rule has predicted is restarts-seen, flaps-seen or slow-start-seen. Nothing is changed: with --fix the patches are printed, as documents for
kubectl apply --server-side --field-manager=probity -f -, each with who keeps what it sets; what cannot be applied, or would not last because Helm,
Argo CD, Flux, an operator or probity deploy would change it back, is a comment. What the patches leave goes to standard error and makes the exit
code. The first line names what may not be read: findings that need it are not judged by what happened.

Exit codes: 0 no finding of the severity of --fail-on or worse; 1 there are some; 2 bad input, a file that cannot be read (the others are
reported all the same), or a cluster that does not answer or lets nothing be read.`

// checkFlags are the flags of check.
type checkFlags struct {
	output, failOn          string
	baseline, writeBaseline string
	excludes                []string
	fix, diff, verbose      bool
	hideAccepted            bool
}

// print prints the report in the form that was asked for.
func (c *checkRun) print(w io.Writer) error {
	report := c.report
	if c.hideAccepted {
		report = report.Counted()
	}
	return c.write(w, report, render.Options{FailOn: c.least, Version: version()})
}

func newCheck(streams Streams) *cobra.Command {
	var flags checkFlags
	var onCluster clusterFlags
	cmd := &cobra.Command{
		Use:     "check FILE... | --context CONTEXT",
		Short:   "Find the pitfalls of probes, before anything runs",
		Long:    checkHelp,
		Example: "  probity check app.yaml\n  helm template ./chart | probity check -\n  probity check -o sarif --fail-on outage deploy/ > probity.sarif\n  probity check --context prod -n shop",
		RunE: func(cmd *cobra.Command, args []string) error {
			isCluster, err := onCluster.check(cmd, &flags, args)
			switch {
			case err != nil:
				return badInput(err)
			case isCluster:
				return runClusterCheck(cmd.Context(), streams, flags, onCluster)
			}
			return runCheck(streams, flags, args)
		},
	}
	onCluster.add(cmd)
	f := cmd.Flags()
	f.StringVarP(&flags.output, "output", "o", "text", strings.Join(render.Formats(), ", "))
	f.StringVar(&flags.failOn, "fail-on", advisor.Risk.String(), "least severity that makes the exit code 1: outage, risk, waste, style")
	f.StringVar(&flags.baseline, "baseline", "", "file of known findings, which do not count")
	f.StringVar(&flags.writeBaseline, "write-baseline", "", "write what is found to this file, as a baseline")
	f.StringArrayVar(&flags.excludes, "exclude", nil, "leave this out of folders: a name or a path with *, ? and **; may be repeated")
	f.BoolVar(&flags.hideAccepted, "hide-accepted", false, "leave out of what is printed what annotations accept and the baseline knows")
	f.BoolVarP(&flags.verbose, "verbose", "v", false, "list what is passed over")
	f.BoolVar(&flags.fix, "fix", false, "write the patches to the files; with --context, print them")
	f.BoolVar(&flags.diff, "diff", false, "print what --fix would change, and change nothing")
	return cmd
}

// checkRun is one run of probity check.
type checkRun struct {
	checkFlags
	streams  Streams
	paths    []string
	write    render.Writer
	least    advisor.Severity // that fails
	baseline *advisor.Baseline

	manifests  *advisor.Manifests
	report     *advisor.Report
	unreadable error
}

func newCheckRun(streams Streams, flags checkFlags, paths []string) (*checkRun, error) {
	c := &checkRun{checkFlags: flags, streams: streams, paths: paths}
	var errs [4]error
	c.write, errs[0] = render.For(flags.output)
	c.least, errs[1] = advisor.ParseSeverity(flags.failOn)
	c.baseline, errs[2] = readBaseline(flags.baseline)
	for _, pattern := range flags.excludes {
		errs[3] = errors.Join(errs[3], advisor.ValidPattern(pattern))
	}
	if flags.fix && !flags.diff && slices.Contains(paths, "-") {
		return nil, errors.New("cannot fix standard input: name a file, or use --diff")
	}
	return c, errors.Join(errs[:]...)
}

func (c *checkRun) read() {
	c.manifests, c.unreadable = advisor.Read(c.streams.In, c.excludes, c.paths...)
	c.report = c.judge(c.manifests)
}

func (c *checkRun) judge(m *advisor.Manifests) *advisor.Report {
	return advisor.NewReport(m, rules.All(), c.baseline)
}

// runCheck is the whole of probity check.
func runCheck(streams Streams, flags checkFlags, paths []string) error {
	c, err := newCheckRun(streams, flags, paths)
	if err != nil {
		return badInput(err)
	}
	c.read()
	if err := c.act(); err != nil {
		return failed(err)
	}
	if c.verbose {
		if _, err := io.WriteString(streams.Err, render.PassedOverLines(c.report)); err != nil {
			return failed(err)
		}
	}
	if c.unreadable != nil {
		return badInput(c.unreadable)
	}
	if _, err := fmt.Fprintln(streams.Err, render.Summary(c.report)); err != nil {
		return failed(err)
	}
	if c.report.Worst() >= c.least && c.writeBaseline == "" {
		return failed(nil)
	}
	return nil
}

// act prints the findings, or the patches, or writes them and prints what is left.
func (c *checkRun) act() error {
	if c.diff {
		return c.eachFix(func(file string, before, after []byte) error {
			_, err := c.streams.Out.Write(diff.Diff(file, before, file, after))
			return err
		})
	}
	if c.fix {
		if err := c.eachFix(overwrite); err != nil {
			return err
		}
		c.read()
	}
	if err := c.print(c.streams.Out); err != nil {
		return err
	}
	if c.writeBaseline != "" && c.unreadable == nil {
		return writeBaseline(c.writeBaseline, c.report)
	}
	return nil
}

func readBaseline(path string) (*advisor.Baseline, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the baseline: %w", err)
	}
	defer f.Close() // only read from: nothing to lose
	b, err := advisor.ReadBaseline(f)
	if err != nil {
		return nil, fmt.Errorf("cannot read the baseline %s: %w", path, err)
	}
	return b, nil
}

func writeBaseline(path string, report *advisor.Report) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write the baseline: %w", err)
	}
	err = errors.Join(advisor.NewBaseline(report.Findings, report.Known).Write(f), f.Close())
	if err != nil {
		return fmt.Errorf("cannot write the baseline %s: %w", path, err)
	}
	return nil
}

// eachFix calls do with the old and the new text of every file that patches change, and says what
// could not be patched.
func (c *checkRun) eachFix(do func(file string, before, after []byte) error) error {
	result := fix.All(c.manifests, func(m *advisor.Manifests) []advisor.Finding { return c.judge(m).Findings })
	for _, s := range result.Skipped {
		line := fmt.Sprintf("%s:%d: %s: %v", printable.File(s.Finding.Region.File), s.Finding.Region.Line, s.Finding.Rule, s.Err)
		if _, err := fmt.Fprintf(c.streams.Err, "not fixed: %s\n", printable.Line(line)); err != nil {
			return err
		}
	}
	for _, file := range result.Changed {
		if err := do(file, c.manifests.Text(file), result.Manifests.Text(file)); err != nil {
			return err
		}
	}
	return nil
}

// version is that of the program, as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Version
}

// overwrite gives a file another text.
func overwrite(path string, before, after []byte) error {
	if err := fix.Overwrite(path, before, after); err != nil {
		return fmt.Errorf("cannot fix %s: %w", printable.File(path), err)
	}
	return nil
}
