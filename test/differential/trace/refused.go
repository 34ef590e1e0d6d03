package trace

import (
	"slices"
	"strings"
)

// alignRefused leaves as many probes that were refused before a process listened in one trace as in
// the other: how many find room in that time is a matter of phase and lag. The last ones go: what
// phase and lag do not explain shows as a beginning that is too early.
func alignRefused(a, b Trace) (Trace, Trace) {
	a.Tracks, b.Tracks = slices.Clone(a.Tracks), slices.Clone(b.Tracks)
	for i, track := range a.Tracks {
		j := slices.IndexFunc(b.Tracks, func(t Track) bool { return t.Name == track.Name })
		if j < 0 {
			continue
		}
		n, m := a.refused(track), b.refused(b.Tracks[j])
		if n == 0 || m == 0 {
			continue
		}
		a.Tracks[i].Entries = slices.Delete(slices.Clone(track.Entries), min(n, m), n)
		b.Tracks[j].Entries = slices.Delete(slices.Clone(b.Tracks[j].Entries), min(n, m), m)
	}
	return a, b
}

// refused counts the Events with which a track about a probe begins that say that its process
// refused it, if the process listened later.
func (t Trace) refused(track Track) int {
	subject, aspect, _ := split(track.Name)
	if aspect != "Liveness" && aspect != "Readiness" && aspect != "Startup" {
		return 0
	}
	life := t.Get(subject + " life").Entries
	listen := slices.IndexFunc(life, func(e Entry) bool { return e.What == "listen" })
	if listen < 0 {
		return 0
	}
	later := slices.IndexFunc(track.Entries, func(e Entry) bool {
		return e.At > life[listen].At || !strings.Contains(e.What, "connection refused")
	})
	if later < 0 {
		return len(track.Entries)
	}
	return later
}
