package harness

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"
)

// Meter watches whether the machine has time for a test, from [StartMeter] to [Meter.Stop]. It owns
// a goroutine, which Stop joins.
type Meter struct {
	end  chan struct{}
	load chan Load
}

// Load is what a [Meter] saw.
type Load struct {
	// Late is the longest time for which the test's own process was held up: by how much a timer
	// was late.
	Late time.Duration
	// Crowded is the longest time in which more wanted to run, all the time, than the machine has
	// processors for. What has to run for long waits then, though a timer may be in time.
	Crowded time.Duration
}

const (
	// meterTick is how often a Meter looks.
	meterTick = 20 * time.Millisecond
	// MaxLate and maxCrowded are what a machine that is fit for judging times may show.
	MaxLate    = 100 * time.Millisecond
	maxCrowded = 500 * time.Millisecond
	// crowd is how many threads for each processor may want to run: one that runs and one that
	// waits for half of them.
	crowd = 1.5
)

// Busy reports whether times cannot be judged.
func (l Load) Busy() bool { return l.Late >= MaxLate || l.Crowded >= maxCrowded }

func (l Load) String() string {
	return fmt.Sprintf("held up for %v, and more wanted to run than there are processors for %v", l.Late.Round(time.Millisecond), l.Crowded.Round(time.Millisecond))
}

// StartMeter watches until the test stops the Meter, or ends.
func StartMeter(t *testing.T) Meter {
	m := Meter{make(chan struct{}), make(chan Load, 1)}
	t.Cleanup(func() { // of a test that failed in between
		select {
		case <-m.end:
		default:
			m.Stop()
		}
	})
	go m.watch()
	return m
}

func (m Meter) watch() {
	tick := time.NewTicker(meterTick)
	defer tick.Stop()
	var load Load
	last := time.Now()
	quiet := last // when there was no crowd the last time
	for {
		select {
		case <-m.end:
			m.load <- load
			return
		case <-tick.C:
		}
		now := time.Now()
		load.Late = max(load.Late, now.Sub(last)-meterTick)
		if last = now; !crowded() {
			quiet = now
		}
		load.Crowded = max(load.Crowded, now.Sub(quiet))
	}
}

// Stop returns what the Meter saw.
func (m Meter) Stop() Load {
	close(m.end)
	return <-m.load
}

// crowded reports whether more threads than the processors can bear run or want to. It does not
// know where the system does not tell.
func crowded() bool {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return false
	}
	var one, five, fifteen, now float64 // of "0.20 0.18 0.12 1/80 11206"
	_, err = fmt.Sscanf(string(text), "%g %g %g %g/", &one, &five, &fifteen, &now)
	return err == nil && now > crowd*float64(runtime.NumCPU())
}
