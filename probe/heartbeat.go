package probe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	// DefaultMaxAge is how old a heartbeat may be when MaxAge is not set: the time in which a probe
	// with Kubernetes' default period and failure threshold notices a failure.
	DefaultMaxAge = 30 * time.Second

	// heartbeatSkew is how far in the future a heartbeat may be: file servers have clocks of their
	// own and some file systems round up to two seconds. More means that a clock is wrong and ages
	// say nothing.
	heartbeatSkew = 2 * time.Second
)

// Heartbeat checks a service without a network interface: the service keeps updating a file, and is
// healthy as long as the file's modification time is not older than MaxAge. Kubernetes has no such
// handler; on a cluster the same check is an exec probe.
type Heartbeat struct {
	// File is the path of a regular file. A relative path starts at this process's working
	// directory.
	File string
	// MaxAge is the age up to which the file is fresh, inclusive. Default [DefaultMaxAge].
	MaxAge time.Duration
}

// Probe looks at the file once. A missing file is a failure, as is a modification time that is more
// than two seconds in the future: it would hide a dead service until that time has come. A path
// that is a directory or that may not be looked at is a prober error. There is no time-out, so the
// file should be on a local file system.
func (h Heartbeat) Probe(ctx context.Context) Result {
	if ctx.Err() != nil {
		return stopped(ctx)
	}
	if h.File == "" {
		return unevaluable(errors.New("cannot read the heartbeat: no file is named"))
	}
	info, err := os.Stat(h.File)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failure(fmt.Sprintf("heartbeat file %q does not exist: the service has not written it yet, or elsewhere", h.File))
	case err != nil:
		return h.unreadable(ctx, err)
	case info.IsDir():
		return unevaluable(fmt.Errorf("cannot read the heartbeat: %q is a directory, name a file", h.File))
	}
	return h.judge(time.Since(info.ModTime()))
}

// unreadable returns the result for a file that exists but cannot be looked at.
func (h Heartbeat) unreadable(ctx context.Context, err error) Result {
	if result, ok := excused(ctx, err); ok {
		return result
	}
	return unevaluable(fmt.Errorf("cannot read the heartbeat: %w", err))
}

// judge decides by the file's age; a negative one lies in the future.
func (h Heartbeat) judge(age time.Duration) Result {
	limit := h.MaxAge
	if limit <= 0 {
		limit = DefaultMaxAge
	}
	switch {
	case age > limit:
		return failure(fmt.Sprintf("heartbeat file %q was last written %v ago, more than %v", h.File, age.Round(time.Millisecond), limit))
	case age < -heartbeatSkew:
		return failure(fmt.Sprintf("heartbeat file %q is dated %v in the future: check the clocks", h.File, (-age).Round(time.Millisecond)))
	}
	return Result{Outcome: Success, Output: fmt.Sprintf("heartbeat file %q was last written %v ago", h.File, max(age, 0).Round(time.Millisecond))}
}
