package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/probity-run/probity/probe/internal/verdict"
)

// ErrStopped is wrapped by the error of an attempt whose context was done before the attempt had a
// result. The context's cause is wrapped as well.
var ErrStopped = errors.New("probe stopped before it had a result")

// ErrShortage is wrapped by the error of an attempt that failed because this machine ran out of
// something: file descriptors, memory, processes, local ports. That is not the service's fault.
var ErrShortage = errors.New("this machine is short of resources, not the service")

// stopped returns the result of an attempt that its owner ended.
func stopped(ctx context.Context) Result {
	return unevaluable(fmt.Errorf("%w: %w", ErrStopped, context.Cause(ctx)))
}

// excused returns the result of an attempt that went wrong for a reason outside the service, and
// true; or false if err is to be blamed on the service. ctx is the owner's context, without the
// attempt's own time-out.
func excused(ctx context.Context, err error) (Result, bool) {
	switch {
	case ctx.Err() != nil:
		return stopped(ctx), true
	case verdict.IsShortage(err):
		return unevaluable(fmt.Errorf("%w: %w", ErrShortage, err)), true
	}
	return Result{}, false
}
