package lifecycle

import (
	"testing"
	"time"
)

func TestProberErrors(t *testing.T) {
	const (
		stalled = " Warning Unhealthy Liveness probe errored and resulted in failure state: context deadline exceeded"
		unknown = " Warning Unhealthy Liveness probe errored and resulted in unknown state: no such file"
	)
	lf := failed(Liveness)
	play(t, []scenario{
		{
			name:    "E01 R26 R61 errors do not count",
			spec:    app(liveness(2)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "stall@1s"}.answer}},
			until:   10 * time.Second,
			watch:   []string{"Unhealthy", "Killing"},
			want:    []string{"3.5s" + stalled, "6.5s" + stalled, "9.5s" + stalled},
			// three a run, and the first of the fourth
			counts: map[string]int{"Liveness probe of": 10},
		},
		{
			name:    "E03 R26 errors do not reset successes",
			spec:    app(readiness(3, succeeds(2))),
			scripts: map[string]script{"app": {probe: replies{Readiness: "200 nocmd*3 200"}.answer}},
			until:   5 * time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running started", "2.5s app is Running started ready"},
		},
		{
			name:    "R26 errors do not reset failures",
			spec:    app(liveness(2)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "500 nocmd*6 500"})}},
			until:   5 * time.Second,
			watch:   []string{"Unhealthy", "Killing"},
			want:    []string{"500ms" + lf, "1.5s" + unknown, "2.5s" + unknown, "3.5s" + lf, "3.5s" + killL},
		},
		{
			name:    "E05 R43 failures are not retried",
			spec:    app(liveness(9)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "500"}.answer}},
			until:   3 * time.Second,
			watch:   []string{"Liveness probe"},
			want: []string{
				"500ms Liveness probe of app #1", "500ms" + lf,
				"1.5s Liveness probe of app #1", "1.5s" + lf,
				"2.5s Liveness probe of app #1", "2.5s" + lf,
			},
		},
		{
			name:    "R42 R45 an error is tried three times and reported once",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "stall*2 nocmd 200"}.answer}},
			until:   2 * time.Second,
			watch:   []string{"Liveness probe"},
			want: []string{
				"500ms Liveness probe of app #1",
				"500ms Liveness probe of app #1",
				"500ms Liveness probe of app #1",
				"500ms" + unknown, // the last error is the one that is told
				"1.5s Liveness probe of app #1",
			},
		},
		{
			name:    "R42 a success at the third attempt is a success",
			spec:    app(readiness(1)),
			scripts: map[string]script{"app": {probe: replies{Readiness: "nocmd*2 200"}.answer}},
			until:   time.Second,
			watch:   []string{"app is Running"},
			want:    []string{"0s app is Running started", "500ms app is Running started ready"},
			counts:  map[string]int{"Readiness probe of": 3, "Warning": 0},
		},
		{
			name:    "R42 a failure at the second attempt is a failure",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: onFirst(replies{Liveness: "nocmd 500"})}},
			until:   2 * time.Second,
			watch:   []string{"Liveness probe", "Killing"},
			want: []string{
				"500ms Liveness probe of app #1", "500ms Liveness probe of app #1", "500ms" + lf, "500ms" + killL,
				"1.5s Liveness probe of app #2",
			},
		},
		{
			name:    "R42 the attempts of a run that ended are not carried over",
			spec:    app(liveness(1)),
			scripts: map[string]script{"app": {probe: replies{Liveness: "nocmd*2 200 nocmd*2 200"}.answer}},
			until:   3 * time.Second,
			counts:  map[string]int{"Liveness probe of": 7, "Warning": 0},
		},
		{
			name: "E06 a misspelt port never kills and never readies",
			spec: app(liveness(1), readiness(1)),
			scripts: map[string]script{"app": {
				probe: replies{Liveness: "nocmd", Readiness: "nocmd"}.answer,
			}},
			until:  5 * time.Second,
			watch:  []string{"app is Running"},
			want:   []string{"0s app is Running started"},
			counts: map[string]int{"Liveness probe errored": 5, "Readiness probe errored": 5, "Killing": 0},
			check:  wantRestarts(map[string]int32{"app": 0}),
		},
	})
}
