package differential

import (
	"testing"
	"time"
)

// heldUp is how late a beat may be on a machine that is fit for comparing.
const heldUp = 100 * time.Millisecond

// beats measure by how much the machine holds up this process. They own a goroutine, which stop
// joins.
type beats struct {
	end  chan struct{}
	late chan time.Duration
}

func startBeats(t *testing.T) beats {
	b := beats{make(chan struct{}), make(chan time.Duration, 1)}
	t.Cleanup(func() { // of a test that failed in between
		select {
		case <-b.end:
		default:
			b.stop()
		}
	})
	go func() {
		const every = 20 * time.Millisecond
		tick := time.NewTicker(every)
		defer tick.Stop()
		var worst time.Duration
		for last := time.Now(); ; {
			select {
			case <-b.end:
				b.late <- worst
				return
			case <-tick.C:
				worst = max(worst, time.Since(last)-every)
				last = time.Now()
			}
		}
	}()
	return b
}

// stop says how late the latest beat was.
func (b beats) stop() time.Duration {
	close(b.end)
	return <-b.late
}

// awaitCalm waits until the machine holds nothing up, but not for ever.
func awaitCalm(t *testing.T) {
	for range 20 {
		b := startBeats(t)
		time.Sleep(time.Second)
		if b.stop() < heldUp/4 {
			return
		}
	}
}
