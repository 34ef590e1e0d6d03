package cli

import (
	"os"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestSignalState(t *testing.T) {
	type signal struct {
		after time.Duration
		sig   os.Signal
	}
	const (
		soon = 499 * time.Millisecond
		late = 501 * time.Millisecond
	)
	for name, test := range map[string]struct {
		interactive bool
		signals     []signal
		want        []signalAction
	}{
		"one":                        {false, []signal{{0, os.Interrupt}}, []signalAction{actStop}},
		"a process and its group":    {false, []signal{{0, os.Interrupt}, {soon, os.Interrupt}}, []signalAction{actStop, actNone}},
		"two kinds at once":          {false, []signal{{0, os.Interrupt}, {soon, syscall.SIGTERM}}, []signalAction{actStop, actNone}},
		"twice":                      {false, []signal{{0, os.Interrupt}, {late, os.Interrupt}}, []signalAction{actStop, actAbort}},
		"twice, each a double":       {false, []signal{{0, os.Interrupt}, {1, os.Interrupt}, {late, os.Interrupt}, {1, os.Interrupt}}, []signalAction{actStop, actNone, actAbort, actNone}},
		"a key that is held down":    {false, []signal{{0, os.Interrupt}, {soon, os.Interrupt}, {soon, os.Interrupt}}, []signalAction{actStop, actNone, actAbort}},
		"three times":                {false, []signal{{0, os.Interrupt}, {late, os.Interrupt}, {late, os.Interrupt}}, []signalAction{actStop, actAbort, actLeave}},
		"HUP":                        {false, []signal{{0, syscall.SIGHUP}, {0, syscall.SIGHUP}, {0, os.Interrupt}}, []signalAction{actReload, actReload, actStop}},
		"HUP of a terminal":          {true, []signal{{0, syscall.SIGHUP}, {late, syscall.SIGHUP}}, []signalAction{actStop, actAbort}},
		"a terminal's HUP and TERM":  {true, []signal{{0, syscall.SIGHUP}, {soon, syscall.SIGTERM}}, []signalAction{actStop, actNone}},
		"HUP while it is stopping":   {false, []signal{{0, os.Interrupt}, {late, syscall.SIGHUP}}, []signalAction{actStop, actReload}},
		"long after the first":       {false, []signal{{0, syscall.SIGTERM}, {time.Hour, syscall.SIGTERM}}, []signalAction{actStop, actAbort}},
		"a third right after second": {false, []signal{{0, os.Interrupt}, {late, os.Interrupt}, {soon, os.Interrupt}}, []signalAction{actStop, actAbort, actNone}},
	} {
		t.Run(name, func(t *testing.T) {
			var state signalState
			var got []signalAction
			now := time.Now()
			for _, s := range test.signals {
				now = now.Add(s.after)
				got = append(got, state.on(s.sig, test.interactive, now))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
