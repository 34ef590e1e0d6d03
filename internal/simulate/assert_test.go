package simulate

import (
	"testing"
	"time"

	"github.com/probity-run/probity/internal/simulate/simulatetest"
)

func TestAssertions(t *testing.T) {
	probes := "livenessProbe: {httpGet: {path: /l, port: http}}\nreadinessProbe: {httpGet: {path: /r, port: http}, periodSeconds: 5, failureThreshold: 2}"
	hang := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t, "hang@60s"), Options{Horizon: 5 * time.Minute})
	quiet := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t), Options{Horizon: 5 * time.Minute})
	never := simulated(t, simulatetest.PodWith(probes), simulatetest.Script(t, "slow-start=90s"), Options{Horizon: 5 * time.Minute})
	unseen := simulated(t, simulatetest.PodWith("readinessProbe: {tcpSocket: {port: http}}"), simulatetest.Script(t, "hang@60s"), Options{Horizon: 5 * time.Minute})
	for _, c := range []struct {
		r    *Result
		text string
		want bool
		got  string
	}{
		{quiet, "restarts == 0", true, "0"}, {hang, "restarts == 0", false, "1"}, {hang, "restarts==1", true, "1"}, {hang, "false-restarts == 0", true, "0"},
		{never, "false-restarts == 0", false, ""}, {quiet, "ready within 5s", true, "1.005s"}, {never, "ready within 5s", false, "never"}, {never, "ready > 5s", true, "never"},
		{hang, "detected within 31s", true, "28.756s"}, {hang, "detected within 21s", false, "28.756s"}, {hang, "drained within 9s", true, "7s"},
		{unseen, "detected within 5m", false, "never"}, {quiet, "detected within 31s", false, "nothing to detect: no fault struck that lasts until a restart"},
		{never, "unavailable <= 1m", false, "5m"}, {quiet, "unavailable <= 0s", true, "0s"}, {quiet, "failed-requests == 0", true, "0"}, {hang, "failed-requests < 10", false, ""},
		{hang, "verdicts != 1", false, "1"}, {quiet, "backoffs >= 0", true, "0"},
	} {
		a, err := ParseAssertion(c.text)
		if err != nil {
			t.Fatal(err)
		}
		v := c.r.Summary.Check(a, 100)
		if v.Holds != c.want || c.got != "" && v.Got != c.got {
			t.Errorf("%s: %t, got %s; want %t, %s", c.text, v.Holds, v.Got, c.want, c.got)
		}
	}
}

func TestAssertionsOfMany(t *testing.T) {
	hang := many(t, simulatetest.DefaultProbes, ManyOptions{Runs: 200, Horizon: 5 * time.Minute}, "hang@60s")
	never := many(t, simulatetest.DefaultProbes, ManyOptions{Runs: 20, Horizon: 5 * time.Minute}, "slow-start=90s")
	for _, c := range []struct {
		m    *Many
		text string
		want bool
	}{
		{hang, "p50 detected within 27s", true}, {hang, "p50 detected within 24s", false}, {hang, "detected within 31s", true}, {hang, "max detected within 30s", false},
		{hang, "restarts == 1", true}, {hang, "p50 ready within 6s", true}, {hang, "p99 ready within 2s", false}, {hang, "ready within 10.1s", true}, {never, "p50 ready within 5m", false}, {hang, "false-restarts == 0", true}, {never, "restarts > 3", true},
	} {
		a, err := ParseAssertion(c.text)
		if err != nil {
			t.Fatal(err)
		}
		if v := c.m.Check(a); v.Holds != c.want {
			t.Errorf("%s: %t, got %s", c.text, v.Holds, v.Got)
		}
	}
}

func TestParseAssertionRefuses(t *testing.T) {
	for _, text := range []string{"", "restarts", "restarts == ", "restarts == x", "restarts = 3", "restarts == -1", "restarts within 3s", "ready within 5", "ready within -5s", "readiness == 3", "p98 ready within 3s", "restarts == nan", "restarts == 0 0"} {
		if a, err := ParseAssertion(text); err == nil {
			t.Errorf("%q: %+v", text, a)
		}
	}
}

func FuzzParseAssertion(f *testing.F) {
	for _, text := range []string{"restarts == 0", "p99 ready within 30s", "unavailable<=5s", "failed-requests < 1e3"} {
		f.Add(text)
	}
	r := simulated(f, simulatetest.DefaultProbes, simulatetest.Script(f), Options{Horizon: time.Minute})
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseAssertion(text); err == nil {
			r.Summary.Check(a, 100)
			(&Many{Runs: 1}).Check(a)
		}
	})
}
