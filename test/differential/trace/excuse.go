package trace

import (
	"slices"
	"strings"
)

// excuse takes away what a real kubelet was seen to do beside its rules and nobody has to copy
// (docs/kubelet-rules.md, at the end). Each is a matter of one system alone, so both traces are
// treated alike.
func excuse(t Trace) Trace {
	tracks := make([]Track, 0, len(t.Tracks))
	for _, track := range t.Tracks {
		track.Entries = slices.DeleteFunc(slices.Clone(track.Entries), func(e Entry) bool { return t.ofTheDead(track.Name, e) || t.early(track.Name, e) })
		if len(track.Entries) > 0 {
			tracks = append(tracks, track)
		}
	}
	t.Tracks = tracks
	return t
}

// ofTheDead says whether an Event is about a process that had ended, which the kubelet did not know
// yet (R34).
func (t Trace) ofTheDead(name string, e Entry) bool {
	subject, aspect, _ := split(name)
	if aspect != "Liveness" && aspect != "Readiness" && aspect != "Startup" {
		return false
	}
	if strings.Contains(e.What, "container is in CONTAINER_EXITED state") {
		return true
	}
	life := t.Get(subject + " life").Entries
	if len(life) == 0 || !slices.ContainsFunc(deadTexts(), func(text string) bool { return strings.Contains(e.What, text) }) {
		return false
	}
	last := life[len(life)-1]
	return (strings.HasPrefix(last.What, "exit") || last.What == "killed") && e.At > last.At-0.1
}

// deadTexts are what probes of a process say that is gone, or just going.
func deadTexts() []string {
	return []string{"connection refused", "connection reset by peer", "EOF", "no route to host", "i/o timeout", "probe errored", "failed to connect service"}
}

// early says whether a readiness probe of a process that is not the first came before its own
// startup probe had succeeded (R104).
func (t Trace) early(name string, e Entry) bool {
	subject, aspect, object := split(name)
	if strings.HasSuffix(subject, "#1") || (aspect != "Readiness" && (aspect != "request" || object != "/ready")) {
		return false
	}
	startup := t.Get(subject + " request /start").Entries
	return len(startup) > 0 && e.At < startup[len(startup)-1].At
}
