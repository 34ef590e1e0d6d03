package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// LogReader reads the files of one container instance, in both directions and across rotations. It
// stands between two entries. It never holds up the writer, and the writer may go on meanwhile: a
// file that is rotated or deleted while it is read is read to its end. It belongs to one goroutine.
// Close it.
type LogReader struct {
	files  logFiles
	file   *logPiece // nil: before the first file
	first  string    // the time of its first entry
	offset int64     // of the place in the file
	final  bool      // the file is not written any more
	lost   bool

	block []byte // a part of the file
	start int64  // where that begins
}

// blockSize is how much is read of a file at a time. An entry always fits into it.
const blockSize = 64 << 10

// OpenLogReader opens the log of an instance and stands before its first entry. There need not be a
// file yet. The folder is that of [LogOptions].
func OpenLogReader(dir string, instance int) *LogReader {
	return &LogReader{files: logFiles{logPath(dir, instance)}}
}

// Close closes the file that is being read.
func (r *LogReader) Close() error {
	file := r.file
	r.leave()
	if file == nil {
		return nil
	}
	return file.Close()
}

// Next returns the entry behind the place, and goes behind it. The error is io.EOF if there is none
// yet: later there may be. Lines that are no entries are left out. The text is valid until the next
// call.
func (r *LogReader) Next() (LogEntry, error) {
	for {
		line, err := r.lineAfter()
		if err != nil {
			return LogEntry{}, err
		}
		if line == nil {
			if more, err := r.nextFile(); err != nil || !more {
				return LogEntry{}, errors.Join(err, eofUnless(err))
			}
			continue
		}
		r.offset += int64(len(line)) + 1
		if entry, err := ParseLogEntry(line); err == nil {
			return entry, nil
		}
	}
}

// Previous returns the entry before the place, and goes before it. The error is io.EOF at the
// beginning of what is kept. The text is valid until the next call.
func (r *LogReader) Previous() (LogEntry, error) {
	for {
		line, err := r.lineBefore()
		if err != nil {
			return LogEntry{}, err
		}
		if line == nil {
			if more, err := r.previousFile(); err != nil || !more {
				return LogEntry{}, errors.Join(err, eofUnless(err))
			}
			continue
		}
		r.offset -= int64(len(line)) + 1
		if entry, err := ParseLogEntry(line); err == nil {
			return entry, nil
		}
	}
}

// Find goes on by Next, or by Previous if back is set, to the first entry that matches, and
// returns it. The error is io.EOF if none does.
func (r *LogReader) Find(back bool, matches func(LogEntry) bool) (LogEntry, error) {
	step := r.Next
	if back {
		step = r.Previous
	}
	for {
		entry, err := step()
		if err != nil || matches(entry) {
			return entry, err
		}
	}
}

// Lost reports whether files were deleted before they were read, since the last time it was asked:
// the reader was slower than the container by all that is kept.
func (r *LogReader) Lost() bool {
	lost := r.lost
	r.lost = false
	return lost
}

// SeekEnd goes behind the last entry.
func (r *LogReader) SeekEnd() error {
	for n := range 2 { // the current file may have no entry yet
		file, err := r.files.open(n)
		if err != nil {
			return err
		}
		if file == nil {
			continue
		}
		if entered, err := r.enterAtEnd(file); err != nil || entered {
			return err
		}
	}
	return nil
}

// eofUnless is the end of the log, unless something went wrong.
func eofUnless(err error) error {
	if err != nil {
		return nil
	}
	return io.EOF
}

// lineAfter is the line behind the place, nil if there is no whole one.
func (r *LogReader) lineAfter() ([]byte, error) {
	for range 2 {
		if r.offset >= r.start && r.offset <= r.end() {
			if n := bytes.IndexByte(r.block[r.offset-r.start:], '\n'); n >= 0 {
				return r.block[r.offset-r.start:][:n], nil
			}
		}
		if err := r.load(r.offset); err != nil {
			return nil, err
		}
	}
	if len(r.block) == blockSize { // not one of ours: a line without an end
		r.offset += blockSize
		return r.lineAfter()
	}
	return nil, nil
}

// lineBefore is the line before the place, nil if the file begins there.
func (r *LogReader) lineBefore() ([]byte, error) {
	if r.file == nil || r.offset == 0 {
		return nil, nil
	}
	for range 2 {
		if r.offset > r.start && r.offset <= r.end() {
			before := r.block[:r.offset-r.start-1] // without the line's own end
			if n := bytes.LastIndexByte(before, '\n'); n >= 0 {
				return before[n+1:], nil
			} else if r.start == 0 {
				return before, nil
			}
		}
		if err := r.load(max(0, r.offset-blockSize)); err != nil {
			return nil, err
		}
	}
	r.offset = max(1, r.start) // not one of ours: a line without an end
	return r.lineBefore()
}

func (r *LogReader) end() int64 { return r.start + int64(len(r.block)) }

// load reads the block that begins at an offset.
func (r *LogReader) load(from int64) error {
	r.start, r.block = from, r.block[:0]
	if r.file == nil {
		return nil
	}
	if cap(r.block) < blockSize {
		r.block = make([]byte, 0, blockSize)
	}
	n, err := r.file.ReadAt(r.block[:blockSize], from)
	r.block = r.block[:n]
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the log %s: %w", r.files.path, err)
	}
	return nil
}

// nextFile goes to the beginning of the file behind the one that was read to its end. It reports
// false if there is nothing more to read for now.
func (r *LogReader) nextFile() (bool, error) {
	if r.file == nil {
		return r.enterOldest()
	}
	there, err := r.files.find(r.file)
	switch {
	case err != nil || there && r.file.number == 0:
		return false, err
	case !r.final: // something may have been written between its end and its rotation
		r.final = true
		return true, r.load(r.offset)
	case !there:
		more, err := r.enterOldest()
		r.lost = r.lost || more
		return more, err
	}
	next, err := r.files.neighbour(r.file, -1)
	if err != nil || next == nil {
		return false, err
	}
	return r.enter(next, 0)
}

// previousFile goes to the end of the file before the one at whose beginning the place is.
func (r *LogReader) previousFile() (bool, error) {
	if r.file == nil {
		return false, nil
	}
	older, err := r.files.neighbour(r.file, +1)
	if err != nil || older == nil {
		return false, err
	}
	return r.enterAtEnd(older)
}

// enterOldest goes to the beginning of the oldest file.
func (r *LogReader) enterOldest() (bool, error) {
	file, err := r.files.oldest()
	if err != nil || file == nil {
		return false, err
	}
	return r.enter(file, 0)
}

// enter goes to a place in a file, unless that has no entry yet.
func (r *LogReader) enter(file *logPiece, offset int64) (entered bool, err error) {
	first, err := firstStamp(file)
	if err != nil || first == "" {
		return false, errors.Join(err, file.Close())
	}
	before := r.file
	r.leave()
	r.file, r.first, r.offset = file, first, offset
	if before != nil {
		err = before.Close()
	}
	return true, err
}

// enterAtEnd goes behind the last whole line of a file.
func (r *LogReader) enterAtEnd(file *logPiece) (entered bool, err error) {
	info, err := file.Stat() // anew: it grows
	if err != nil {
		return false, errors.Join(err, file.Close())
	}
	if entered, err := r.enter(file, info.Size()); err != nil || !entered {
		return false, err
	}
	return true, r.backToLineEnd()
}

// backToLineEnd goes back to the end of a line: one that is just being written is none yet.
func (r *LogReader) backToLineEnd() error {
	for r.offset > 0 {
		from := max(0, r.offset-blockSize)
		if err := r.load(from); err != nil {
			return err
		}
		if n := bytes.LastIndexByte(r.block[:min(int64(len(r.block)), r.offset-from)], '\n'); n >= 0 {
			r.offset = from + int64(n) + 1
			return nil
		}
		r.offset = from
	}
	return nil
}

// leave forgets what is known of the file.
func (r *LogReader) leave() {
	r.file, r.first, r.offset, r.final, r.block, r.start = nil, "", 0, false, r.block[:0], 0
}
