package measure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/tune"
)

const (
	// fewStarts are measured of a container one by one, manyStarts if they are quick: then the
	// longest of them is as long as 95 % of all that begin alone.
	fewStarts  = 10
	manyStarts = 59
	quickStart = 2 * time.Second
	// atOnce start together.
	atOnce = 3
	// longestStart is how long one may take.
	longestStart = 10 * time.Minute
)

// starts measures cold starts of every workload, one by one and then several at once, while all the
// others are up: a start may need them. The last one of each goes on for what follows.
func (m *measurement) starts(ctx context.Context) error {
	share := m.For / 3 / time.Duration(len(m.subjects)) // the rest of the time that there is
	for _, s := range m.subjects {
		if len(s.measured) == 0 {
			continue
		}
		if err := m.allUp(ctx); err != nil {
			return err
		}
		if err := m.startsOf(ctx, s, share); err != nil {
			return err
		}
	}
	return m.allUp(ctx)
}

// startsOf measures the starts of one workload. Those one by one take the time that is given, and
// there is one at least.
func (m *measurement) startsOf(ctx context.Context, s *subject, share time.Duration) error {
	begin := time.Now()
	for n := 0; n == 0 || n < wantedStarts(s) && time.Since(begin) < share; n++ {
		if err := m.lab.remove(ctx, s.pod); err != nil {
			return err
		}
		if err := m.start(ctx, s); err != nil {
			return err
		}
	}
	m.say("%s: %d starts, %d at once follow", s.name, len(s.measured[0].Starts), atOnce)
	if err := m.together(ctx, s, tune.Together); err != nil {
		return err
	}
	if !m.isLimited(s) {
		return nil
	}
	m.say("%s: %d at once follow, at their CPU limit", s.name, atOnce)
	return m.together(ctx, s, tune.Limited)
}

// isLimited reports whether a container that is measured has a CPU limit that can be kept here.
func (m *measurement) isLimited(s *subject) (limited bool) {
	for _, c := range s.measured {
		switch cpu := cpuOf(s.pod, c.Name); {
		case cpu > 1:
			m.skip("%s: starts of %s at its CPU limit: only those up to one CPU are kept here", s.name, c.Name)
		case cpu > 0:
			limited = true
		}
	}
	return limited
}

// cpuOf is the CPU limit of a container of a Pod, in CPUs; 0 for none.
func cpuOf(pod *corev1.Pod, container string) float64 {
	for _, c := range serving(&pod.Spec) {
		if c.Name == container {
			return c.Resources.Limits.Cpu().AsApproximateFloat64()
		}
	}
	return 0
}

// wantedStarts is how many starts one by one a workload gets.
func wantedStarts(s *subject) int {
	for _, c := range s.measured {
		for _, start := range c.Starts {
			if start.Seconds >= quickStart.Seconds() {
				return fewStarts
			}
		}
	}
	return manyStarts
}

// start starts a Pod of a workload and notes how long its containers take. The Pod goes on.
func (m *measurement) start(ctx context.Context, s *subject) error {
	pod, took, err := m.startPod(ctx, s, 0, tune.Alone)
	if err != nil {
		return err
	}
	s.pod = pod
	for i, c := range s.measured {
		c.Starts = append(c.Starts, tune.Start{Seconds: took[i].Seconds(), How: tune.Alone})
	}
	return nil
}

// startPod starts a Pod and waits for the first good answer of each container that is measured.
func (m *measurement) startPod(ctx context.Context, s *subject, n int, how tune.How) (*corev1.Pod, []time.Duration, error) {
	pod, err := m.lab.createOf(s.object, n)
	if err != nil {
		return nil, nil, err
	}
	took, err := m.firstAnswers(ctx, s, pod, how, nil)
	return pod, took, err
}

// firstAnswers waits for the first good answer of each container that is measured. A process that
// ends is the end of it, unless it is one of those that are known.
func (m *measurement) firstAnswers(ctx context.Context, s *subject, pod *corev1.Pod, how tune.How, known map[string]bool) ([]time.Duration, error) {
	ctx, end := context.WithTimeoutCause(ctx, longestStart, fmt.Errorf("%s has not answered well %v after its start, and each answer was waited for %v", s.name, longestStart, giveUp))
	defer end()
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { m.lab.watchTrouble(ctx, pod, known, cancel) })
	defer watching.Wait()
	defer cancel(nil)
	if len(s.measured) == 0 { // it is there for the others
		return nil, m.lab.await(ctx, pod, s.serves)
	}
	took, errs := make([]time.Duration, len(s.measured)), make([]error, len(s.measured))
	var starting sync.WaitGroup
	for i, c := range s.measured {
		starting.Go(func() { took[i], errs[i] = m.startOf(ctx, s, pod, c, how) })
	}
	starting.Wait()
	return took, errors.Join(errs...)
}

// startOf is how long a container of a new Pod takes from its process to the first good answer.
func (m *measurement) startOf(ctx context.Context, s *subject, pod *corev1.Pod, c *tune.Container, how tune.How) (time.Duration, error) {
	e := s.endpoints[c][0] // startup comes first
	if err := m.lab.await(ctx, pod, func(p *corev1.Pod) bool { return running(p, c.Name) }); err != nil {
		return 0, fmt.Errorf("cannot measure how %s of %s starts: %w", c.Name, s.name, err)
	}
	began := time.Now()
	if cpu := cpuOf(pod, c.Name); how == tune.Limited && cpu > 0 && cpu <= 1 {
		if _, err := m.lab.system.Inject(pod.Namespace, pod.Name, c.Name, process.Fault{Kind: process.FaultThrottle, Share: cpu}); err != nil { // it ends with the Pod
			return 0, err
		}
	}
	good, err := untilGood(ctx, m.lab.prober(e, pod), e.patience())
	if err != nil {
		return 0, fmt.Errorf("cannot measure how %s of %s starts: %s does not answer well: %w", c.Name, s.name, e.request, err)
	}
	return good.Sub(began), nil
}

// together starts several Pods at once, beside the one that goes on.
func (m *measurement) together(ctx context.Context, s *subject, how tune.How) error {
	type result struct {
		pod  *corev1.Pod
		took []time.Duration
		err  error
	}
	results := make([]result, atOnce)
	var starting sync.WaitGroup
	for i := range results {
		starting.Go(func() {
			pod, took, err := m.startPod(ctx, s, i+1, how)
			results[i] = result{pod, took, err}
		})
	}
	starting.Wait()
	for _, r := range results {
		switch {
		case r.err == nil:
			for i, c := range s.measured {
				c.Starts = append(c.Starts, tune.Start{Seconds: r.took[i].Seconds(), How: how})
			}
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			m.skip("%s: a start among several (%s): %v", s.name, how, r.err)
		}
		if r.pod != nil {
			if err := m.lab.remove(ctx, r.pod); err != nil {
				return err
			}
		}
	}
	return nil
}
