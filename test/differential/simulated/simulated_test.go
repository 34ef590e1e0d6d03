package simulated

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/scenario"
)

// Every scenario is either played or has a reason not to be, and no reason outlives the day on
// which the scenario can be played.
func TestPlayedOrListed(t *testing.T) {
	unplayed := Unplayed()
	for _, s := range scenario.All() {
		_, err := Play(s, 1)
		reason, listed := unplayed[s.ID]
		delete(unplayed, s.ID)
		switch {
		case err != nil && !listed:
			t.Errorf("%s is neither played nor listed: %v", s.ID, err)
		case err == nil && listed:
			t.Errorf("%s can be played, and is listed for %q", s.ID, reason)
		case listed && reason == "":
			t.Errorf("%s is listed without a reason", s.ID)
		}
	}
	for id := range unplayed {
		t.Errorf("%s is listed, and is no scenario", id)
	}
}

func TestPlayIsDeterministic(t *testing.T) {
	for _, id := range []string{"A17", "C15", "P03", "S04"} {
		s := chosen(t, id)
		first, err := Play(s, 1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := Play(s, 1)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("%s (-first +second):\n%s", id, diff)
		}
		if other, err := Play(s, 2); err != nil || cmp.Equal(first, other) {
			t.Errorf("%s: another seed gives the same trace, %v", id, err)
		}
	}
}

// What cannot be translated is an error that says so, whatever else would come of it.
func TestNoTranslation(t *testing.T) {
	a01, h15, g05, i09 := chosen(t, "A01"), chosen(t, "H15"), chosen(t, "G05"), chosen(t, "I09")
	for _, c := range []struct {
		s          scenario.Scenario
		have, want string
		message    string
	}{
		{a01, "500", "gibberish", `HTTP answer "gibberish"`},
		{a01, "500", "302@http://HOST/x", "HTTP answer"},
		{a01, "-answers", "-surprise", "flags"},
		{a01, "200x3", "200x99999999999999999999", "step"},
		{a01, "Starts", "Starts", "only 2 of 9 processes"},
		{h15, "NOT_SERVING", "UNKNOWN", `gRPC answer "UNKNOWN"`},
		{g05, "1|0", "child|0", `step "child"`},
		{i09, "'1'", "''", "step"},
	} {
		c.s.Manifest = strings.Replace(c.s.Manifest, c.have, c.want, 1)
		if c.have == "Starts" {
			c.s.Starts = 9
		}
		if _, err := Play(c.s, 1); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%s with %q: %v, want an error about %q", c.s.ID, c.want, err, c.message)
		}
	}
}

func TestPerform(t *testing.T) {
	got, err := perform("eprint:err+print:out+sleep:2s+3")
	if want := (done{3, "out", "err", 2 * time.Second}); got != want || err != nil {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// A ledger says what the player's would: a process that was killed wrote last when it still lived,
// and a hook that was cut off is not done.
func TestPodLog(t *testing.T) {
	b := &podLog{}
	b.begin(process{container: "a", instance: 1, service: &serving{}, delay: time.Second})
	b.write(3*time.Second, "a", 1, ledger.Exec, "preStop", "sleep:9s")
	b.write(12*time.Second, "a", 1, ledger.Done, "preStop", "")
	for _, e := range []struct {
		at   time.Duration
		text string
	}{{0, "started"}, {4 * time.Second, "SIGTERM"}, {6 * time.Second, "SIGKILL"}, {6 * time.Second, "exited, code 137"}} {
		b.noteEntry(simulate.Entry{At: simulate.Offset(e.at), Container: "a", Instance: 1, Text: e.text})
	}
	var got []string
	for _, l := range b.finished(time.Minute) {
		got = append(got, l.Time().Sub(epoch()).String()+" "+l.Kind)
	}
	want := []string{"0s start", "1s listen", "3s exec", "4s signal", "6s alive"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func chosen(t *testing.T, id string) scenario.Scenario {
	t.Helper()
	all, err := scenario.Choose([]string{id})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}
