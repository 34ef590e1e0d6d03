package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
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
	case isShortage(err):
		return unevaluable(fmt.Errorf("%w: %w", ErrShortage, err)), true
	}
	return Result{}, false
}

// isShortage reports whether err says that this machine lacks a resource which a new connection or
// process needs.
func isShortage(err error) bool {
	shortages := []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, // file descriptors of this process, of the system
		syscall.ENOBUFS, syscall.ENOMEM, // memory, kernel buffers
		syscall.EADDRNOTAVAIL, // local ports
		syscall.EAGAIN,        // processes (fork), routes and ports (connect)
	}
	if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		// The resolver keeps only the text of what stopped it.
		return slices.ContainsFunc(shortages, func(errno syscall.Errno) bool {
			return strings.Contains(lookup.Err, errno.Error())
		})
	}
	return slices.ContainsFunc(shortages, func(errno syscall.Errno) bool { return errors.Is(err, errno) })
}
