// Package stage plays a scenario on a system, be it a real kubelet or Probity, and returns the
// trace.
package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/scenario"
	"github.com/probity-run/probity/test/differential/trace"
)

// System runs Pods. Its methods may be called at the same time for different namespaces.
type System interface {
	// Name is the name with the version, as traces give it.
	Name() string
	// ContainerSetup is what containers need to find the player and the ledger that is in a folder
	// of this machine.
	ContainerSetup(ledger string) ContainerSetup
	// Apply creates objects in a namespace, or changes those that are there.
	Apply(ctx context.Context, namespace string, objects []Object) error
	// Delete deletes a Pod with its grace period, or with this one.
	Delete(ctx context.Context, namespace, pod string, grace *int64) error
	// SetCondition sets a condition of a Pod.
	SetCondition(ctx context.Context, namespace, pod, condition, status string) error
	// Watch hands on all changes in a namespace until the context is done.
	Watch(ctx context.Context, namespace string, on func(trace.Observation)) error
	// Clear deletes everything in a namespace, with little grace, and need not wait.
	Clear(ctx context.Context, namespace string) error
}

// startTimeout is how long the first process of a scenario may need to start, and the last one
// after it.
const startTimeout = 3 * time.Minute

// ErrStarts is why a scenario cannot be played of which not all processes start in time.
var ErrStarts = errors.New("not all processes have started")

// Play plays a scenario in a namespace that nobody used before. dir is a folder for ledgers.
func Play(ctx context.Context, system System, s scenario.Scenario, namespace, dir string) (trace.Trace, error) {
	p := &play{system: system, scenario: s, namespace: namespace}
	p.ledger = filepath.Join(dir, p.namespace)
	t, err := p.run(ctx)
	if err != nil {
		err = fmt.Errorf("cannot play %s on %s: %w", s.ID, system.Name(), err)
	}
	return t, err
}

// play is one scenario on one system. It owns the goroutine that watches.
type play struct {
	system    System
	scenario  scenario.Scenario
	namespace string
	ledger    string // folder

	mu           sync.Mutex // guards observations
	observations []trace.Observation
}

func (p *play) run(ctx context.Context) (trace.Trace, error) {
	// whoever the containers are
	if err := errors.Join(os.MkdirAll(p.ledger, 0o777), os.Chmod(p.ledger, 0o777)); err != nil {
		return trace.Trace{}, err
	}
	objects, err := prepare(p.scenario.Manifest, p.system.ContainerSetup(p.ledger))
	if err != nil {
		return trace.Trace{}, err
	}
	watching, stop := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		if err := p.system.Watch(watching, p.namespace, p.record); err != nil {
			stop(err)
		}
	})
	end, err := p.follow(watching, objects)
	stop(nil)
	watch.Wait()
	err = errors.Join(err, p.system.Clear(context.WithoutCancel(ctx), p.namespace))
	if err != nil {
		return trace.Trace{}, err
	}
	ledgers, err := p.ledgers()
	setup := p.system.ContainerSetup(p.ledger)
	return trace.Gather(trace.Recorded{
		Scenario: p.scenario.ID, System: p.system.Name(), Period: p.scenario.Period, Observations: p.observations, Ledgers: ledgers, End: end, Player: setup.Player, Image: setup.Image,
	}), err
}

func (p *play) record(o trace.Observation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observations = append(p.observations, o)
}

// follow makes the objects, takes the steps and returns the end of the scenario when it has come.
func (p *play) follow(ctx context.Context, objects []Object) (end time.Time, err error) {
	if err := p.system.Apply(ctx, p.namespace, objects); err != nil {
		return end, err
	}
	first, err := p.starts(ctx, 1)
	if err != nil {
		return end, err
	}
	for _, step := range p.scenario.Steps {
		if err := sleepUntil(ctx, first.Add(step.At)); err != nil {
			return end, err
		}
		if err := p.do(ctx, step); err != nil {
			return end, err
		}
	}
	last, err := p.starts(ctx, max(1, p.scenario.Starts))
	if err != nil {
		return end, err
	}
	end = last.Add(p.scenario.Watched())
	return end, sleepUntil(ctx, end.Add(settling))
}

// settling is how long what happened before the end may take to be seen.
const settling = 300 * time.Millisecond

// do takes a step.
func (p *play) do(ctx context.Context, s scenario.Step) error {
	switch {
	case s.Delete != "":
		return p.system.Delete(ctx, p.namespace, s.Delete, s.Grace)
	case s.Condition != "":
		return p.system.SetCondition(ctx, p.namespace, s.Pod, s.Condition, s.Status)
	}
	objects, err := prepare(s.Apply, p.system.ContainerSetup(p.ledger))
	if err != nil {
		return err
	}
	return p.system.Apply(ctx, p.namespace, objects)
}

// starts waits until n processes have started and returns when the nth did.
func (p *play) starts(ctx context.Context, n int) (time.Time, error) {
	deadline := time.Now().Add(startTimeout)
	for {
		ledgers, err := p.ledgers()
		if err != nil {
			return time.Time{}, err
		}
		times := startTimes(ledgers)
		if len(times) >= n {
			return times[n-1], nil
		}
		if time.Now().After(deadline) {
			return time.Time{}, fmt.Errorf("%w: %d of %d within %v", ErrStarts, len(times), n, startTimeout)
		}
		if err := sleepUntil(ctx, time.Now().Add(20*time.Millisecond)); err != nil {
			return time.Time{}, err
		}
	}
}

func (p *play) ledgers() (map[string][]ledger.Line, error) {
	files, err := os.ReadDir(p.ledger)
	if err != nil {
		return nil, err
	}
	all := map[string][]ledger.Line{}
	for _, file := range files {
		if all[file.Name()], err = ledger.Read(p.ledger, file.Name()); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
