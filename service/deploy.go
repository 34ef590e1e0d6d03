package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/deploy"
	"github.com/probity-run/probity/internal/formats"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
	"github.com/probity-run/probity/internal/rollout/render"
)

// A Target is where a service goes. The zero value is the current context of the kubeconfig that
// kubectl would take.
type Target struct {
	// Writer takes the manifests, as plain YAML, instead of a server. Default: none.
	Writer io.Writer
	// Run is the state folder of a probity run, which takes the service through its API. Default: a
	// cluster.
	Run string
	// Env are the values of references to secrets, by the names of the variables, for a Run, which
	// has no other way to know them. A reference without one is an error. Default: none.
	Env map[string]string
	// Kubeconfig is a file, and Context the name of a context in it. Default: those of kubectl.
	Kubeconfig, Context string
	// Namespace is that of a service without WorkspaceFQN. Default: that of the context.
	Namespace string
	// Force takes fields that other clients keep. Default: such a field is an error.
	Force bool
	// SkipCheck brings the service there whatever probity check would find. Default: an outage is
	// an error. A Writer takes the manifests in any case.
	SkipCheck bool
	// Progress is told, line by line, the notes, what probity check has found, what the target
	// warns of, and what was done, by one goroutine at a time until Deploy returns. Default:
	// nobody.
	Progress func(line string)
}

// tell is for people who look on.
func (t Target) tell(line string) {
	if t.Progress != nil {
		t.Progress(line)
	}
}

// report is for what happens to objects.
func (t Target) report(e deploy.Event) {
	text := e.Text
	if e.Result != "" {
		text = string(e.Result)
	}
	if e.Object != nil {
		text = e.Object.String() + " " + text
	}
	if e.Kind == "warning" {
		text = "warning: " + text
	}
	t.tell(text)
}

// A Deployment is a service that was sent to a target. It is not safe for concurrent use, and it is
// to be closed.
type Deployment struct {
	// Notes are what has no meaning outside of TrueFoundry, and what is hardly meant.
	Notes []Note
	// Findings are what probity check has found that is no outage, or, for a Writer, all of it.
	// Empty with SkipCheck.
	Findings []Finding
	// Applied are the objects, each with what was done: "deployment/web created". Empty for a
	// Writer.
	Applied []string

	cluster *kube.Cluster
	sent    *deploy.Deployment
	found   []advisor.Finding
}

// An UnreachableError is a target that cannot be asked: nothing says where it is, or nobody
// answers.
type UnreachableError struct{ Err error }

// Error tells who could not be asked, and why.
func (e *UnreachableError) Error() string { return e.Err.Error() }

// Unwrap is why.
func (e *UnreachableError) Unwrap() error { return e.Err }

// A RefusedError is a service that is valid, and that probity check, which is a [*FindingsError] in
// it, or the target would not take as it is: nothing was sent.
type RefusedError struct{ Err error }

// Error gives all that stands against it, a line each.
func (e *RefusedError) Error() string { return e.Err.Error() + "\nnothing was sent" }

// Unwrap is what stands against it.
func (e *RefusedError) Unwrap() error { return e.Err }

// Deploy does what probity deploy does: it checks the service and brings it to a target. Nothing is
// sent if it is not valid, which is an [*InvalidError], if probity check foresees an outage, or if
// the target would refuse one of its objects, which both are a [*RefusedError]. A target that does
// not answer is an [*UnreachableError]. When it returns, the target has the objects; whether they
// come up, [Deployment.Wait] tells.
func (s Service) Deploy(ctx context.Context, t Target) (*Deployment, error) {
	if t.Writer != nil && t.Run != "" {
		return nil, errors.New("cannot deploy to both a Writer and a Run: leave one out")
	}
	opts := formats.Options{Run: t.Run != "", Env: t.Env}
	objects, notes, err := s.objects(opts)
	if err != nil {
		return nil, err
	}
	d := &Deployment{Notes: notes}
	for _, n := range notes {
		t.tell(n.String())
	}
	if !t.SkipCheck {
		if err := d.judge(s, opts, t); err != nil {
			return nil, fmt.Errorf("cannot deploy %s: %w", s.Name, err)
		}
	}
	if t.Writer != nil {
		deploy.Sort(objects)
		if err := deploy.Render(t.Writer, objects); err != nil {
			return nil, fmt.Errorf("cannot write the manifests of %s: %w", s.Name, err)
		}
		return d, nil
	}
	if err := d.send(ctx, t, objects); err != nil {
		d.Close()
		return nil, fmt.Errorf("cannot deploy %s: %w", s.Name, err)
	}
	return d, nil
}

// judge looks at a service as probity check does.
func (d *Deployment) judge(s Service, opts formats.Options, t Target) error {
	report, err := s.judge(opts)
	if report == nil {
		return err
	}
	d.found, d.Findings = report.Findings, findingsOf(report.Findings)
	for _, f := range d.Findings {
		t.tell(f.String())
	}
	if err != nil && t.Writer == nil {
		return &RefusedError{err}
	}
	return nil
}

// send plans with a server and applies.
func (d *Deployment) send(ctx context.Context, t Target, objects []*deploy.Object) error {
	config := kube.Config{Kubeconfig: t.Kubeconfig, Context: t.Context, Namespace: t.Namespace}
	if t.Run != "" {
		config.Kubeconfig = filepath.Join(t.Run, "kubeconfig")
	}
	var err error
	if d.cluster, err = kube.Connect(config); err != nil {
		return &UnreachableError{err}
	}
	deploy.Place(d.found, objects, d.cluster.Namespace)
	d.sent, err = deploy.Plan(ctx, deploy.Options{Cluster: d.cluster, Objects: objects, Force: t.Force, Report: t.report})
	switch {
	case err != nil && (ctx.Err() != nil || isUnheard(err)):
		return unreachable(err)
	case err != nil:
		return &RefusedError{err}
	}
	if err := d.sent.Apply(ctx); err != nil {
		return unreachable(err)
	}
	for _, e := range d.sent.Entries {
		d.Applied = append(d.Applied, e.String()+" "+string(e.Result))
	}
	return nil
}

// unreachable is an error as it is, unless it is about a server that did not answer.
func unreachable(err error) error {
	if isUnheard(err) {
		return &UnreachableError{err}
	}
	return err
}

func isUnheard(err error) bool {
	_, unheard := errors.AsType[*kube.UnheardError](err)
	return unheard
}

// Close frees the connections to the target. What was deployed stays.
func (d *Deployment) Close() {
	if d.cluster != nil {
		d.cluster.Close()
	}
}

// A NotUpError is a service that did not come up, and why.
type NotUpError struct {
	// Reasons are lines for people: what is wrong, how certain that is, and what to do.
	Reasons []string
}

// Error gives the reasons, a line each.
func (e *NotUpError) Error() string {
	var text strings.Builder
	text.WriteString("the service did not come up")
	for _, line := range e.Reasons {
		text.WriteString("\n" + line)
	}
	return text.String()
}

// WaitOptions say how to wait. The zero value is good.
type WaitOptions struct {
	// Timeout is how long it may take while nothing is known to be wrong. Default 15 minutes.
	Timeout time.Duration
	// Progress is told, line by line, what has changed: Pods that start, probes that fail. It is
	// called from the goroutine of Wait. Default: nobody.
	Progress func(line string)
}

// Wait follows the rollout until every replica is up, or until it is clear that it will not be,
// which is a [*NotUpError]. Any other error means that it is not known: it is [ErrNotKnown] if the
// time was over, else the context was done, or the server lost. A Writer has nothing to wait for.
func (d *Deployment) Wait(ctx context.Context, o WaitOptions) error {
	if d.sent == nil {
		return nil
	}
	var before []rollout.Result
	show := func(results []rollout.Result) {
		if before == nil {
			before = make([]rollout.Result, len(results))
		}
		for i := range results {
			for _, line := range render.Changes(&before[i], &results[i]) {
				if o.Progress != nil {
					o.Progress(line)
				}
			}
		}
		before = results
	}
	results, err := d.sent.Follow(ctx, deploy.FollowOptions{Times: rollout.Options{Timeout: o.Timeout}, Findings: d.found, Show: show})
	if err != nil {
		return fmt.Errorf("the rollout goes on, and is not watched any longer: %w", err)
	}
	return judge(results)
}

// ErrNotKnown says that the time was over while nothing was known to be wrong.
var ErrNotKnown = errors.New("whether the service comes up is not known yet")

// judge is how a rollout ended.
func judge(results []rollout.Result) error {
	failed, unknown := &NotUpError{}, error(nil)
	for _, r := range results {
		if r.Verdict == nil {
			continue
		}
		switch lines := render.Verdict(&r); r.Verdict.Outcome {
		case rollout.Failed:
			failed.Reasons = append(failed.Reasons, lines...)
		case rollout.NotKnown:
			unknown = fmt.Errorf("%w: %s", ErrNotKnown, strings.Join(lines, "; "))
		}
	}
	if len(failed.Reasons) > 0 {
		return failed
	}
	return unknown
}
