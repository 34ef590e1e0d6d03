package generator

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Report counts requests by what became of them.
type Report struct {
	// Requests is how many have ended.
	Requests int
	// Failures are the requests that failed, in the order of time.
	Failures []Request
	// Duration of the whole run.
	Duration time.Duration

	took []time.Duration // of each request
}

func (r *Report) add(q Request) {
	r.Requests++
	r.took = append(r.took, q.Took)
	if q.Failed() {
		r.Failures = append(r.Failures, q)
	}
}

func (r *Report) merge(other *Report) {
	r.Requests += other.Requests
	r.Failures = append(r.Failures, other.Failures...)
	r.took = append(r.took, other.took...)
}

func (r *Report) sort() {
	slices.Sort(r.took)
	slices.SortFunc(r.Failures, func(a, b Request) int { return cmp.Or(a.Sent.Compare(b.Sent), cmp.Compare(a.ID, b.ID)) })
}

// Quantile is the time within which the share q of all requests ended, failed ones included; 0 if
// there was none.
func (r *Report) Quantile(q float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	return r.took[min(int(q*float64(len(r.took))), len(r.took)-1)]
}

// FailuresByCause counts the failures.
func (r *Report) FailuresByCause() map[string]int {
	causes := map[string]int{}
	for _, q := range r.Failures {
		causes[q.failureCause()]++
	}
	return causes
}

func (r *Request) failureCause() string {
	switch {
	case r.Err == nil:
		return fmt.Sprintf("status %d", r.Status)
	case errors.Is(r.Err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(r.Err, syscall.ECONNRESET), errors.Is(r.Err, io.EOF), errors.Is(r.Err, io.ErrUnexpectedEOF), errors.Is(r.Err, syscall.EPIPE):
		return "connection broken"
	}
	return r.Err.Error()
}

// String is the report in one line.
func (r *Report) String() string {
	text := fmt.Sprintf("%d requests in %.1f s (%.0f/s), %d failed", r.Requests, r.Duration.Seconds(), float64(r.Requests)/r.Duration.Seconds(), len(r.Failures))
	causes := r.FailuresByCause()
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		parts = append(parts, fmt.Sprintf("%d %s", causes[cause], cause))
	}
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text + fmt.Sprintf("; p50 %s, p99 %s, longest %s", round(r.Quantile(0.5)), round(r.Quantile(0.99)), round(r.Quantile(1)))
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
