//go:build !race

package growth

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	// parts is how many small ones are as large as the large one.
	parts = 20
	// most is how many times as much the large one may cost. What grows in proportion costs the
	// same, and what grows with the square 20 times as much.
	most = 6
	// attempts are made of which one has to do: a garbage collection, or whatever else this process
	// has to do, may come in the way.
	attempts = 4
)

// cost is what something takes of this process.
type cost struct {
	time  time.Duration // of processors
	bytes uint64        // that were allocated
}

func costOf(do func()) cost {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime()
	do()
	spent := processorTime() - start
	runtime.ReadMemStats(&after)
	return cost{spent, after.TotalAlloc - before.TotalAlloc}
}

// processorTime is what this process has had of processors.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // nothing that can fail
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// mustGrowInProportion fails if something of the size n costs far more than as much of it in small
// parts. prepare returns what does the work for a size.
func mustGrowInProportion(t *testing.T, n int, prepare func(t *testing.T, n int) func()) {
	t.Helper()
	one, large := prepare(t, n/parts), prepare(t, n)
	small := func() {
		for range parts {
			one()
		}
	}
	one() // what is made once only
	var a, b cost
	for range attempts {
		a, b = costOf(small), costOf(large)
		if b.time <= most*a.time && b.bytes <= most*a.bytes {
			t.Logf("%d: %.1f times the processor time (%v) and %.1f times the memory (%d KiB) of %d × %d",
				n, ratio(b.time, a.time), b.time, ratio(b.bytes, a.bytes), b.bytes>>10, parts, n/parts)
			return
		}
	}
	t.Errorf("%d cost %.1f times the processor time (%v, %v) and %.1f times the memory (%d KiB, %d KiB) of %d × %d, want no more than %d times as much",
		n, ratio(b.time, a.time), b.time, a.time, ratio(b.bytes, a.bytes), b.bytes>>10, a.bytes>>10, parts, n/parts, most)
}

func ratio[T time.Duration | uint64](a, b T) float64 { return float64(a) / float64(max(b, 1)) }
