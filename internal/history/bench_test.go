package history

import (
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/types"
)

func TestSizes(t *testing.T) {
	if size := unsafe.Sizeof(entry{}); size != 16 {
		t.Errorf("an attempt takes %d bytes, want 16", size)
	}
	if size := unsafe.Sizeof(chunk{}); size > 1024 {
		t.Errorf("a chunk takes %d bytes, want at most 1024", size)
	}
	if size := unsafe.Sizeof(minute{}); size != 24 {
		t.Errorf("a minute takes %d bytes, want 24", size)
	}
}

// TestMemory: 600 probes whose rings are full take at most 10 MB. Their answers are short; bodies
// of a KiB that are never the same would add up to 20 KiB a probe. What else the program allocates
// meanwhile counts too, some kilobytes now and then: the least of three looks is the probes' own.
func TestMemory(t *testing.T) {
	const probes, budget = 60, 10_000_000 / 10 // a tenth of both, which is soon done
	used := int64(math.MaxInt64)
	for range 3 {
		used = min(used, memoryOf(probes))
		t.Logf("%d probes take %.2f MB, %d bytes each", probes, float64(used)/1e6, used/probes)
		if used <= budget {
			return
		}
	}
	t.Errorf("%d probes take %d bytes, want at most %d", probes, used, budget)
}

// memoryOf is how many bytes a Recorder takes in which the rings of this many probes are full.
func memoryOf(probes int) int64 {
	before := heap()
	var r Recorder
	for i := range probes / 3 {
		p := r.Add(types.UID(fmt.Sprint(i)))
		for _, kind := range []string{"Startup", "Readiness", "Liveness"} {
			fill(p, p.Probe(Key{"app", kind}, Probing{"GET http://:8080/livez", 1, 3}), i)
		}
	}
	used := int64(heap()) - int64(before)
	runtime.KeepAlive(&r)
	return used
}

// fill records attempts each second for 80 minutes, of which some fail.
func fill(pod *Pod, p *Probe, seed int) {
	remote := fmt.Sprintf("127.0.0.1:%d", 30000+seed)
	for i := range 80 * 60 {
		a := Attempt{Time: start.Add(time.Duration(i) * time.Second), Took: 800 * time.Microsecond, Outcome: Answered, Result: Passing, Run: i}
		d := Detail{Remote: remote, Status: 200, Body: "ok", BodySize: 2, Connect: time.Microsecond, Total: a.Took}
		if (i+seed)%50 == 0 {
			a.Outcome, a.Message, d.Status = Failed, fmt.Sprintf("HTTP probe failed with statuscode: %d", 500+i%5), 500
			d.Message = a.Message
		}
		pod.Attempt(p, a, d)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkAttempt is what recording one attempt costs: at 600 attempts a second 1 % of a core
// would be 16 µs.
func BenchmarkAttempt(b *testing.B) {
	var r Recorder
	pod := r.Add("uid")
	p := pod.Probe(Key{"app", "Liveness"}, Probing{"GET http://:8080/livez", 1, 3})
	a := Attempt{Took: 800 * time.Microsecond, Outcome: Answered, Result: Passing}
	d := Detail{Remote: "127.0.0.1:8080", Status: 200, Body: "ok", BodySize: 2}
	b.ReportAllocs()
	at := start
	for b.Loop() {
		at = at.Add(time.Second)
		a.Time = at
		pod.Attempt(p, a, d)
	}
}

// BenchmarkSince reads a full ring.
func BenchmarkSince(b *testing.B) {
	var r Recorder
	pod := r.Add("uid")
	p := pod.Probe(Key{"app", "Liveness"}, Probing{"GET http://:8080/livez", 1, 3})
	fill(pod, p, 0)
	for b.Loop() {
		for a := range p.Since(0) {
			_ = a
		}
	}
}
