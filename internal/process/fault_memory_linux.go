package process

import (
	"bytes"
	"os"
	"strconv"
	"time"
)

// memoryPeriod is how often the memory of a tree is looked at.
const memoryPeriod = 50 * time.Millisecond

// memoryFault is FaultMemory. exceeded kills the tree.
type memoryFault struct {
	root     int
	limit    int64
	exceeded func()
}

func (f *memoryFault) begin(time.Time) error {
	_, err := residentBytes(f.root)
	return err
}

func (f *memoryFault) step(now time.Time) (next time.Time, done bool, err error) {
	pids, err := descendants(f.root)
	if err != nil {
		return now.Add(memoryPeriod), true, nil // a shortage of ours: the next look will tell
	}
	var sum int64
	for _, pid := range pids {
		bytes, _ := residentBytes(pid) // it has ended
		sum += bytes
	}
	if sum > f.limit {
		f.exceeded()
		return time.Time{}, true, nil
	}
	return now.Add(memoryPeriod), true, nil
}

func (f *memoryFault) undo() error { return nil }

// residentBytes is how much of a process is in memory. What several share is counted with each.
func residentBytes(pid int) (int64, error) {
	data, err := os.ReadFile(procPath(pid, "statm"))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0, errBadStat
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err
}
