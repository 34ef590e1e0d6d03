package drill

import (
	"slices"
	"testing"
	"time"
)

// TestBackOffs holds the waits to what the kubelet's rules say of loops.
func TestBackOffs(t *testing.T) {
	s := time.Second
	loop := func(n int, r restart) []restart { return slices.Repeat([]restart{r}, n) }
	for name, test := range map[string]struct {
		restarts []restart
		want     []time.Duration
	}{
		"none":                          {nil, nil},
		"one":                           {loop(1, restart{lived: s, gap: s}), []time.Duration{0}},
		"it ends by itself (R150)":      {loop(8, restart{lived: s, gap: s}), []time.Duration{0, 10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s}},
		"killed by a probe (R151)":      {loop(4, restart{lived: 3 * s, gap: s, byProbe: true}), []time.Duration{0, 0, 10 * s, 20 * s}},
		"a probe that takes its time":   {loop(3, restart{lived: 12 * s, gap: s, byProbe: true}), []time.Duration{0, 0, 0}},
		"far between (R152)":            {loop(3, restart{lived: 700 * s, gap: s}), []time.Duration{0, 0, 0}},
		"a kill after an end by itself": {[]restart{{lived: s, gap: s}, {lived: 20 * s, gap: s, byProbe: true}}, []time.Duration{0, 0}},
	} {
		if got := backOffs(test.restarts); !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// TestBackOffRemark: what it would have cost is made of the restarts that were measured.
func TestBackOffRemark(t *testing.T) {
	s := newScene(t, "dependency-outage:db")
	for _, at := range []float64{11, 13, 15} {
		s.change(at, "b", ChangeEnded, "exit code 1")
		s.change(at+0.5, "b", ChangeStarted, "sidecar")
		s.change(at+1, "b", ChangeStarted, "web")
	}
	s.change(17, "b", ChangeEnded, "exit code 1") // and nothing came after it
	want := "b was restarted 3 times, and away for 3s between: in a cluster, whose back-off would have been 0s, 10s and 20s, it would have been away for 28s longer"
	if got := backOffRemark([]evidence{s.evidence}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	one := newScene(t, "hang")
	one.change(18, "a", ChangeDecided, "Liveness")
	one.change(19, "a", ChangeEnded, "exit code 137, as it was told")
	one.change(20, "a", ChangeStarted, "web")
	if got := backOffRemark([]evidence{one.evidence}); got != "" {
		t.Errorf("%s, though the first restart does not wait anywhere", got)
	}
}
