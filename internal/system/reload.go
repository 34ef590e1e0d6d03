package system

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// errEnded is the answer to a request that comes too late.
var errEnded = errors.New("probity run is being stopped")

// Reload has the system's own manifests read again and applied; notices say what that changed. It
// does not wait for it.
func (s *System) Reload() { offer(s.settled) }

// watchFiles has the manifests read again when they change, as long as they can be watched.
func (s *System) watchFiles(ctx context.Context) error {
	err := s.files.run(ctx, func(settled bool) {
		if settled {
			offer(s.settled)
		} else {
			offer(s.edited)
		}
	})
	if err != nil {
		s.opts.Notice(err.Error() + unwatched)
	}
	<-ctx.Done() // the run goes on without a watch
	return nil
}

// reloadEdited reads the manifests again, each time that somebody asks for it.
func (s *System) reloadEdited(ctx context.Context) error {
	said := "" // the last error: a file that is being written has the same one again and again
	for {
		select {
		case <-s.edited:
			said = s.reload(ctx, false, said)
		case <-s.settled:
			said = s.reload(ctx, true, said)
		case <-ctx.Done():
			return nil
		}
	}
}

// readAgain begins the notices about manifests that were saved.
const readAgain = "probity: the manifests were read again: "

func (s *System) reload(ctx context.Context, prune bool, said string) (problem string) {
	lines, err := s.apply(ctx, s.opts.Manifests, prune)
	changes := slices.DeleteFunc(lines, func(line string) bool { return strings.HasSuffix(line, " "+verbUnchanged) })
	if len(changes) > 0 {
		s.opts.Notice(readAgain + strings.Join(changes, ", "))
	}
	if err != nil {
		problem = err.Error()
	}
	if problem != said {
		s.refuse(err)
	}
	return problem
}

// refuse says why manifests that were saved are not applied, or that they are again.
func (s *System) refuse(err error) {
	switch {
	case s.opts.Refused != nil:
		s.opts.Refused(err)
	case err != nil:
		s.opts.Notice(readAgain + err.Error())
	}
}

// Apply brings the system to what manifests say now and returns a line for each object, in the
// words of kubectl apply. Objects that an earlier Apply of the same paths made, and that are not in
// them any more, are taken away. If anything is wrong with the manifests, nothing is changed and
// the error is an [*InputError].
func (s *System) Apply(ctx context.Context, paths []string) (lines []string, err error) {
	return s.apply(ctx, s.asGiven(paths), true)
}

func (s *System) apply(ctx context.Context, paths []string, prune bool) (lines []string, err error) {
	if slices.Contains(paths, "-") {
		return nil, &InputError{errors.New("standard input cannot be read again: run a file")}
	}
	m, release, err := s.loadBeside(ctx, paths)
	if err != nil {
		return nil, err
	}
	defer release()
	for _, line := range s.loader.news(m) {
		s.opts.Notice(line)
	}
	applied := make(chan struct{})
	apply := func() {
		defer close(applied)
		if err = errEnded; !s.Stopping() {
			s.addresses.expect(m.services())
			if s.claims != nil {
				s.claims.set(sourceOf(paths), m)
				s.proxy.MakeRoom()
			}
			lines, err = s.applier.apply(sourceOf(paths), m, prune)
		}
	}
	select {
	case s.requests <- apply:
		<-applied
		return lines, err
	case <-s.stop:
		return nil, errEnded
	case <-s.done:
		return nil, errEnded
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// asGiven returns the system's own manifests as they were given, if paths name the same files.
func (s *System) asGiven(paths []string) []string {
	if slices.Equal(s.Describe().Manifests, resolved(paths)) {
		return s.opts.Manifests
	}
	return paths
}

// sourceOf names a set of files, however often it is read.
func sourceOf(paths []string) string { return strings.Join(paths, "\x00") }

// hasFixedPort reports whether a Pod of this system has a port that is fixed.
func (s *System) hasFixedPort(port int32) bool {
	pods, _ := store.List[*corev1.Pod](s.store, store.Selector{})
	pair := fmt.Sprintf("%d:%[1]d", port)
	for _, pod := range pods {
		for name, value := range pod.Annotations {
			if strings.HasPrefix(name, manifest.AnnotationPrivatePorts) && slices.Contains(strings.Split(value, ","), pair) {
				return true
			}
		}
	}
	return false
}
