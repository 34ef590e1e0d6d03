package process

import (
	"os"
	"testing"
)

func TestReserveThreads(t *testing.T) {
	const n = 40
	ReserveThreads(n)
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) < n {
		t.Errorf("%d threads, want %d at least", len(tasks), n)
	}
}
