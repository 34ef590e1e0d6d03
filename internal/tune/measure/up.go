package measure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/tune"
)

// allUp starts the workloads that do not run yet, all at the same time as in a cluster, and waits
// until each of them answers. None of these starts is measured. A Pod that is down, as what it
// needs was started so often, is made anew: its back-off may have grown to minutes.
func (m *measurement) allUp(ctx context.Context) error {
	for _, s := range m.subjects {
		if s.pod == nil || !isDown(m.lab.current(s.pod)) {
			continue
		}
		if err := m.lab.remove(ctx, s.pod); err != nil {
			return err
		}
		s.pod = nil
	}
	return bringUp(ctx, m.subjects, m.comeUp)
}

// isDown reports whether a Pod has failed, or has a container that failed and was not started
// again.
func isDown(pod *corev1.Pod) bool {
	if pod == nil {
		return false // nothing is left to make anew, and who waits for it is told
	}
	return pod.Status.Phase == corev1.PodFailed || slices.ContainsFunc(statuses(pod), func(s corev1.ContainerStatus) bool {
		ended := s.State.Terminated
		return s.State.Waiting != nil && s.LastTerminationState.Terminated != nil || ended != nil && ended.ExitCode != 0
	})
}

// moreTries are how often those that failed are tried again although that brought nothing up, if
// there is a workload without probes: nothing tells when it is there for the others. Back-offs
// make that about a minute.
const moreTries = 3

// bringUp tries all subjects at the same time, whatever their order in the files. One that ends may
// do so because another one was not there yet; so those that failed are tried again, as long as
// that brings up one more.
func bringUp(ctx context.Context, subjects []*subject, try func(context.Context, *subject) error) error {
	up, left := map[*subject]bool{}, 0
	if slices.ContainsFunc(subjects, func(s *subject) bool { return len(s.measured) == 0 }) {
		left = moreTries
	}
	for len(up) < len(subjects) {
		came, err := tryAll(ctx, subjects, up, try)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case len(came) == 0 && (left == 0 || errors.Is(err, errNeverStarts)):
			return err
		case len(came) == 0:
			left--
		}
		for _, s := range came {
			up[s] = true
		}
	}
	return nil
}

// tryAll tries those that are not up, and returns those that are now. A program that can never be
// started ends it at once.
func tryAll(ctx context.Context, subjects []*subject, up map[*subject]bool, try func(context.Context, *subject) error) (came []*subject, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make([]error, len(subjects))
	var trying sync.WaitGroup
	for i, s := range subjects {
		if up[s] {
			continue
		}
		if first := waitsFor(s, subjects, up); first != nil {
			errs[i] = fmt.Errorf("%s waits for %s (%s)", s.name, first.name, manifest.AnnotationAfter)
			continue
		}
		trying.Go(func() {
			if errs[i] = try(ctx, s); errors.Is(errs[i], errNeverStarts) {
				cancel(errs[i])
			}
		})
	}
	trying.Wait()
	if cause := context.Cause(ctx); cause != nil { // the others only say that they were stopped by it
		return nil, cause
	}
	for i, s := range subjects {
		if errs[i] == nil && !up[s] {
			came = append(came, s)
		}
	}
	return came, errors.Join(errs...)
}

// waitsFor is a subject that has to be up before another one is started; nil for none. What is not
// among the subjects is not waited for.
func waitsFor(s *subject, subjects []*subject, up map[*subject]bool) *subject {
	for _, other := range subjects {
		if _, ok := s.comesAfter(other); ok && !up[other] {
			return other
		}
	}
	return nil
}

// comesAfter is the condition under which a subject comes after another one, if it does.
func (s *subject) comesAfter(other *subject) (manifest.Condition, bool) {
	from, to := s.object.Ref(), other.object.Ref()
	for _, a := range s.after {
		if a.Name == to.Name && from.Namespace == to.Namespace {
			return a.Condition, true
		}
	}
	return "", false
}

// linkCompletions marks the subjects that others wait for until they have succeeded.
func linkCompletions(subjects []*subject) {
	for _, s := range subjects {
		for _, other := range subjects {
			if condition, ok := s.comesAfter(other); ok && condition == manifest.Completed {
				other.completes = true
			}
		}
	}
}

// serves reports whether the Pod of a subject without probes does what others need it for.
func (s *subject) serves(pod *corev1.Pod) bool {
	if pod == nil {
		return false
	}
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodRunning && !s.completes
}

// comeUp waits until a subject answers, and starts its Pod if there is none. Processes that there
// were before may end, as they may have begun before others were up.
func (m *measurement) comeUp(ctx context.Context, s *subject) (err error) {
	known := map[string]bool{}
	if s.pod != nil {
		known = processes(m.lab.current(s.pod))
	} else if s.pod, err = m.lab.createOf(s.object, 0); err != nil {
		return err
	}
	if _, err = m.firstAnswers(ctx, s, s.pod, tune.Alone, known); err != nil && ctx.Err() == nil {
		m.say("not up yet: %v", err)
	}
	return err
}
