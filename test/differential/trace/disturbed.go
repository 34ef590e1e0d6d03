package trace

import (
	"fmt"
	"strings"
)

// eventLag is how long after the start of a process its Event may come, and after its container's
// creation, in seconds.
const eventLag = 1.0

// Disturbed reports whether the machine was too busy to record: a container was probed before its
// program began, or Events came late.
func (t Trace) Disturbed() bool {
	for _, track := range t.Tracks {
		subject, aspect, _ := split(track.Name)
		switch aspect {
		case "Liveness", "Readiness", "Startup":
			if track.Entries[0].At < t.start(track.Name) {
				return true
			}
		case "events":
			instance := 0
			for i, e := range track.Entries {
				if !strings.Contains(e.What, " Started ") {
					continue
				}
				instance++
				life := t.Get(fmt.Sprintf("%s#%d life", subject, instance)).Entries
				if len(life) > 0 && e.At > life[0].At+eventLag || i > 0 && e.At > track.Entries[i-1].At+eventLag {
					return true
				}
			}
		}
	}
	return false
}
