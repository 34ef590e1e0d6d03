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
	fill := func(text string) string { return strings.ReplaceAll(text, "{addr}", addr) }
	if got.Outcome != want.outcome {
		t.Errorf("outcome = %v, want %v", got.Outcome, want.outcome)
	}
	if text := fmt.Sprint(got.Err); (got.Err != nil || want.err != "") && text != fill(want.err) {
		t.Errorf("error = %q, want %q", text, fill(want.err))
	}
	switch {
	case want.contains != "" && !strings.Contains(got.Output, fill(want.contains)):
		t.Errorf("output = %q, want it to contain %q", got.Output, fill(want.contains))
	case want.contains == "" && got.Output != fill(want.output):
		t.Errorf("output = %q, want %q", got.Output, fill(want.output))
	}
}

// checkStopped verifies that an attempt was ended by its owner and does not count.
func checkStopped(t *testing.T, got Result, cause error) {
	t.Helper()
	if got.Outcome != Unknown || !errors.Is(got.Err, ErrStopped) || !errors.Is(got.Err, cause) {
		t.Errorf("result = %v with error %v, want unknown with ErrStopped and %v", got.Outcome, got.Err, cause)
	}
}
