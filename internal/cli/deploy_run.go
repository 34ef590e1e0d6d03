package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/term"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/terminal"
)

// ExitUnknown is the exit code of a deployment whose end nobody knows.
const ExitUnknown = 3

// unknown is an error of which nobody knows what it left.
func unknown(err error) error { return &exitError{ExitUnknown, err} }

// deployRun is one run of probity deploy.
type deployRun struct {
	deployFlags
	streams Streams
	name    string // of the set that the files make, also if it is not noted
	out     *deployOutput
	cluster *kube.Cluster
	plan    *deploy.Deployment
	report  *advisor.Report
	memory  []byte // of an earlier deployment, too; nil if none is kept
	isKept  bool   // what was before, so that --undo brings it back
}

// runDeploy is the whole of probity deploy.
func runDeploy(ctx context.Context, streams Streams, flags deployFlags, args []string) error {
	if err := flags.check(); err != nil {
		return badInput(err)
	}
	r := &deployRun{deployFlags: flags, streams: streams, report: &advisor.Report{}}
	if flags.undo {
		return r.end(r.undoLast(ctx, args))
	}
	if err := r.prepare(ctx, args); err != nil {
		return r.end(badInput(err))
	}
	defer r.cluster.Close()
	if flags.diff {
		return r.printDiff()
	}
	r.out.plan(r.plan)
	if flags.dryRun == "server" {
		r.listLeftovers()
		return r.end(nil)
	}
	if err := r.askPrune(ctx); err != nil {
		return r.end(badInput(err))
	}
	return r.end(r.carryOut(ctx))
}

// prepare does all that sends nothing: reads and judges the files, and plans with the server.
func (r *deployRun) prepare(ctx context.Context, args []string) error {
	var err error
	if r.name, err = r.setName(args); err != nil {
		return err
	}
	set := r.name
	if r.noSet {
		set = ""
	}
	least, err := advisor.ParseSeverity(r.failOn)
	if err != nil {
		return err
	}
	cluster, err := kube.Connect(r.config)
	if err != nil {
		return err
	}
	r.cluster = cluster
	r.out = newDeployOutput(r.streams, r.output, r.diff)
	r.out.begin(cluster, set)
	objects, manifests, err := readSet(r.streams, r.strip, args)
	if manifests != nil && r.judge {
		report, found := deploy.Judge(manifests, least)
		r.report = report
		deploy.Place(report.Findings, objects, cluster.Namespace)
		r.out.findings(report)
		if found != nil {
			cluster.Close()
			return fmt.Errorf("nothing was sent: %w; accept one by the annotation probity.run/ignore.RULE, or raise --fail-on", found)
		}
	}
	if err == nil {
		r.plan, err = deploy.Plan(ctx, deploy.Options{
			Cluster: cluster, Objects: objects, Set: deploy.Set{Name: set, Namespace: cluster.Namespace}, Insist: r.config.Namespace != "",
			Force: r.force, Adopt: r.adopt, Prune: r.prune, RestartOnConfig: r.restartOnConfig, Before: r.followOptions(), Report: r.out.event,
		})
		if conflicts, ok := errors.AsType[*deploy.ConflictError](err); ok {
			r.out.conflicts(conflicts)
		}
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w\nnothing was sent", err)
		}
	}
	if err != nil {
		cluster.Close()
	}
	return err
}

// printDiff prints what would change; that is the exit code, too.
func (r *deployRun) printDiff() error {
	changes := false
	for _, e := range r.plan.Entries {
		text, err := e.Difference()
		if err != nil {
			return failed(err)
		}
		changes = changes || len(text) > 0
		if _, err := r.streams.Out.Write(text); err != nil {
			return failed(err)
		}
	}
	for _, l := range r.plan.Leftovers {
		if l.Kept != "" {
			continue
		}
		text, err := l.Difference()
		if err != nil {
			return failed(err)
		}
		changes = true
		if _, err := r.streams.Out.Write(text); err != nil {
			return failed(err)
		}
	}
	if changes {
		return failed(nil)
	}
	return nil
}

// listLeftovers tells what would be pruned, and what not, and returns how many would.
func (r *deployRun) listLeftovers() (gone int) {
	for _, l := range r.plan.Leftovers {
		if l.Kept == "" {
			gone++
			r.out.note(fmt.Sprintf("%s is not in the files any more: it will be deleted once the rollout is up", l))
		} else {
			r.out.note(fmt.Sprintf("%s is not in the files any more, and stays: %s", l, l.Kept))
		}
	}
	return gone
}

// askPrune lists what would be pruned, and asks.
func (r *deployRun) askPrune(ctx context.Context) error {
	gone := r.listLeftovers()
	if gone == 0 || r.yes {
		return nil
	}
	yes, err := ask(ctx, r.streams, fmt.Sprintf("Delete %d objects once the rollout is up?", gone))
	switch {
	case errors.Is(err, errNobodyToAsk):
		return errors.New("nothing was sent: to delete what is listed, say --yes")
	case err != nil:
		return err
	case !yes:
		return errors.New("nothing was sent")
	}
	return nil
}

// carryOut applies the plan and follows it.
func (r *deployRun) carryOut(ctx context.Context) error {
	if r.undoOnFailure {
		r.remember()
	}
	if err := r.plan.Apply(ctx); err != nil {
		r.out.followed()
		before, isBefore := errors.AsType[*deploy.BeforeError](err)
		code := ExitFailed
		if isBefore {
			code = r.out.verdicts(before.Results)
		}
		r.out.notApplied(r.plan)
		if errors.Is(err, deploy.ErrInterrupted) || errors.Is(err, deploy.ErrNotKnown) {
			r.tellUndo()
			return unknown(err)
		}
		if r.undoOnFailure && ctx.Err() == nil {
			_, undone := r.undoAll(ctx) // of the deployment it is known how it ended
			err = errors.Join(err, undone)
		}
		return &exitError{code, err}
	}
	r.out.followed()
	if !r.wait {
		return nil
	}
	results, err := r.plan.Follow(ctx, r.followOptions())
	r.out.followed()
	if err != nil {
		r.tellUndo()
		return unknown(fmt.Errorf("the rollout goes on, and is not watched any longer: %w", err))
	}
	code := r.out.verdicts(results)
	switch {
	case code == ExitFailed && r.undoOnFailure:
		_, err := r.undoAll(ctx)
		return failed(err)
	case code != ExitOK:
		return &exitError{code, nil}
	}
	r.forget()
	if r.prune {
		return r.pruneNow(ctx)
	}
	return nil
}

func (r *deployRun) followOptions() deploy.FollowOptions {
	o := deploy.FollowOptions{
		Times: rollout.Options{Timeout: r.timeout}, Findings: r.report.Findings, Lost: r.out.lost,
		Show: func(results []rollout.Result) { r.out.show(results, r.cluster.Now()) },
	}
	if r.out.live() {
		o.Redraw = time.Second
	}
	return o
}

// pruneNow deletes what was listed before.
func (r *deployRun) pruneNow(ctx context.Context) error {
	err := r.plan.Prune(ctx)
	if errors.Is(err, deploy.ErrInterrupted) || errors.Is(err, deploy.ErrNotKnown) {
		return unknown(err)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

// end tells programs how it ended.
func (r *deployRun) end(err error) error {
	code := ExitOK
	if err != nil {
		code = codeOf(err)
	}
	if r.out != nil && !r.diff {
		r.out.end(code, r.plan, err)
	}
	return err
}

// terminalWidth is how many columns a stream has, 0 if it is no terminal.
func terminalWidth(streams Streams) int {
	file := terminal.File(streams.Out)
	if file == nil {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
