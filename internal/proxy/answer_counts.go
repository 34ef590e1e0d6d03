package proxy

import (
	"sync/atomic"
	"time"

	"github.com/probity-run/probity/internal/metrics"
)

// answerCounts counts what the clients of an HTTP port were answered, and how long it took.
type answerCounts struct {
	classes [6]atomic.Uint64
	latency *metrics.Histogram
	began   time.Time // instants are durations since then: half the price of time.Now
}

func newAnswerCounts() answerCounts {
	return answerCounts{latency: metrics.NewHistogram(latencyBounds[:]), began: time.Now()}
}

// now is an instant for answered.
func (c *answerCounts) now() time.Duration { return time.Since(c.began) }

// answered counts a request that came at an instant and has ended. code is the status that its
// client got, 0 if it got none. A connection that changed protocols has no latency: it lasts as
// long as its client likes.
func (c *answerCounts) answered(code int, came time.Duration) {
	c.count(code)
	if code >= 200 {
		c.latency.Observe(c.now() - came)
	}
}

// count counts an answer by its class alone.
func (c *answerCounts) count(code int) {
	class := code / 100
	if class >= len(c.classes) {
		class = 0 // no status of HTTP
	}
	c.classes[class].Add(1)
}

// state is what was counted so far, by class.
func (c *answerCounts) state() (answers [6]uint64) {
	for class := range c.classes {
		answers[class] = c.classes[class].Load()
	}
	return answers
}

const ms = time.Millisecond

// latencyBounds are close together where answers of programs on the same machine are.
var latencyBounds = [...]time.Duration{
	ms / 4, ms / 2, ms, 5 * ms / 2, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 250 * ms, 500 * ms, 1000 * ms, 2500 * ms, 5000 * ms, 10_000 * ms,
}
