package probe

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/probe/internal/probetest"
)

const (
	ample = 20 * time.Second       // a time-out that no test should reach
	brief = 150 * time.Millisecond // one that the test wants to reach
	// staged is one that the test wants to reach after something else has happened on a busy
	// machine.
	staged = 600 * time.Millisecond
)

// TestMain fails the whole run if something is left behind.
func TestMain(m *testing.M) { probetest.Main(m) }

// expectation is what a test wants of a Result. In all texts {addr} stands for the target's host
// and port.
type expectation struct {
	outcome  Outcome
	output   string // exact, unless contains is set
	contains string // part of the output
	err      string // exact text of Err; empty: no Err
}

func (want expectation) check(t *testing.T, got Result, addr string) {
	t.Helper()
	if wrong := want.missed(got, "{addr}", addr); wrong != "" {
		t.Error(wrong)
	}
}

// checkAt is check for attempts that are to reach their time-out at a certain stage (see
// [probetest.WithLonger]). {timeout} stands for that in the texts.
func (want expectation) checkAt(t *testing.T, timeout time.Duration, attempt func(timeout time.Duration) (got Result, addr string)) (got Result) {
	t.Helper()
	var wrong string
	probetest.WithLonger(timeout, func(timeout time.Duration) bool {
		var addr string
		got, addr = attempt(timeout)
		wrong = want.missed(got, "{addr}", addr, "{timeout}", timeout.String())
		return wrong == ""
	})
	if wrong != "" {
		t.Error(wrong)
	}
	return got
}

// missed says in what a result is not as expected, with what the texts' placeholders stand for.
func (want expectation) missed(got Result, placeholders ...string) (wrong string) {
	fill := strings.NewReplacer(placeholders...).Replace
	if got.Outcome != want.outcome {
		wrong = fmt.Sprintf("outcome = %v, want %v\n", got.Outcome, want.outcome)
	}
	if text := fmt.Sprint(got.Err); (got.Err != nil || want.err != "") && text != fill(want.err) {
		wrong += fmt.Sprintf("error = %q, want %q\n", text, fill(want.err))
	}
	switch {
	case want.contains != "" && !strings.Contains(got.Output, fill(want.contains)):
		wrong += fmt.Sprintf("output = %q, want it to contain %q", got.Output, fill(want.contains))
	case want.contains == "" && got.Output != fill(want.output):
		wrong += fmt.Sprintf("output = %q, want %q", got.Output, fill(want.output))
	}
	return wrong
}

// checkStopped verifies that an attempt was ended by its owner and does not count.
func checkStopped(t *testing.T, got Result, cause error) {
	t.Helper()
	if got.Outcome != Unknown || !errors.Is(got.Err, ErrStopped) || !errors.Is(got.Err, cause) {
		t.Errorf("result = %v with error %v, want unknown with ErrStopped and %v", got.Outcome, got.Err, cause)
	}
}
