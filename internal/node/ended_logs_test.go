package node

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

func TestSurplus(t *testing.T) {
	const mib = 1 << 20
	pods := func(sizes ...int64) (all []endedPod) {
		for _, size := range sizes {
			all = append(all, endedPod{bytes: size})
		}
		return all
	}
	for name, test := range map[string]struct {
		pods []endedPod
		want int
	}{
		"none":                      {nil, 0},
		"one that is too large":     {pods(500 * mib), 0},
		"room for all":              {pods(50*mib, 50*mib), 0},
		"no room for the first":     {pods(50*mib, 50*mib, 1), 1},
		"the last is too large":     {pods(1, 1, 500*mib), 2},
		"a large one in the middle": {pods(1, 500*mib, 1), 2},
		"many small ones":           {pods(make([]int64, keptEndedPods+3)...), 3},
	} {
		if got := surplus(test.pods); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// TestEndedLogs: of Pods that are replaced again and again the last ones are kept.
func TestEndedLogs(t *testing.T) {
	dir := t.TempDir()
	var logs endedLogs
	for i := range keptEndedPods + 5 {
		pod := filepath.Join(dir, strconv.Itoa(i))
		err := errors.Join(os.MkdirAll(filepath.Join(pod, "app"), 0o700), os.WriteFile(filepath.Join(pod, "app", "0.log"), []byte("line"), 0o600))
		if err := errors.Join(err, logs.add(pod)); err != nil {
			t.Fatal(err)
		}
	}
	if err := logs.add(filepath.Join(dir, "without-output")); err != nil {
		t.Error(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != keptEndedPods-1 {
		t.Errorf("%d folders are kept, %v, want %d and one that was never made", len(entries), err, keptEndedPods-1)
	}
	if size, err := sizeOf(filepath.Join(dir, "24")); err != nil || size != 4 {
		t.Errorf("the last one has %d bytes, %v", size, err)
	}
}
