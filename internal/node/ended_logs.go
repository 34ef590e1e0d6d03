package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// What is kept of the logs of Pods that have ended: saving a manifest a hundred times shall not
// fill a disk. Those of the last one are always kept.
const (
	keptEndedPods  = 20
	keptEndedBytes = 100 << 20
)

// endedLogs are the folders of Pods that have ended. It is safe for concurrent use.
type endedLogs struct {
	mu   sync.Mutex
	pods []endedPod // the one that ended first comes first
}

type endedPod struct {
	dir   string
	bytes int64
}

// add keeps a folder, and removes the oldest ones that there is no room for any more.
func (l *endedLogs) add(dir string) error {
	size, err := sizeOf(dir)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pods = append(l.pods, endedPod{dir, size})
	n := surplus(l.pods)
	for _, pod := range l.pods[:n] {
		err = errors.Join(err, os.RemoveAll(pod.dir))
	}
	l.pods = append([]endedPod{}, l.pods[n:]...)
	return err
}

// surplus is how many of the oldest Pods have to go.
func surplus(pods []endedPod) int {
	bytes := int64(0)
	for kept := range len(pods) {
		pod := pods[len(pods)-1-kept]
		bytes += pod.bytes
		if kept == keptEndedPods || kept > 0 && bytes > keptEndedBytes {
			return len(pods) - kept
		}
	}
	return 0
}

// sizeOf is how many bytes the files in a folder have.
func sizeOf(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // a Pod without output, or a file that goes away
			return nil
		}
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
