package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/rollout"
)

// gatherTime is how long changes are gathered before all is explained anew: they come in bursts.
const gatherTime = 100 * time.Millisecond

// FollowOptions say what a rollout is followed for, and who sees it. The zero value is good.
type FollowOptions struct {
	// Times are how long what is wrong may last; the zero value has the defaults of package
	// rollout.
	Times rollout.Options
	// Findings are those of probity check in the manifests.
	Findings []advisor.Finding
	// Show is told how all workloads are, in the order of the plan, whenever that may have changed,
	// and each Redraw; nil shows nothing. It is called from one goroutine.
	Show   func([]rollout.Result)
	Redraw time.Duration
	// Lost is told that the server is not heard for longer than a connection takes to be made anew,
	// again each Redraw, and nil when it is heard again; by the same goroutine.
	Lost func(*Loss)
}

// Follow watches what was applied until every workload has a verdict, or one has failed, and
// returns how they are; Jobs that had to finish first are not among them. The error matches
// [ErrInterrupted] if the context was done, and [ErrNotKnown] if the server takes the credentials
// no longer, or may not be asked, or if a workload is gone before it has done what it was made for.
// All that it has begun has ended when it returns.
func (d *Deployment) Follow(ctx context.Context, o FollowOptions) ([]rollout.Result, error) {
	return d.follow(ctx, o, slices.DeleteFunc(slices.Clone(d.Entries), func(e *Entry) bool { return e.finished }))
}

// follow is Follow of some entries.
func (d *Deployment) follow(ctx context.Context, o FollowOptions, entries []*Entry) ([]rollout.Result, error) {
	f := &follower{deployment: d, options: o, woken: make(chan struct{}, 1), lost: map[string]error{}, logs: newInstanceLogs()}
	for _, e := range entries {
		if w := workloadOf(e); w != nil {
			f.workloads = append(f.workloads, w)
		}
	}
	if len(f.workloads) == 0 {
		return nil, nil
	}
	f.memories = make([]rollout.Memory, len(f.workloads))
	watching, stop := context.WithCancel(ctx)
	defer f.running.Wait()
	defer stop()
	f.open(watching)
	results, err := f.loop(watching)
	if err == nil {
		f.warnUnserved(watching, results)
	}
	return results, err
}

// follower watches workloads, and has what is seen explained.
type follower struct {
	deployment *Deployment
	options    FollowOptions
	workloads  []*workload
	memories   []rollout.Memory
	results    []rollout.Result
	told       bool // Lost was told that the server is lost
	see        sources
	running    sync.WaitGroup
	woken      chan struct{} // holds one if something has changed

	mu     sync.Mutex // guards what follows
	unseen []expected
	lost   map[string]error
	heard  time.Time // when all was listed that has to be; zero if it is not
	since  time.Time // when the first of those that are lost was
	denied []kube.Kind
	fatal  error
	logs   instanceLogs
}

// expected is a source that is not listed yet.
type expected struct {
	kind     kube.Kind
	complete func() bool
}

func (f *follower) client() *kube.Client { return f.deployment.options.Cluster.Client }

// wake has all explained anew soon.
func (f *follower) wake() {
	select {
	case f.woken <- struct{}{}:
	default: // it is awake already
	}
}

func (f *follower) expect(kind kube.Kind, complete func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unseen = append(f.unseen, expected{kind, complete})
}

// optional reports whether a rollout is explained without a source of a kind, if with less detail.
func optional(kind kube.Kind) bool {
	return slices.Contains([]kube.Kind{kube.Events, nodes, claims, endpoints, kube.Services, kube.Revisions}, kind)
}

// optionalTime is how long the rest is waited for once all is listed that has to be.
const optionalTime = 5 * time.Second

// trouble notes that a source does not hear the server, or does again. The server is not lost if
// only the rest is.
func (f *follower) trouble(kind kube.Kind, source string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
		delete(f.lost, source)
	case optional(kind):
		f.forget(kind)
	default:
		if len(f.lost) == 0 {
			f.since = time.Now()
		}
		f.lost[source] = err
	}
	f.wake()
}

// forget waits for sources of a kind no longer; its callers hold the lock.
func (f *follower) forget(kind kube.Kind) {
	f.unseen = slices.DeleteFunc(f.unseen, func(e expected) bool { return e.kind == kind })
}

// ended notes why a source has ended. Who may not see the workloads or their Pods can follow
// nothing; without the rest less is explained.
func (f *follower) ended(kind kube.Kind, source string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	needed := !optional(kind)
	delete(f.lost, source)
	switch {
	case apierrors.IsUnauthorized(err), needed && (apierrors.IsForbidden(err) || apierrors.IsNotFound(err)):
		what := kind.Plural
		if apierrors.IsForbidden(err) {
			what += ", which --wait=false does without"
		}
		f.fatal = errors.Join(f.fatal, fmt.Errorf("%w: cannot watch %s: %w", ErrNotKnown, what, err))
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		f.denied = append(f.denied, kind)
	}
	f.forget(kind)
	f.wake()
}

// state is whether enough is seen to explain, and why it may never be.
func (f *follower) state() (ready bool, lost *Loss, fatal error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unseen = slices.DeleteFunc(f.unseen, func(e expected) bool { return e.complete() })
	for _, err := range f.lost {
		lost = &Loss{f.since, err}
		break
	}
	if slices.ContainsFunc(f.unseen, func(e expected) bool { return !optional(e.kind) }) {
		return false, lost, f.fatal
	}
	if f.heard.IsZero() {
		f.heard = time.Now()
	}
	return len(f.unseen) == 0 || time.Since(f.heard) >= optionalTime, lost, f.fatal
}

func (f *follower) loop(ctx context.Context) ([]rollout.Result, error) {
	for {
		ready, lost, fatal := f.state()
		if fatal != nil {
			return f.results, fatal
		}
		next := min(f.timeLeft(), f.tellLost(lost))
		if ready && lost == nil {
			done, err := f.explain(ctx)
			if done || err != nil {
				return f.results, err
			}
			next = min(next, f.again())
		} else if next <= 0 {
			return f.results, fmt.Errorf("%w: %w", ErrNotKnown, lost.orTimeout())
		} else {
			next = min(next, optionalTime)
		}
		if f.options.Redraw > 0 {
			next = min(next, f.options.Redraw)
		}
		if !f.rest(ctx, max(next, gatherTime)) {
			return f.results, ErrInterrupted
		}
	}
}

// rest waits until something has changed and what comes with it is there, or for so long. It
// reports false when the context is done.
func (f *follower) rest(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	case <-f.woken:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(gatherTime):
		return true
	}
}

// timeLeft is how long it may take until the time of the whole is over.
func (f *follower) timeLeft() time.Duration {
	timeout := f.options.Times.Timeout
	if timeout == 0 {
		timeout = 15 * time.Minute
	}
	return f.deployment.begun.Add(timeout).Sub(f.client().Now())
}

// again is when the next explanation is due although nothing has changed.
func (f *follower) again() time.Duration {
	next := time.Hour
	for _, r := range f.results {
		if !r.Again.IsZero() {
			next = min(next, r.Again.Sub(f.client().Now()))
		}
	}
	return next
}

// explain explains all workloads anew, and reports whether that is the end. The error says that
// somebody has deleted one that was not over.
func (f *follower) explain(ctx context.Context) (done bool, err error) {
	var results []rollout.Result
	var shown []rollout.LogRequest
	open, failed := false, map[int]func() rollout.Result{}
	for i, w := range f.workloads {
		facts, ok := f.facts(w)
		if !ok && i < len(f.results) && f.results[i].Over { // ttlSecondsAfterFinished, for one
			results = append(results, f.results[i])
			continue
		}
		if !ok {
			return false, fmt.Errorf("%w: somebody has deleted %s", ErrNotKnown, w.entry.Object)
		}
		before := f.memories[i]
		var result rollout.Result
		result, f.memories[i] = rollout.Explain(facts, before)
		results = append(results, result)
		switch {
		case result.Verdict == nil:
			open = true
		case result.Verdict.Outcome == rollout.Failed:
			shown = append(shown, result.Shown...)
			failed[i] = func() rollout.Result {
				facts.Logs = f.known()
				again, _ := rollout.Explain(facts, before)
				return again
			}
		}
		f.askLogs(ctx, result.Logs)
	}
	if len(failed) > 0 && f.awaitLogs(ctx, shown) {
		for i, again := range failed { // of the same instant, so that only the logs are new
			results[i] = again()
		}
	}
	f.results = results
	if f.options.Show != nil {
		f.options.Show(results)
	}
	return len(failed) > 0 || !open, nil
}

// facts are what is known of a workload; ok reports whether that is there.
func (f *follower) facts(w *workload) (facts rollout.Facts, ok bool) {
	live := f.live(w)
	if live == nil {
		return facts, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return rollout.Facts{
		Now: f.client().Now(), Begun: f.deployment.begun, Workload: live, Generation: w.typed.GetGeneration(),
		PausedByFile: w.isPausedByFile(),
		ReplicaSets:  allOf(f.see.replicaSets), Revisions: allOf(f.see.revisions), Pods: allOf(f.see.pods), Services: allOf(f.see.services), Slices: allOf(f.see.slices),
		Nodes: allOf(f.see.nodes), Claims: allOf(f.see.claims), Events: allOf(f.see.events), EventsForbidden: slices.Contains(f.denied, kube.Events),
		Logs: maps.Clone(f.logs.known), Findings: f.options.Findings, Has: f.deployment.has, Options: f.options.Times,
	}, true
}

// has reports whether the set has an object of a kind and name.
func (d *Deployment) has(kind, name string) bool {
	return slices.ContainsFunc(d.Entries, func(e *Entry) bool { return e.GetKind() == kind && e.GetName() == name })
}
