package process

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Stream says which of the two outputs a line came from.
type Stream string

// The streams, as they are written in log files.
const (
	Stdout Stream = "stdout"
	Stderr Stream = "stderr"
)

// MaxLine is how many bytes of a line one entry holds. Longer lines become several
// entries, as container runtimes do it.
const MaxLine = 16 << 10

// Entry is one line of a log, or a piece of one.
type Entry struct {
	// Time is when the line was read from the process.
	Time time.Time
	// Stream is where it was written to.
	Stream Stream
	// Partial says that no newline followed Text: the line goes on in the next
	// entry of the stream, or the process ended within it.
	Partial bool
	// Text is the line without its newline, any bytes. Not to be modified.
	Text []byte
}

// appendEntry writes the log format of the container runtime interface:
// "<RFC 3339 time> <stream> <P or F> <text>\n".
func appendEntry(b []byte, stamp string, stream Stream, partial bool, text []byte) []byte {
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

var errBadEntry = errors.New("malformed log line")

// ParseEntry reads one line of a log file, without its newline. Text shares the
// memory of line.
func ParseEntry(line []byte) (Entry, error) {
	stamp, rest, ok1 := bytes.Cut(line, []byte{' '})
	stream, rest, ok2 := bytes.Cut(rest, []byte{' '})
	tag, text, ok3 := bytes.Cut(rest, []byte{' '})
	if !ok1 || !ok2 || !ok3 {
		return Entry{}, errBadEntry
	}
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", errBadEntry, err)
	}
	e := Entry{Time: at, Stream: Stream(stream), Partial: string(tag) == "P", Text: text}
	if e.Stream != Stdout && e.Stream != Stderr || !e.Partial && string(tag) != "F" {
		return Entry{}, errBadEntry
	}
	return e, nil
}
