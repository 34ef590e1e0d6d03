package process

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// fillName is the file that fills a disk.
	fillName = ".probity-disk-full"
	// fillPeriod is how often is filled what has become free.
	fillPeriod = 20 * time.Millisecond
	// leastFill is less than any disk gives away.
	leastFill = 512
)

// diskFault is FaultDisk.
type diskFault struct {
	root    int
	targets []string
	full    []fullDisk
}

// fullDisk is a disk that is filled: its folder, and the file in it, of a size.
type fullDisk struct {
	folder, file int
	size         int64
}

func (f *diskFault) begin(time.Time) error {
	for _, target := range f.targets {
		disk, err := openDisk(procPath(f.root, "root") + target)
		if err != nil {
			return err
		}
		f.full = append(f.full, disk)
	}
	return f.fill()
}

// openDisk makes the file on a disk that nobody but a namespace has: another one would be full for
// everybody.
func openDisk(path string) (fullDisk, error) {
	folder, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fullDisk{}, err
	}
	var system unix.Statfs_t
	if err = unix.Fstatfs(folder, &system); err == nil && (system.Type != unix.TMPFS_MAGIC || system.Blocks*uint64(system.Bsize) > MaxDisk) {
		err = fmt.Errorf("%s is no disk of its own: %w", path, unix.ENOTSUP)
	}
	file := -1
	if err == nil {
		file, err = unix.Openat(folder, fillName, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	}
	if err != nil {
		unix.Close(folder)
		return fullDisk{}, err
	}
	return fullDisk{folder: folder, file: file}, nil
}

// fill takes what is free, in halves down to nothing, as it may be less than the disk says.
func (f *diskFault) fill() error {
	for i := range f.full {
		d := &f.full[i]
		for piece := int64(MaxDisk); piece >= leastFill; {
			switch err := unix.Fallocate(d.file, 0, d.size, piece); {
			case err == nil:
				d.size += piece
			case errors.Is(err, unix.ENOSPC):
				piece /= 2
			case !errors.Is(err, unix.EINTR):
				return err
			}
		}
	}
	return nil
}

func (f *diskFault) step(now time.Time) (next time.Time, done bool, err error) {
	return now.Add(fillPeriod), true, f.fill()
}

func (f *diskFault) undo() (failed error) {
	for _, d := range f.full {
		if err := unix.Unlinkat(d.folder, fillName, 0); err != nil && !errors.Is(err, unix.ENOENT) {
			failed = errors.Join(failed, err)
			continue
		}
		unix.Close(d.file)
		unix.Close(d.folder)
	}
	if failed == nil {
		f.full = nil
	}
	return failed
}
