package process

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk makes dir a disk of 64 KiB, for this thread alone.
func smallDisk(dir string) error {
	runtime.LockOSThread() // for good: the thread and the disk end with the goroutine
	return errors.Join(
		unix.Unshare(unix.CLONE_NEWNS),
		unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""),
		unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"),
	)
}

// TestLogOnFullDisk fills a disk within an entry: the file keeps whole entries, and goes on when
// there is room again.
func TestLogOnFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a disk")
	}
	dir := t.TempDir()
	var noDisk error
	var wg sync.WaitGroup
	wg.Go(func() {
		if noDisk = smallDisk(dir); noDisk == nil {
			fillDisk(t, dir)
		}
	})
	wg.Wait()
	if noDisk != nil {
		t.Skip("no permission for a disk: ", noDisk)
	}
}

func fillDisk(t *testing.T, dir string) {
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 32<<10), 0o600); err != nil {
		t.Error(err)
		return
	}
	f := logFile{path: logPath(dir, 0), maxSize: 10 << 20, maxFiles: 5}
	defer f.close()
	entry := []byte(strings.Repeat("x", 2999) + "\n")
	var err error
	for written := 0; err == nil && written < 1<<20; written += len(entry) {
		_, err = f.write(entry)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Errorf("error on the full disk = %v, want %v", err, unix.ENOSPC)
	}
	if err := os.Remove(ballast); err != nil {
		t.Error(err)
	}
	if _, err := f.write([]byte("again\n")); err != nil {
		t.Errorf("write with room again: %v", err)
	}
	data, err := os.ReadFile(f.path)
	rest, ok := bytes.CutSuffix(data, []byte("again\n"))
	if err != nil || !ok || len(rest) == 0 || len(rest)%len(entry) != 0 {
		t.Errorf("file of %d bytes, %v, want whole entries of %d and the last one", len(data), err, len(entry))
	}
}
