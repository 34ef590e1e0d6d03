package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/test/differential/scenario"
)

// TestPlayers: what was unlike its recording is judged by two plays that nothing disturbed, alone;
// no play that was disturbed takes that back, and one by which it is like the recording does.
func TestPlayers(t *testing.T) {
	for name, test := range map[string]struct {
		plays []verdict // the last one goes on
		want  verdict
		tried int
	}{
		"like":                         {[]verdict{recorded}, recorded, 1},
		"like, later":                  {[]verdict{disturbed, unlike, recorded}, recorded, 3},
		"never told":                   {[]verdict{disturbed}, disturbed, tries},
		"unlike":                       {[]verdict{unlike}, unlike, tries + 2},
		"unlike, then disturbed":       {[]verdict{unlike, disturbed, disturbed, disturbed, unlike}, unlike, tries + 2},
		"unlike, and disturbed alone":  {[]verdict{unlike, unlike, unlike, unlike, disturbed}, disturbed, 2 * tries},
		"once unlike alone":            {[]verdict{unlike, unlike, unlike, unlike, unlike, disturbed}, disturbed, 2 * tries},
		"unlike beside others, in all": {[]verdict{unlike, unlike, unlike, unlike, recorded}, recorded, tries + 1},
	} {
		t.Run(name, func(t *testing.T) {
			tried := 0
			p := newPlayers(options{parallel: 12, like: "testdata"}, func(context.Context, scenario.Scenario, string) (verdict, error) {
				tried++
				return test.plays[min(tried, len(test.plays))-1], nil
			})
			chosen := []scenario.Scenario{{ID: "A1"}}
			p.playAll(t.Context(), chosen)
			p.playAlone(t.Context(), chosen)
			if p.verdicts["A1"] != test.want || tried != test.tried || len(p.errs) > 0 {
				t.Errorf("%q after %d plays, errors %v, want %q after %d", p.verdicts["A1"], tried, p.errs, test.want, test.tried)
			}
		})
	}
}

// TestPlayersEnd: no play begins after the time, whoever waits for a place.
func TestPlayersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var last time.Duration
		began := time.Now()
		p := newPlayers(options{parallel: 12, like: "testdata"}, func(context.Context, scenario.Scenario, string) (verdict, error) {
			mu.Lock()
			last = time.Since(began)
			mu.Unlock()
			time.Sleep(10 * time.Second)
			return disturbed, nil
		})
		p.until = began.Add(65 * time.Second)
		chosen := make([]scenario.Scenario, 30)
		for i := range chosen {
			chosen[i].ID = string(rune('A' + i))
		}
		p.playAll(t.Context(), chosen)
		if last >= 65*time.Second || time.Since(began) > 80*time.Second {
			t.Errorf("the last play began after %v, and all ended after %v", last, time.Since(began))
		}
		if _, err := summary(p.verdicts); !errors.Is(err, errTooBusy) {
			t.Errorf("the summary is %v", err)
		}
	})
}
