package node

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
)

// PrinterColumns are what kubectl get probereports prints between name and age.
func (*ProbeReport) PrinterColumns() []metav1.TableColumnDefinition {
	return []metav1.TableColumnDefinition{
		{Name: "Probes", Type: "integer", Description: "Number of probes that have been attempted."},
		{Name: "Worst", Type: "string", Description: "The probe that is worst off, and its counter: failures in a row, of how many it takes."},
		{Name: "Outcome", Type: "string", Description: "Outcome of the last attempt of that probe."},
		{Name: "Latency", Type: "string", Description: "How long that attempt took."},
	}
}

// PrinterCells are the cells of PrinterColumns.
func (r *ProbeReport) PrinterCells() []any {
	if len(r.Probes) == 0 {
		return []any{int64(0), "<none>", "<none>", "<none>"}
	}
	worst := slices.MaxFunc(r.Probes, compareTrouble)
	name := worst.Container + " " + strings.ToLower(string(worst.Type))
	return []any{int64(len(r.Probes)), name + " " + worst.count(), worst.Outcome, roundLatency(worst.Latency).String()}
}

// compareTrouble compares how badly off two probes are: by what is in effect, by how near they are
// to it, and by what follows.
func compareTrouble(a, b ProbeRecord) int {
	return cmp.Or(
		cmp.Compare(a.trouble(), b.trouble()),
		cmp.Compare(a.full()*b.Threshold, b.full()*a.Threshold), // the fractions
		cmp.Compare(a.consequence(), b.consequence()),
	)
}

// trouble is 2 if a failure is in effect, 1 if the probe counts towards one or has not passed yet,
// and 0 if all is well.
func (p *ProbeRecord) trouble() int {
	switch {
	case p.Result == lifecycle.ResultFailure:
		return 2
	case p.isSettled():
		return 0
	}
	return 1
}

// consequence is 1 if a failure restarts the container, and 0 if it only gets no requests.
func (p *ProbeRecord) consequence() int {
	if p.Type == lifecycle.Readiness {
		return 0
	}
	return 1
}

// isSettled reports whether a success is in effect and nothing speaks against it: what does is a
// run of failures, which is shorter than its threshold, or else the failure would be in effect.
func (p *ProbeRecord) isSettled() bool {
	return p.Result == lifecycle.ResultSuccess && (p.Run == 0 || p.Run >= p.Threshold)
}

// full is how much of the threshold is counted. A probe that has got there and is not attempted any
// more counts from 0 again.
func (p *ProbeRecord) full() int {
	if p.Hold && p.Run == 0 {
		return p.Threshold
	}
	return min(p.Run, p.Threshold)
}

// count is the counter in the words of the live view: in or ok if all is well, else 2/3.
func (p *ProbeRecord) count() string {
	switch {
	case !p.isSettled():
		return fmt.Sprintf("%d/%d", p.full(), p.Threshold)
	case p.Type == lifecycle.Readiness:
		return "in"
	}
	return "ok"
}

// roundLatency leaves about three digits.
func roundLatency(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}
