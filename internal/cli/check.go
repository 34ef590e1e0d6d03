package cli

import (
	"errors"
	"fmt"
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

const checkHelp = `Find the pitfalls of the probes in manifests before anything runs, without a cluster and without a network.

FILE is a manifest, a folder (with everything below it, but nothing hidden), or - for standard input; what helm template and kustomize build
print will do. Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and Pods are judged, together with the Services,
HorizontalPodAutoscalers and PodDisruptionBudgets that belong to them; all other kinds are passed over. All judgements are made on effective
values, with the defaults filled in. probity explain RULE tells more about a finding.

The severities, by consequence:

  outage  certain: refused by the API server, never ready, killed for ever
  risk    an outage under a plausible fault
  waste   time, resources or precision are lost
  style   nothing breaks, a reader is misled

To accept a finding, annotate the object or its pod template with probity.run/ignore.RULE; the value is the reason. An annotation without a
reason has no effect, and one that is not needed any more is itself reported. To begin with an old stock of manifests, write what is there to a
baseline, and only new findings count.

With --fix, patches that follow from declared values are written to the files, and what is left is reported; comments and layout stay.

Exit codes: 0 no finding of the severity of --fail-on or worse; 1 there are some; 2 bad input, or a file that cannot be read (the
others are reported all the same).`

// checkFlags are the flags of check.
type checkFlags struct {
	output, failOn          string
	baseline, writeBaseline string
	fix, diff               bool
}

func newCheck(streams Streams) *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:     "check FILE...",
		Short:   "Find the pitfalls of probes, before anything runs",
		Long:    checkHelp,
		Example: "  probity check app.yaml\n  helm template ./chart | probity check -\n  probity check -o sarif --fail-on outage deploy/ > probity.sarif",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return runCheck(streams, flags, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.output, "output", "o", "text", strings.Join(render.Formats(), ", "))
	f.StringVar(&flags.failOn, "fail-on", advisor.Risk.String(), "least severity that makes the exit code 1: outage, risk, waste, style")
	f.StringVar(&flags.baseline, "baseline", "", "file of known findings, which do not count")
	f.StringVar(&flags.writeBaseline, "write-baseline", "", "write what is found to this file, as a baseline")
	f.BoolVar(&flags.fix, "fix", false, "write the patches to the files")
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
	var errs [3]error
	c.write, errs[0] = render.For(flags.output)
	c.least, errs[1] = advisor.ParseSeverity(flags.failOn)
	c.baseline, errs[2] = readBaseline(flags.baseline)
	if flags.fix && !flags.diff && slices.Contains(paths, "-") {
		return nil, errors.New("cannot fix standard input: name a file, or use --diff")
	}
	return c, errors.Join(errs[:]...)
}

func (c *checkRun) read() {
	c.manifests, c.unreadable = advisor.Read(c.streams.In, c.paths...)
	c.report = advisor.NewReport(c.manifests, rules.All(), c.baseline)
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
		if err := c.eachFix(func(file string, _, after []byte) error { return overwrite(file, after) }); err != nil {
			return err
		}
		c.read()
	}
	if err := c.write(c.streams.Out, c.report, render.Options{FailOn: c.least, Version: version()}); err != nil {
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
	byFile := map[string][]advisor.Finding{}
	var files []string
	for _, f := range c.report.Findings {
		if byFile[f.Region.File] == nil {
			files = append(files, f.Region.File)
		}
		byFile[f.Region.File] = append(byFile[f.Region.File], f)
	}
	for _, file := range files {
		before := c.manifests.Text(file)
		after, applied, skipped, err := fix.Text(before, byFile[file])
		if err != nil {
			return fmt.Errorf("cannot fix %s: %w", printable.File(file), err)
		}
		for _, s := range skipped {
			if _, err := fmt.Fprintf(c.streams.Err, "not fixed: %s:%d: %s: %v\n", printable.File(file), s.Finding.Region.Line, s.Finding.Rule, s.Err); err != nil {
				return err
			}
		}
		if applied > 0 {
			if err := do(file, before, after); err != nil {
				return err
			}
		}
	}
	return nil
}

// overwrite keeps the file's mode, and its identity: it may be a link.
func overwrite(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("cannot fix: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = f.Write(data)
	return err
}

// version is that of the program, as the build knows it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	return info.Main.Version
}
