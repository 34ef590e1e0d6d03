package differential

import (
	"testing"
	"time"
)

// maxStall is how long a machine that is fit for comparing may hold this process up.
const maxStall = 100 * time.Millisecond

// stallMeter measures for how long the machine holds this process up: by how much a timer is late.
// It owns a goroutine, which stop joins.
type stallMeter struct {
	end  chan struct{}
	late chan time.Duration
}

func startStallMeter(t *testing.T) stallMeter {
	m := stallMeter{make(chan struct{}), make(chan time.Duration, 1)}
	t.Cleanup(func() { // of a test that failed in between
		select {
		case <-m.end:
		default:
			m.stop()
		}
	})
	go func() {
		const every = 20 * time.Millisecond
		tick := time.NewTicker(every)
		defer tick.Stop()
		var worst time.Duration
		for last := time.Now(); ; {
			select {
			case <-m.end:
				m.late <- worst
				return
			case <-tick.C:
				worst = max(worst, time.Since(last)-every)
				last = time.Now()
			}
		}
	}()
	return m
}

// stop returns the longest time for which the process was held up.
func (m stallMeter) stop() time.Duration {
	close(m.end)
	return <-m.late
}

// awaitIdle waits until the machine holds nothing up, but not for ever.
func awaitIdle(t *testing.T) {
	for range 20 {
		m := startStallMeter(t)
		time.Sleep(time.Second)
		if m.stop() < maxStall/4 {
			return
		}
	}
}
