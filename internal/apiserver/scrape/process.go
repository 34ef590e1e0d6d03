package scrape

import (
	"runtime"
	runtimemetrics "runtime/metrics"

	"github.com/probity-run/probity/internal/metrics"
)

// processFamilies are those of Prometheus' client library for Go and for processes, and the
// version.
func processFamilies() []family {
	families := []family{
		{metrics.Family{Name: "probity_build_info", Type: metrics.Gauge, Help: "The version of Probity; always 1.", Labels: []string{"version"}},
			func(w *metrics.Writer, f *facts) { w.Sample(1, f.Version) }},
		{metrics.Family{Name: "go_info", Type: metrics.Gauge, Help: "The version of Go that Probity was built with; always 1.", Labels: []string{"version"}},
			func(w *metrics.Writer, _ *facts) { w.Sample(1, runtime.Version()) }},
	}
	for _, r := range goReadings() {
		families = append(families, family{r.Family, func(w *metrics.Writer, _ *facts) { writeReading(w, r.from) }})
	}
	for _, r := range processReadings() {
		families = append(families, r.family())
	}
	return append(families, startFamily())
}

// goReading is a family that tells what Go's runtime says: the sum of its metrics of these names.
type goReading struct {
	metrics.Family
	from []string
}

func goReadings() []goReading {
	gauge := func(name, help string, from ...string) goReading {
		return goReading{metrics.Family{Name: name, Type: metrics.Gauge, Help: help}, from}
	}
	counter := func(name, help string, from ...string) goReading {
		return goReading{metrics.Family{Name: name, Type: metrics.Counter, Help: help}, from}
	}
	const objects, unused, free, released = "/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes",
		"/memory/classes/heap/free:bytes", "/memory/classes/heap/released:bytes"
	return []goReading{
		gauge("go_goroutines", "Goroutines of Probity.", "/sched/goroutines:goroutines"),
		gauge("go_sched_gomaxprocs_threads", "Threads that may run Go code at a time.", "/sched/gomaxprocs:threads"),
		counter("go_gc_cycles_total_gc_cycles_total", "Garbage collections.", "/gc/cycles/total:gc-cycles"),
		gauge("go_memstats_heap_alloc_bytes", "Memory of objects that are reachable or not collected yet.", objects),
		gauge("go_memstats_heap_inuse_bytes", "Memory of spans with objects.", objects, unused),
		gauge("go_memstats_heap_idle_bytes", "Memory of spans without objects.", free, released),
		gauge("go_memstats_heap_released_bytes", "Memory of the heap that was given back to the system.", released),
		gauge("go_memstats_heap_objects", "Objects that are reachable or not collected yet.", "/gc/heap/objects:objects"),
		gauge("go_memstats_next_gc_bytes", "Size of the heap at which the next collection ends.", "/gc/heap/goal:bytes"),
		gauge("go_memstats_sys_bytes", "Memory that Go has of the system.", "/memory/classes/total:bytes"),
		counter("go_memstats_alloc_bytes_total", "Memory that was ever allocated for objects.", "/gc/heap/allocs:bytes"),
	}
}

// writeReading writes the sum of metrics of Go's runtime, unless it does not know one of them.
func writeReading(w *metrics.Writer, from []string) {
	samples := make([]runtimemetrics.Sample, len(from))
	for i, name := range from {
		samples[i].Name = name
	}
	runtimemetrics.Read(samples)
	var sum uint64
	for _, s := range samples {
		if s.Value.Kind() != runtimemetrics.KindUint64 {
			return
		}
		sum += s.Value.Uint64()
	}
	w.Sample(float64(sum))
}

// processReading is a family that tells what the system says of this process; without ok it does
// not say it.
type processReading struct {
	metrics.Family
	read func() (value float64, ok bool)
}

func (r processReading) family() family {
	return family{r.Family, func(w *metrics.Writer, _ *facts) {
		if value, ok := r.read(); ok {
			w.Sample(value)
		}
	}}
}

// startFamily is when the process began, by which it is known that counters began anew.
func startFamily() family {
	return processReading{metrics.Family{Name: "process_start_time_seconds", Type: metrics.Gauge, Help: "When the process started, in seconds since 1970."}, startSeconds}.family()
}

func processReadings() []processReading {
	gauge := func(name, help string, read func() (float64, bool)) processReading {
		return processReading{metrics.Family{Name: name, Type: metrics.Gauge, Help: help}, read}
	}
	return []processReading{
		{metrics.Family{Name: "process_cpu_seconds_total", Type: metrics.Counter, Help: "Processor time of Probity's main process, of the user and of the system."}, cpuSeconds},
		gauge("process_open_fds", "Open file descriptors.", openDescriptors),
		gauge("process_max_fds", "How many file descriptors there may be.", maxDescriptors),
		gauge("process_resident_memory_bytes", "Memory that is resident.", residentBytes),
		gauge("process_virtual_memory_bytes", "Memory that is mapped.", virtualBytes),
	}
}
