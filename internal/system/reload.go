package system

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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
func (s *System) Reload() { offer(s.edited) }

// watchFiles has the manifests read again when they change.
func (s *System) watchFiles(ctx context.Context) error { return s.files.run(ctx, s.Reload) }

// reloadEdited reads the manifests again, each time that somebody asks for it.
func (s *System) reloadEdited(ctx context.Context) error {
	for {
		select {
		case <-s.edited:
			s.reload(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *System) reload(ctx context.Context) {
	const prefix = "probity: the manifests were read again: "
	lines, err := s.Apply(ctx, s.opts.Manifests)
	changes := slices.DeleteFunc(lines, func(line string) bool { return strings.HasSuffix(line, " "+verbUnchanged) })
	if len(changes) > 0 {
		s.opts.Notice(prefix + strings.Join(changes, ", "))
	}
	if err != nil {
		s.opts.Notice(prefix + err.Error())
	}
}

// Apply brings the system to what manifests say now and returns a line for each object, in the
// words of kubectl apply. Objects that an earlier Apply of the same paths made, and that are not in
// them any more, are taken away. If anything is wrong with the manifests, nothing is changed and
// the error is an [*InputError].
func (s *System) Apply(ctx context.Context, paths []string) (lines []string, err error) {
	paths = s.asGiven(paths)
	if slices.Contains(paths, "-") {
		return nil, &InputError{errors.New("standard input cannot be read again: run a file")}
	}
	s.loader.mu.Lock()
	defer s.loader.mu.Unlock()
	if s.Stopping() {
		return nil, errEnded
	}
	m, err := s.loader.load(paths, nil, s.hasFixedPort)
	if err != nil {
		return nil, &InputError{fmt.Errorf("nothing was changed: %w", err)}
	}
	for _, line := range s.loader.news(m) {
		s.opts.Notice(line)
	}
	applied := make(chan struct{})
	apply := func() {
		defer close(applied)
		if err = errEnded; !s.Stopping() {
			if s.reserved != nil {
				s.reserved.set(sourceOf(paths), m)
			}
			lines, err = s.applier.apply(sourceOf(paths), m)
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

// asGiven returns the system's own manifests as they were given, if paths name the same files by
// their absolute paths.
func (s *System) asGiven(paths []string) []string {
	own := slices.DeleteFunc(slices.Clone(s.opts.Manifests), func(path string) bool { return path == "-" })
	same := slices.EqualFunc(own, paths, func(own, path string) bool {
		absolute, err := filepath.Abs(own)
		return err == nil && absolute == path
	})
	if same {
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
