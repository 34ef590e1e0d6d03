package process

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// LogPosition is a place in a log that can be kept and come back to, also by another reader and
// after rotations. The zero value is the beginning of what is kept.
type LogPosition struct {
	file   string // the time of the first entry of the file, which no other file has
	offset int64
}

// ErrLogGone says that the file of a position was deleted.
var ErrLogGone = errors.New("this part of the log is not kept any more")

// String is the position as a text, for [ParseLogPosition].
func (p LogPosition) String() string {
	if p.file == "" {
		return ""
	}
	return p.file + "+" + strconv.FormatInt(p.offset, 10)
}

// ParseLogPosition reads what [LogPosition.String] has written.
func ParseLogPosition(text string) (LogPosition, error) {
	if text == "" {
		return LogPosition{}, nil
	}
	file, number, ok := strings.Cut(text, "+")
	offset, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || file == "" || offset < 0 {
		return LogPosition{}, fmt.Errorf("%.60q is no position in a log", text)
	}
	return LogPosition{file, offset}, nil
}

// Position is the place of the reader.
func (r *LogReader) Position() LogPosition { return LogPosition{r.first, r.offset} }

// Seek goes to a place. The error matches [ErrLogGone] if that is not kept any more; then the
// reader stays where it is.
func (r *LogReader) Seek(p LogPosition) error {
	if p.file == "" {
		return r.Close()
	}
	missing := 0
	for n := 0; missing <= gap; n++ {
		file, err := r.files.open(n)
		if err != nil {
			return err
		}
		if file == nil {
			missing++
			continue
		}
		missing = 0
		first, err := firstStamp(file)
		if err == nil && first == p.file {
			return r.seekIn(file, p.offset)
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return err
		}
	}
	return fmt.Errorf("cannot go to %v: %w", p, ErrLogGone)
}

// seekIn goes to an offset, which has to be the beginning of a line.
func (r *LogReader) seekIn(file *logPiece, offset int64) error {
	before := make([]byte, 1)
	if offset > 0 {
		if _, err := file.ReadAt(before, offset-1); err != nil && !errors.Is(err, io.EOF) || before[0] != '\n' {
			return errors.Join(fmt.Errorf("cannot go to the byte %d of the log %s: no line begins there", offset, file.Name()), file.Close())
		}
	}
	_, err := r.enter(file, offset)
	return err
}

// firstStamp is the time of a file's first entry as it is written there, "" if there is none yet.
func firstStamp(file *logPiece) (string, error) {
	head, err := bufio.NewReaderSize(io.NewSectionReader(file, 0, 64), 64).Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the log: %w", err)
	}
	stamp, _, ok := bytes.Cut(head, []byte{' '})
	if !ok {
		return "", nil
	}
	return string(stamp), nil
}
