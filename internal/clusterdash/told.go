package clusterdash

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
)

// toldEvent is what an Event of a kubelet tells of a probe.
type toldEvent struct {
	container string
	probe     string // Startup, Readiness or Liveness; "" if it is about none
	outcome   history.Outcome
	words     string // what the probe has said
}

// parseEvent reads an Event about a probe, or about a container that is stopped; false if it names
// no container, or is not in the kubelet's words.
func parseEvent(event *corev1.Event) (told toldEvent, ok bool) {
	_, name, _ := strings.Cut(event.InvolvedObject.FieldPath, "{")
	told.container = strings.TrimSuffix(name, "}")
	if told.container == "" {
		return told, false
	}
	if event.Reason == "Killing" {
		for _, t := range lifecycle.ProbeTypes() {
			if strings.Contains(event.Message, " failed "+strings.ToLower(string(t))+" probe") {
				told.probe = string(t)
			}
		}
		return told, true
	}
	before, words, found := strings.Cut(event.Message, ": ")
	kind, outcome, isProbe := strings.Cut(before, " probe ")
	if !found || !isProbe {
		return told, false
	}
	switch {
	case strings.HasPrefix(outcome, "errored"):
		told.outcome = history.NoVerdict
	case outcome == "failed":
		told.outcome = history.Failed
	case outcome == "warning":
		told.outcome = history.Warning
	default:
		return told, false
	}
	for _, t := range lifecycle.ProbeTypes() {
		if strings.EqualFold(kind, string(t)) {
			told.probe, told.words = string(t), words
		}
	}
	return told, told.probe != ""
}
