package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// logFiles finds its way between the files of one instance while somebody rotates them. The file n
// is the one that was rotated n times; a rotation moves each to n+1, the oldest first.
type logFiles struct{ path string }

// logPiece is an open file of a log.
type logPiece struct {
	*os.File
	info   fs.FileInfo
	number int // the last one that it was known to have; numbers only rise
}

// open opens the file n; nil if there is none.
func (f logFiles) open(n int) (*logPiece, error) {
	file, err := os.Open(rotatedPath(f.path, n))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read the log: %w", err), file.Close())
	}
	return &logPiece{file, info, n}, nil
}

// has reports whether a file has the number n now, and whether another one has.
func (f logFiles) has(file *logPiece, n int) (same, other bool, err error) {
	info, err := os.Stat(rotatedPath(f.path, n))
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("cannot read the log: %w", err)
	}
	same = os.SameFile(file.info, info)
	return same, !same, nil
}

// gap is how many numbers in a row may seem to be missing between files. A rotation leaves one out
// at a time, but there may be several while somebody looks.
const gap = 8

// find notes the number that an open file has, and reports false if it was deleted. As numbers only
// rise, a file that is looked for upwards cannot be missed.
func (f logFiles) find(file *logPiece) (bool, error) {
	missing := 0
	for n := file.number; missing <= gap; n++ {
		same, other, err := f.has(file, n)
		switch {
		case err != nil:
			return false, err
		case same:
			file.number = n
			return true, nil
		case other:
			missing = 0
		default:
			missing++
		}
	}
	return false, nil
}

// tries is how often somebody looks again because a file was rotated meanwhile.
const tries = 1000

// neighbour opens the file that is one older (+1) or newer (-1) than an open one; nil if there is
// none, or the open one was deleted, or the newer one is not there yet. The file found is the right
// one if the open one has the same number before and after.
func (f logFiles) neighbour(file *logPiece, step int) (*logPiece, error) {
	for range tries {
		there, err := f.find(file)
		n := file.number
		if err != nil || !there {
			return nil, err
		}
		found, err := f.beside(n, step)
		if err != nil {
			return nil, err
		}
		same, _, err := f.has(file, n)
		if err == nil && same {
			return found, nil
		}
		if found != nil {
			err = errors.Join(err, found.Close())
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("cannot read the log %s: its files are rotated faster than they can be opened", f.path)
}

// beside opens the file that is one older or newer than that with the number n, as long as that
// keeps its number: in the middle of a rotation it is one number further, as older ones move first.
func (f logFiles) beside(n, step int) (*logPiece, error) {
	if n+step < 0 {
		return nil, nil
	}
	found, err := f.open(n + step)
	if err != nil || found != nil || n+2*step < 0 {
		return found, err
	}
	found, err = f.open(n + 2*step)
	if err != nil || found == nil || step > 0 {
		return found, err
	}
	// The newer one may just have moved, and this be its successor.
	if moved, err := f.open(n + step); err != nil || moved != nil {
		return moved, errors.Join(err, found.Close())
	}
	return found, nil
}

// oldest opens the oldest file, nil if there is none.
func (f logFiles) oldest() (*logPiece, error) {
	var file *logPiece
	for n := 0; n <= gap && file == nil; n++ {
		var err error
		if file, err = f.open(n); err != nil {
			return nil, err
		}
	}
	for file != nil { // one after the other, as they may move meanwhile
		older, err := f.neighbour(file, +1)
		if err != nil || older == nil {
			return file, err
		}
		if err := file.Close(); err != nil {
			return older, err
		}
		file = older
	}
	return nil, nil
}
