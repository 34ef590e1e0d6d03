//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	f := targets{seen: map[uint16][]time.Duration{
		1: {0, time.Second, 2500 * time.Millisecond},
		2: {500 * time.Millisecond, 1490 * time.Millisecond},
	}}
	want := arrivals{
		Requests: 5,
		Missed:   1,
		P50:      10 * time.Millisecond,
		P99:      500 * time.Millisecond,
		Max:      500 * time.Millisecond,
		OnTime:   2.0 / 3,
	}
	if diff := cmp.Diff(want, f.report(3, time.Second)); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
}

func TestQuantile(t *testing.T) {
	if got := quantile([]int{1, 2, 3, 4, 5}, 0.5); got != 3 {
		t.Errorf("median = %d, want 3", got)
	}
	if got := quantile([]int(nil), 0.5); got != 0 {
		t.Errorf("median of nothing = %d, want 0", got)
	}
}
