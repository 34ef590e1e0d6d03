package live

import (
	"errors"
	"io"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// logID is the log of one instance of a container.
type logID struct {
	containerID
	instance int
}

// logSource is a log that lines come from.
type logSource struct {
	id     logID
	number int
	label  string // before its lines, where there are several
	// open opens it at its beginning
	open func() *process.LogReader
}

// place is where several logs stand at one moment: what comes before it in one is not younger than
// what comes after it in another. A log that is not in it stands at its beginning.
type place map[logID]process.LogPosition

// logMerge reads several logs, and the attempts of probes, as one in the order of time, forward or
// back. It belongs to one goroutine.
type logMerge struct {
	back    bool
	cursors []*logCursor
	last    *logCursor // whose item was returned last
}

// logCursor stands in one of the logs, with the next item of it; or among the attempts.
type logCursor struct {
	source   *logSource
	reader   *process.LogReader
	before   process.LogPosition // where it stood before it read the entry
	entry    process.LogEntry
	has      bool
	attempts []attemptLine // those that are left, the next one first, if reader is nil
}

// item is a line of a log, or an attempt of a probe. It is valid until the next one is read.
type item struct {
	source  *logSource // nil for an attempt
	at      time.Time
	text    []byte
	attempt attemptLine
}

// openLogs begins to read at a place. attempts are those of the side to which it goes, in the
// order in which they come there.
func openLogs(sources []*logSource, from place, back bool, attempts []attemptLine) (*logMerge, error) {
	m := &logMerge{back: back, cursors: []*logCursor{{attempts: attempts}}}
	for _, s := range sources {
		c := &logCursor{source: s, reader: s.open()}
		m.cursors = append(m.cursors, c)
		err := c.reader.Seek(from[s.id])
		if errors.Is(err, process.ErrLogGone) { // it was rotated away: what is kept begins later
			err = c.reader.Seek(process.LogPosition{})
		}
		if err == nil {
			err = c.advance(back)
		}
		if err != nil {
			return nil, errors.Join(err, m.close())
		}
	}
	return m, nil
}

// advance reads the next entry of a log.
func (c *logCursor) advance(back bool) error {
	c.before = c.reader.Position()
	read := c.reader.Next
	if back {
		read = c.reader.Previous
	}
	entry, err := read()
	c.entry, c.has = entry, err == nil
	return unlessEOF(err)
}

// at is when the next item of a cursor was; false if there is none.
func (c *logCursor) at() (time.Time, bool) {
	if c.reader != nil {
		return c.entry.Time, c.has
	}
	if len(c.attempts) == 0 {
		return time.Time{}, false
	}
	return c.attempts[0].at, true
}

// next is the next item of all; io.EOF if there is none.
func (m *logMerge) next() (item, error) {
	if c := m.last; c != nil {
		m.last = nil
		if c.reader == nil {
			c.attempts = c.attempts[1:]
		} else if err := c.advance(m.back); err != nil {
			return item{}, err
		}
	}
	var first *logCursor
	var when time.Time
	for _, c := range m.cursors {
		at, ok := c.at()
		if ok && (first == nil || m.back && !at.Before(when) || !m.back && at.Before(when)) {
			first, when = c, at
		}
	}
	if first == nil {
		return item{}, io.EOF
	}
	m.last = first
	if first.reader == nil {
		return item{at: when, attempt: first.attempts[0]}, nil
	}
	return item{source: first.source, at: when, text: first.entry.Text}, nil
}

// place is behind the item that was returned last, in the direction of the reading; before it if
// that is wanted.
func (m *logMerge) place(beforeLast bool) place {
	p := place{}
	for _, c := range m.cursors {
		switch {
		case c.reader == nil:
		case c == m.last && !beforeLast || !c.has:
			p[c.source.id] = c.reader.Position()
		default:
			p[c.source.id] = c.before
		}
	}
	return p
}

// line is an item as a line of a log.
func (i *item) line() screen.LogLine {
	if i.source == nil {
		return i.attempt.line()
	}
	return i.source.line(i.at, i.text)
}

func (m *logMerge) close() error {
	var errs error
	for _, c := range m.cursors {
		if c.reader != nil {
			errs = errors.Join(errs, c.reader.Close())
		}
	}
	return errs
}
