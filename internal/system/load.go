package system

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

const (
	// loadTime is how long manifests may take to be read: a file of a server that is gone never
	// comes.
	loadTime = 10 * time.Second
	// joinTime is how long the end of a system waits for a reading that was given up.
	joinTime = time.Second
)

// loadBeside reads manifests in a goroutine of its own, as nobody can tell how long a file takes,
// and gives it up when that takes too long or the system is stopped. Until release is called, no
// other manifests are read.
func (s *System) loadBeside(ctx context.Context, paths []string) (m *manifests, release func(), err error) {
	slow := fmt.Errorf("nothing was changed: cannot read %s within %v: is it on a file system that does not answer?", strings.Join(paths, " "), loadTime)
	ctx, cancel := context.WithTimeoutCause(ctx, loadTime, &InputError{slow})
	defer cancel()
	if s.Stopping() {
		return nil, nil, errEnded
	}
	select {
	case s.loader.turn <- struct{}{}:
	case <-s.stop:
		return nil, nil, errEnded
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	giveBack := func() { <-s.loader.turn }
	loaded, givenUp := make(chan struct{}), make(chan struct{})
	var found *manifests
	var problem error
	s.loading.Go(func() {
		found, problem = s.loader.load(paths, manifest.Options{RegularFiles: true}, s.hasFixedPort)
		select {
		case loaded <- struct{}{}:
		case <-givenUp:
			giveBack()
		}
	})
	select {
	case <-loaded:
		if problem != nil {
			giveBack()
			if found, ok := errors.AsType[*checkError](problem); ok && found.Hint() != "" {
				problem = fmt.Errorf("%w\n\n%s", problem, found.Hint())
			}
			return nil, nil, &InputError{fmt.Errorf("nothing was changed: %w", problem)}
		}
		return found, giveBack, nil
	case <-s.stop:
		err = errEnded
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	close(givenUp)
	return nil, nil, err
}

// joinLoading waits for the goroutines of loadBeside. One that the kernel holds cannot be ended: it
// goes away with the process.
func (s *System) joinLoading() {
	joined := make(chan struct{})
	go func() {
		s.loading.Wait()
		close(joined)
	}()
	select {
	case <-joined:
	case <-time.After(joinTime):
		s.opts.Notice("probity: a manifest is still being read, and is left alone")
	}
}
