package live

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
)

// TestOutcomeWord: a status is said if it is known, and what programs say is not taken for one.
func TestOutcomeWord(t *testing.T) {
	get := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{}}}
	exec := &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}}
	for name, test := range map[string]struct {
		attempt history.Attempt
		status  int
		spec    *corev1.Probe
		want    string
	}{
		"no content":               {history.Attempt{}, 204, get, "204"},
		"long ago":                 {history.Attempt{}, 0, get, "answered"},
		"a command":                {history.Attempt{}, 0, exec, "passed"},
		"a failure":                {history.Attempt{Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503"}, 503, get, "503"},
		"refused":                  {history.Attempt{Outcome: history.Failed, Message: refusal}, 0, get, "refused"},
		"a command says a status":  {history.Attempt{Outcome: history.Failed, Message: "HTTP probe failed with statuscode: 503"}, 0, exec, "failed"},
		"a command says a refusal": {history.Attempt{Outcome: history.Failed, Message: "connection refused"}, 0, exec, "failed"},
		"no answer":                {history.Attempt{Outcome: history.TimedOut}, 0, get, "timeout"},
	} {
		if got := outcomeWord(test.attempt, test.status, test.spec); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
