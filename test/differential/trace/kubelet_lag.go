package trace

import (
	"slices"
	"strings"
)

// dropKubeletLag leaves out what a real kubelet does because it learns of things late
// (docs/kubelet-rules.md, at the end), and what no other system has to copy. Whether it happens
// depends on one system alone, so it is left out of both traces.
func dropKubeletLag(t Trace) Trace {
	tracks := make([]Track, 0, len(t.Tracks))
	for _, track := range t.Tracks {
		track.Entries = slices.DeleteFunc(slices.Clone(track.Entries), func(e Entry) bool {
			return t.afterExit(track.Name, e) || t.beforeStartup(track.Name, e) || t.beforeListening(track.Name, e)
		})
		if len(track.Entries) > 0 {
			tracks = append(tracks, track)
		}
	}
	t.Tracks = tracks
	return t
}

// afterExit reports whether an Event is about a process that had ended, which the kubelet did not
// know yet (R34).
func (t Trace) afterExit(name string, e Entry) bool {
	subject, aspect, _ := split(name)
	if aspect != "Liveness" && aspect != "Readiness" && aspect != "Startup" {
		return false
	}
	if strings.Contains(e.What, "container is in CONTAINER_EXITED state") {
		return true
	}
	life := t.Get(subject + " life").Entries
	if len(life) == 0 || !slices.ContainsFunc(exitTexts(), func(text string) bool { return strings.Contains(e.What, text) }) {
		return false
	}
	last := life[len(life)-1]
	return (strings.HasPrefix(last.What, "exit") || last.What == "killed") && e.At > last.At-0.1
}

// exitTexts are in the messages of probes whose process has ended, or is just ending.
func exitTexts() []string {
	return []string{"connection refused", "connection reset by peer", "EOF", "no route to host", "i/o timeout", "probe errored", "failed to connect service"}
}

// beforeStartup reports whether a readiness or liveness probe of a process that is not the first
// came before its own startup probe had succeeded (R104).
func (t Trace) beforeStartup(name string, e Entry) bool {
	subject, aspect, object := split(name)
	gated := aspect == "Readiness" || aspect == "Liveness" || aspect == "request" && (object == "/ready" || object == "/live")
	if strings.HasSuffix(subject, "#1") || !gated {
		return false
	}
	startup := t.Get(subject + " request /start").Entries
	return len(startup) > 0 && e.At < startup[len(startup)-1].At
}

// beforeListening reports whether a probe was refused by a process that listens as soon as it has
// started: a kubelet may ask in the milliseconds before.
func (t Trace) beforeListening(name string, e Entry) bool {
	const soon, noted = 0.5, 0.3 // the start takes less, and an Event is later than its attempt by less
	subject, aspect, _ := split(name)
	if aspect != "Readiness" || !strings.Contains(e.What, "connection refused") && !strings.Contains(e.What, "failed to connect service") {
		return false
	}
	life := t.Get(subject + " life").Entries
	return len(life) > 1 && life[1].What == "listen" && life[1].At-life[0].At < soon && e.At < life[1].At+noted
}
