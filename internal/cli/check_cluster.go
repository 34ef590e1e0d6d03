package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/cluster"
	"github.com/probity-run/probity/internal/advisor/render"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/survey"
	"github.com/probity-run/probity/internal/printable"
)

// clusterFlags are the flags of check that name a cluster instead of files.
type clusterFlags struct {
	context    string
	kubeconfig string
	namespace  string
	all        bool
}

func (f *clusterFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.context, "context", "", `judge what runs in the cluster of this context of the kubeconfig; "" is the current one`)
	cmd.Flags().StringVarP(&f.namespace, "namespace", "n", "", "namespace of the cluster (default: that of the context)")
	cmd.Flags().BoolVarP(&f.all, "all-namespaces", "A", false, "all namespaces of the cluster")
	addKubeconfig(cmd, &f.kubeconfig)
	complete(cmd, "context", func(context.Context) []string { return kube.Contexts(f.kubeconfig) })
}

// check reports whether a cluster is meant, and refuses flags and arguments that do not go
// together.
func (f *clusterFlags) check(cmd *cobra.Command, flags *checkFlags, args []string) (isCluster bool, err error) {
	set := cmd.Flags().Changed
	isCluster = set("context") || set("kubeconfig") || isPlugin(cmd) && len(args) == 0
	switch {
	case !isCluster && (set("namespace") || f.all):
		return false, errors.New("--namespace and --all-namespaces are about a cluster: name one with --context")
	case !isCluster && len(args) == 0:
		return false, errors.New("requires at least 1 arg: name a FILE, a folder, - for standard input, or a cluster with --context")
	case !isCluster:
		return false, nil
	case len(args) > 0:
		return true, errors.New("cannot check files and a cluster together: leave out --context, or the files")
	case f.all && set("namespace"):
		return true, errors.New("--namespace and --all-namespaces contradict each other: leave one out")
	case flags.diff || len(flags.excludes) > 0 || flags.verbose:
		return true, errors.New("--diff, --exclude and --verbose are about files: leave them out with --context")
	case flags.output != "text" && flags.output != "json":
		return true, fmt.Errorf("cannot print %s of a cluster, which points into files: use text or json", flags.output)
	}
	return true, nil
}

// clusterCheck is one run of probity check on a cluster.
type clusterCheck struct {
	*checkRun
	cluster *kube.Cluster
	rules   []advisor.Rule
	survey  *survey.Survey
}

// runClusterCheck is the whole of probity check --context.
func runClusterCheck(ctx context.Context, streams Streams, flags checkFlags, f clusterFlags) error {
	run, err := newCheckRun(streams, flags, nil)
	if err != nil {
		return badInput(err)
	}
	target, err := kube.Connect(kube.Config{Kubeconfig: f.kubeconfig, Context: f.context, Namespace: f.namespace})
	if err != nil {
		return badInput(err)
	}
	defer target.Close()
	namespace := target.Namespace
	if f.all {
		namespace = ""
	}
	c := &clusterCheck{checkRun: run, cluster: target, rules: cluster.Rules(rules.All())}
	if c.survey, err = survey.Read(ctx, target.Client, namespace); err != nil {
		return badInput(fmt.Errorf("cannot check the cluster of context %s (%s): %w", printable.Quote(target.Context), printable.Line(target.Server), err))
	}
	if err := c.act(); err != nil {
		return failed(err)
	}
	if _, err := fmt.Fprintln(streams.Err, render.Summary(c.report)); err != nil {
		return failed(err)
	}
	if c.report.Worst() >= c.least && c.writeBaseline == "" {
		return failed(nil)
	}
	return nil
}

// act prints the findings, or the patches and what they leave.
func (c *clusterCheck) act() error {
	report, err := c.survey.Objects.Judge(c.rules, c.survey.Seen, c.baseline)
	if err != nil {
		return err
	}
	report.NotSeen = c.survey.NotSeen
	c.report = report
	out := c.streams.Out
	if c.fix {
		if err := c.printPatches(); err != nil {
			return err
		}
		out = c.streams.Err // the patches are for kubectl alone
	}
	if err := c.print(out); err != nil {
		return err
	}
	if c.writeBaseline != "" {
		return writeBaseline(c.writeBaseline, c.report)
	}
	return nil
}

// printPatches prints what would put the objects right, and has the report tell what that leaves.
func (c *clusterCheck) printPatches() error {
	patches, skipped := c.survey.Objects.Patches(c.rules, c.survey.Seen)
	var fit []cluster.Patch
	var text strings.Builder
	for _, p := range patches {
		d, err := survey.DocumentOf(p)
		if err != nil {
			return fmt.Errorf("cannot write the patch of %s %s: %w", p.Object.Kind, p.Object.Name, err)
		}
		if d.Unfit == "" {
			fit = append(fit, p)
		}
		text.WriteString(patchText(p, d))
	}
	head := ""
	if len(fit) > 0 {
		head = "# for " + c.applyCommand() + "\n"
	}
	_, err := io.WriteString(c.streams.Out, head+text.String())
	if skipped != nil && err == nil {
		_, err = fmt.Fprintln(c.streams.Err, printable.Text(skipped.Error()))
	}
	if err != nil {
		return err
	}
	c.report, err = c.survey.Objects.Left(c.report, c.rules, fit)
	return err
}

// applyCommand is how kubectl takes the patches.
func (c *clusterCheck) applyCommand() string {
	return c.cluster.Kubectl() + " apply --server-side --field-manager=" + survey.Manager + " -f -"
}

// patchText is a document for a server-side apply, with who keeps what it sets. What cannot be
// applied, or would not last, is a comment.
func patchText(p cluster.Patch, d survey.Document) string {
	var b strings.Builder
	about := fmt.Sprintf("%s/%s in namespace %s", strings.ToLower(p.Object.Kind), p.Object.Name, p.Object.Namespace)
	fmt.Fprintf(&b, "---\n# %s: %s\n", printable.Line(about), strings.Join(p.Rules, ", "))
	if d.Unfit != "" {
		fmt.Fprintf(&b, "# %s\n", printable.Line(d.Unfit))
		for line := range strings.Lines(d.Text) {
			fmt.Fprintf(&b, "#   %s\n", printable.Line(strings.TrimSuffix(line, "\n")))
		}
		return b.String()
	}
	for _, kept := range d.Kept {
		fmt.Fprintf(&b, "# %s is kept by %s: take it with --force-conflicts\n", printable.Line(kept.Field), printable.Line(kept.Manager))
	}
	return b.String() + printable.Text(d.Text)
}
