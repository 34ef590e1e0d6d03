// Package trace is what was seen of a scenario, in a form in which two systems can be compared:
// whose probes came when and how they were answered, which Events were recorded, what the status
// said, which signals came and how processes ended. [Gather] makes a [Trace] of what was watched
// and of the players' ledgers; [Compare] finds where two traces differ by more than they may.
package trace

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Trace is a scenario as it was on one system.
type Trace struct {
	// Scenario is the scenario's id.
	Scenario string `json:"scenario"`
	// System is who ran it, with the version: "Kubernetes v1.36.3".
	System string `json:"system"`
	// Period is the longest time between two probes, in seconds, if it is not one.
	Period float64 `json:"period,omitempty"`
	// Seconds is how long was watched, from the first start of a process on.
	Seconds float64 `json:"seconds"`
	// Tracks are in the order of their names.
	Tracks []Track `json:"tracks"`
}

// Track is one thing over time. Its name is a subject and an aspect. The subject is an object
// (web), a container (web/app) or one of its processes (web/app#1). The aspects are
//
//	life            start, listen, SIGTERM, and exit with the code or killed
//	request NAME    the answers to requests for a path or a port
//	shape NAME      what the requests looked like
//	exec NAME       what an exec probe or a hook did
//	Liveness …      the Events about a probe (also Readiness, Startup)
//	events          all other Events
//	state ASPECT    what the container's status said: ready, started, waiting, terminated
//	condition TYPE  a condition
//	phase           the Pod's
//	endpoints       how many are ready, serving and terminating
//	pods            how many a revision has, and how many of them are ready
type Track struct {
	Name    string  `json:"name"`
	Entries []Entry `json:"entries"`
}

// gone is the phase of a Pod that was deleted.
const gone = "gone"

// Entry is a moment: something happened, or something is so from then on.
type Entry struct {
	// At is the time in seconds since the first start of a process.
	At float64
	// What is said in words that are free of names and numbers that chance gave.
	What string
}

// MarshalJSON writes an entry as [time, text].
func (e Entry) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{math.Round(e.At*1000) / 1000, e.What})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return fmt.Errorf("cannot read an entry: %w", err)
	}
	if err := json.Unmarshal(pair[0], &e.At); err != nil {
		return fmt.Errorf("cannot read the time of an entry: %w", err)
	}
	return json.Unmarshal(pair[1], &e.What)
}

// Get finds a track by its name. One that is not there is empty.
func (t Trace) Get(name string) Track {
	i := slices.IndexFunc(t.Tracks, func(track Track) bool { return track.Name == name })
	if i < 0 {
		return Track{Name: name}
	}
	return t.Tracks[i]
}

// split parts a track's name into subject, aspect and the aspect's object: "web/app#1", "request",
// "/live".
func split(name string) (subject, aspect, object string) {
	subject, rest, _ := strings.Cut(name, " ")
	aspect, object, _ = strings.Cut(rest, " ")
	return subject, aspect, object
}

// builder collects tracks.
type builder struct{ tracks map[string]*Track }

// add adds an entry that happened.
func (b *builder) add(name string, at float64, what string) {
	t := b.tracks[name]
	if t == nil {
		t = &Track{Name: name}
		b.tracks[name] = t
	}
	t.Entries = append(t.Entries, Entry{at, what})
}

// level adds an entry that is so from then on, unless it was so before.
func (b *builder) level(name string, at float64, what string) {
	if t := b.tracks[name]; t != nil && t.Entries[len(t.Entries)-1].What == what {
		return
	}
	b.add(name, at, what)
}

// sorted are the tracks by name, their entries by time, without those after the end.
func (b *builder) sorted(end float64) []Track {
	var tracks []Track
	for _, t := range b.tracks {
		t.Entries = slices.DeleteFunc(t.Entries, func(e Entry) bool { return e.At > end })
		slices.SortStableFunc(t.Entries, func(x, y Entry) int { return compareTime(x.At, y.At) })
		if len(t.Entries) > 0 {
			tracks = append(tracks, *t)
		}
	}
	slices.SortFunc(tracks, func(x, y Track) int { return strings.Compare(x.Name, y.Name) })
	return tracks
}

func compareTime(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}
