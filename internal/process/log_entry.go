package process

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Stream is one of the two outputs of a process.
type Stream string

// The streams, as they are written in log files.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// MaxLine is how many bytes of a line one entry holds. Longer lines become several entries, as
// container runtimes do it.
const MaxLine = 16 << 10

// LogEntry is one line of a log, or a piece of one.
type LogEntry struct {
	// Time is when the line was read from the process.
	Time time.Time
	// Stream is where it was written to.
	Stream Stream
	// Partial means that no newline followed Text: the line goes on in the next entry of the
	// stream, or the process ended within it.
	Partial bool
	// Text is the line without its newline, any bytes. Not to be modified.
	Text []byte
}

// appendLogEntry writes the log format of the container runtime interface, which is
//
//	<RFC 3339 time> <stream> <P or F> <text>
func appendLogEntry(b []byte, stamp string, stream Stream, partial bool, text []byte) []byte {
	tag := " F "
	if partial {
		tag = " P "
	}
	b = append(b, stamp...)
	b = append(b, ' ')
	b = append(b, stream...)
	b = append(b, tag...)
	b = append(b, text...)
	return append(b, '\n')
}

// stampOf is in UTC, so that logs of different machines can be compared.
func stampOf(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

var errBadLogEntry = errors.New("malformed log line")

// ParseLogEntry reads one line of a log file, without its newline. Text shares the memory of line.
func ParseLogEntry(line []byte) (LogEntry, error) {
	stamp, rest, ok1 := bytes.Cut(line, []byte{' '})
	stream, rest, ok2 := bytes.Cut(rest, []byte{' '})
	tag, text, ok3 := bytes.Cut(rest, []byte{' '})
	if !ok1 || !ok2 || !ok3 {
		return LogEntry{}, errBadLogEntry
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return LogEntry{}, fmt.Errorf("%w: %w", errBadLogEntry, err)
	}
	e := LogEntry{Time: at, Stream: Stream(stream), Partial: string(tag) == "P", Text: text}
	if e.Stream != Stdout && e.Stream != Stderr || !e.Partial && string(tag) != "F" {
		return LogEntry{}, errBadLogEntry
	}
	return e, nil
}
