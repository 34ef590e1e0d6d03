//go:build soak

package soak

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/probity-run/probity/test/harness"
)

// resources are what Probity and its shepherd hold.
type resources struct {
	goroutines  int
	timers      int64 // of package time
	heap        uint64
	descriptors [2]int // of Probity and the shepherd
	resident    [2]int64
	files       int
}

func (s resources) String() string {
	return fmt.Sprintf("%d goroutines, %d timers, %d KiB of heap, %v descriptors, %d and %d MiB resident, %d files",
		s.goroutines, s.timers, s.heap>>10, s.descriptors, s.resident[0]>>20, s.resident[1]>>20, s.files)
}

// measureResources removes all faults and counts.
func (s *soak) measureResources() resources {
	s.t.Helper()
	s.removeFaults()
	now := measureProcesses(s.t)
	err := filepath.WalkDir(filepath.Join(s.dir, "state", "pods"), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			now.files++
		}
		return nil // some are removed meanwhile
	})
	if err != nil {
		s.t.Error(err)
	}
	return now
}

// measureProcesses counts what this process and its shepherd hold.
func measureProcesses(t *testing.T) (now resources) {
	t.Helper()
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	now.heap = memory.HeapAlloc
	now.timers = timers()
	// goroutines of attempts come and go: the smallest number is that of those that stay
	now.goroutines = runtime.NumGoroutine()
	for range 1000 {
		runtime.Gosched()
		now.goroutines = min(now.goroutines, runtime.NumGoroutine())
	}
	for i, pid := range []int{os.Getpid(), shepherdOf(t, os.Getpid())} {
		var err error
		if now.descriptors[i], err = harness.Descriptors(pid); err != nil {
			t.Error(err)
		}
		if now.resident[i], _, err = harness.Memory(pid); err != nil {
			t.Error(err)
		}
	}
	return now
}

// timers counts the timers and tickers that are in use, set or not. It needs a memory profile of
// every allocation.
func timers() (n int64) {
	records := make([]runtime.MemProfileRecord, 1<<16)
	count, _ := runtime.MemProfile(records, false) // as of the last collection
	for _, record := range records[:count] {
		for frames, more := runtime.CallersFrames(record.Stack()), true; more; {
			var frame runtime.Frame
			frame, more = frames.Next()
			switch frame.Function {
			case "time.NewTimer", "time.NewTicker", "time.AfterFunc":
				n += record.InUseObjects()
				more = false
			}
		}
	}
	return n
}

// compare fails if something has grown by more than what comes and goes all the time. A leak of one
// for each restart would be hundreds.
func (s resources) compare(t *testing.T, before resources) {
	t.Helper()
	within := func(what string, got, was, room int64) {
		t.Helper()
		if got > was+room {
			t.Errorf("%s: %d at the end, %d at the beginning", what, got, was)
		}
	}
	within("goroutines", int64(s.goroutines), int64(before.goroutines), 50)
	within("timers", s.timers, before.timers, 50)
	// the store keeps the last few thousand Events and changes
	within("heap", int64(s.heap), int64(before.heap), 12<<20)
	within("descriptors of Probity", int64(s.descriptors[0]), int64(before.descriptors[0]), 50)
	within("descriptors of the shepherd", int64(s.descriptors[1]), int64(before.descriptors[1]), 5)
	within("memory of Probity", s.resident[0], before.resident[0], 40<<20)
	within("memory of the shepherd", s.resident[1], before.resident[1], 8<<20)
	if s.files > 2*pods {
		t.Errorf("%d files, want the output of two instances of each Pod at most", s.files)
	}
}

func shepherdOf(t *testing.T, probity int) int {
	t.Helper()
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil && harness.IsShepherdOf(pid, probity) {
			return pid
		}
	}
	t.Fatal("there is no shepherd")
	return 0
}
