// Package probe performs single attempts of Kubernetes health probes with the kubelet's wire
// format, limits, time-outs, outcomes and texts.
//
// An attempt knows no threshold, no period and no retry. Whoever owns the schedule counts results,
// repeats an attempt that ended in a prober error (the kubelet: up to three in a row, R42) and
// draws the consequences. Numbers such as R61 are rules of the kubelet in
// docs/kubelet-rules.md of this repository, taken from Kubernetes 1.36.
//
// The handlers are plain values: fill in the fields, call Probe as often as you like, from any
// goroutine. Every attempt ends by itself at its time-out, or earlier when the context is done, and
// closes what it opened.
package probe

import (
	"context"
	"fmt"
	"time"

	"github.com/probity-run/probity/probe/internal/verdict"
)

const (
	// DefaultTimeout is the time an attempt gets when its Timeout is not set (R177).
	DefaultTimeout = time.Second
	// DefaultHost is where an attempt goes when its Host is empty: here a pod's address is the
	// loopback one.
	DefaultHost = "127.0.0.1"
	// DefaultUserAgent introduces HTTP and gRPC attempts to the service (R53, R91).
	DefaultUserAgent = "kube-probe/" + kubernetesVersion
	// LifecycleUserAgent introduces HTTP lifecycle hooks to the service (R143).
	LifecycleUserAgent = "kube-lifecycle/" + kubernetesVersion

	// kubernetesVersion is the release whose behaviour this package reproduces.
	kubernetesVersion = "1.36"

	outputLimit = verdict.OutputLimit
)

// Prober performs one attempt. The handlers of this package implement it, and so may others.
//
// Probe may be called concurrently. It returns at the handler's time-out at the latest; if ctx is
// done before, it returns at once with an error that wraps [ErrStopped].
type Prober interface {
	Probe(ctx context.Context) Result
}

// Outcome is what one attempt says about the service.
type Outcome int

// The outcomes carry the kubelet's names. The zero value is Unknown, so that a Result that nobody
// filled in is never a success.
const (
	Unknown Outcome = iota // nothing can be said
	Success
	Warning // counts as a success, and is reported (R44)
	Failure
)

// String returns the kubelet's word: "success", "warning", "failure" or "unknown".
func (o Outcome) String() string {
	switch o {
	case Success:
		return "success"
	case Warning:
		return "warning"
	case Failure:
		return "failure"
	case Unknown:
		return "unknown"
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Result is what one attempt found out.
type Result struct {
	// Outcome is the verdict. Next to an Err it is only the word of the kubelet's event text,
	// Failure or Unknown.
	Outcome Outcome
	// Output is the kubelet's text for the attempt: the reason of a failure or warning, the
	// response body or the command's output of a success. It comes from the service, unfiltered,
	// and is at most about 10 KiB long.
	Output string
	// Err, if not nil, is a prober error (R47): the attempt says nothing about the service, must
	// not be counted and may be repeated at once. It wraps [ErrStopped] or [ErrShortage] where
	// these are the reason.
	Err error
	// Detail is what else was seen, for people; the outcome does not depend on it.
	Detail Detail
}

// String returns the text with which the kubelet's event goes on after "Liveness probe " (R44):
// "failed: …", "warning: …" or "errored and resulted in … state: …"; for a success, which has no
// event, "succeeded".
func (r Result) String() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("errored and resulted in %s state: %v", r.Outcome, r.Err)
	case r.Outcome == Success:
		return "succeeded"
	case r.Outcome == Warning:
		return "warning: " + r.Output
	}
	return "failed: " + r.Output
}

// resultOf returns the result of an attempt that has a verdict.
func resultOf(v verdict.Verdict) Result {
	return Result{Outcome: Outcome(v.Outcome), Output: v.Output}
}

// failure returns the result of an attempt that the service failed. The text may quote what the
// service sent and is therefore cut.
func failure(text string) Result { return resultOf(verdict.Failed(text)) }

// unevaluable returns the result of an attempt that could not be made.
func unevaluable(err error) Result {
	return Result{Outcome: Unknown, Err: err}
}

// timeoutOr returns the set time-out or the default.
func timeoutOr(set time.Duration) time.Duration {
	if set <= 0 {
		return DefaultTimeout
	}
	return set
}
