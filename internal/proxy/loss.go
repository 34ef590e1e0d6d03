package proxy

import (
	"fmt"
	"strings"
	"time"
)

// recentCount counts what happened within the last second or so. After keepAll it also counts
// everything that follows.
type recentCount struct {
	total    int
	keepsAll bool
	slot     int64 // of the newest
	counts   [recentSlots]int
}

// The connections of a process that ends break before the proxy is told of the end: up to a second
// before, if the process closes them itself and then cleans up.
const (
	recentSlots = 10
	recentSlot  = 100 * time.Millisecond
)

// add counts one more, which happened now.
func (r *recentCount) add(now time.Time) {
	r.expire(now)
	r.total++
	r.counts[r.slot%recentSlots]++
}

// expire drops what is too old.
func (r *recentCount) expire(now time.Time) {
	slot := max(r.slot, now.UnixNano()/int64(recentSlot))
	for i := max(r.slot+1, slot-recentSlots+1); i <= slot && !r.keepsAll; i++ {
		r.total -= r.counts[i%recentSlots]
		r.counts[i%recentSlots] = 0
	}
	r.slot = slot
}

// keepAll drops nothing from now on.
func (r *recentCount) keepAll(now time.Time) {
	r.expire(now)
	r.keepsAll = true
}

// lossMessage is the message of the Event about what the end of a Pod's process cost its clients.
// exit is how it ended, as in "exited with code 0 on SIGTERM".
func lossMessage(pod, exit string, requests, connections int) string {
	var parts []string
	if requests > 0 {
		parts = append(parts, plural(requests, "request was", "requests were")+" in flight when "+pod+" "+exit+"; "+
			map[bool]string{true: "it", false: "they"}[requests == 1]+" would be lost on a cluster too")
	}
	if connections > 0 {
		parts = append(parts, plural(connections, "open connection was", "open connections were")+" cut when "+pod+" "+exit)
	}
	return strings.Join(parts, "; ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
