package live

import (
	"errors"
	"io"
	"slices"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/terminal/screen"
)

// aroundBytes is how much is loaded before a place that somebody goes to.
const aroundBytes = 64 << 10

// bounds are where the lines that are loaded begin and end.
type bounds struct{ begin, end place }

// older loads lines before those that are loaded. It reports whether there were any.
func (r *logReader) older(h *hub) bool {
	if len(r.log.Lines) == 0 {
		return false
	}
	b, err := r.bounds()
	if err != nil {
		return r.failed(err)
	}
	first := r.log.Lines[0].At
	lines, at, eof, err := r.collect(b.begin, true, r.attempts(h, true, first), firstBytes)
	if err != nil {
		return r.failed(err)
	}
	slices.Reverse(lines)
	for i := range lines {
		lines[i].Seq = r.log.Lines[0].Seq - len(lines) + i
	}
	b.begin, r.log.Older = at, !eof
	all := append(lines, r.log.Lines...)
	r.log.Lines = slices.Clone(all[:kept(all, false)])
	if dropped := all[len(r.log.Lines):]; len(dropped) > 0 {
		if err := r.step(b.end, dropped, true); err != nil {
			return r.failed(err)
		}
		r.apart, r.log.Newer = &b, true
	} else if r.apart != nil {
		r.apart = &b
	}
	return len(lines) > 0
}

// newer loads lines after those that are loaded, if these do not reach to the end. It reports
// whether there were any.
func (r *logReader) newer(h *hub) bool {
	if r.apart == nil || len(r.log.Lines) == 0 {
		return false
	}
	last := r.log.Lines[len(r.log.Lines)-1].At
	lines, at, _, err := r.collect(r.apart.end, false, r.attempts(h, false, last), firstBytes)
	if err != nil {
		return r.failed(err)
	}
	r.apart.end = at
	r.add(lines)
	dropped := r.trim()
	if err := r.step(r.apart.begin, dropped, false); err != nil {
		return r.failed(err)
	}
	r.log.Older = r.log.Older || len(dropped) > 0
	return len(lines) > 0
}

// oldest loads the first lines that are kept.
func (r *logReader) oldest(h *hub) { r.around(h, place{}, time.Time{}) }

// around loads the lines on both sides of a place, which is one of this time, and returns the
// number of the first one behind it.
func (r *logReader) around(h *hub, p place, when time.Time) (seq int) {
	before, begin, eof, err := r.collect(p, true, r.attempts(h, true, when), aroundBytes)
	if err != nil {
		r.failed(err)
		return r.seq
	}
	slices.Reverse(before)
	after, end, _, err := r.collect(p, false, r.attempts(h, false, when.Add(-1)), firstBytes)
	if err != nil {
		r.failed(err)
		return r.seq
	}
	r.log.Lines = nil
	r.apart, r.log.Newer, r.log.Older = &bounds{begin, end}, true, !eof
	r.add(before)
	seq = r.seq
	r.add(after)
	return seq
}

// attempts are those of the Pods whose log is shown that are older than a time, the newest first;
// or those that are newer, the oldest first.
func (r *logReader) attempts(h *hub, older bool, than time.Time) []attemptLine {
	var all []attemptLine
	for _, s := range h.logSources(r.want, attemptsSeen{}) {
		for _, a := range s.attempts {
			if order := a.at.Compare(than); older && order < 0 || !older && order > 0 {
				all = append(all, a)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b attemptLine) int { return a.at.Compare(b.at) })
	if older {
		slices.Reverse(all)
	}
	return all
}

// failed notes why nothing could be loaded.
func (r *logReader) failed(err error) bool {
	r.log.Err = clean("cannot read the log: " + err.Error())
	return false
}

// collect reads lines from a place on, in the order of the reading, until they have so many bytes.
func (r *logReader) collect(from place, back bool, attempts []attemptLine, most int) (lines []screen.LogLine, at place, eof bool, err error) {
	m, err := openLogs(r.sources, from, back, attempts)
	if err != nil {
		return nil, nil, false, err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	for bytes := 0; bytes < most; {
		next, err := m.next()
		if errors.Is(err, io.EOF) {
			return lines, m.place(false), true, nil
		}
		if err != nil {
			return nil, nil, false, err
		}
		bytes += len(next.text) + stampSize
		lines = append(lines, next.line())
	}
	return lines, m.place(false), false, nil
}

// bounds are where the lines begin and end that are loaded.
func (r *logReader) bounds() (bounds, error) {
	if r.apart != nil {
		return *r.apart, nil
	}
	b := bounds{place{}, place{}}
	for _, s := range r.sources {
		at, err := r.endOf(s)
		if err != nil {
			return b, err
		}
		b.begin[s.id], b.end[s.id] = at, at
	}
	return b, r.step(b.begin, r.log.Lines, true)
}

// endOf is how far a log was read while it was followed.
func (r *logReader) endOf(s *logSource) (process.LogPosition, error) {
	if log := r.open[s.id.containerID]; log != nil && log.source == s {
		return log.Position(), nil
	}
	log := s.open() // it was read to its end
	err := log.SeekEnd()
	return log.Position(), errors.Join(err, log.Close())
}

// step moves a place by lines, each in the log that it comes from.
func (r *logReader) step(p place, lines []screen.LogLine, back bool) error {
	counts := map[int]int{}
	for _, l := range lines {
		counts[l.Source]++
	}
	for _, s := range r.sources {
		if counts[s.number] == 0 {
			continue
		}
		at, err := s.step(p[s.id], counts[s.number], back)
		if err != nil {
			return err
		}
		p[s.id] = at
	}
	return nil
}

// step is the position so many lines further.
func (s *logSource) step(at process.LogPosition, lines int, back bool) (to process.LogPosition, err error) {
	log := s.open()
	defer func() { err = errors.Join(err, log.Close()) }()
	if err := log.Seek(at); errors.Is(err, process.ErrLogGone) {
		return process.LogPosition{}, nil // what is kept begins later
	} else if err != nil {
		return at, err
	}
	read := log.Next
	if back {
		read = log.Previous
	}
	for range lines {
		if _, err := read(); err != nil {
			return log.Position(), unlessEOF(err)
		}
	}
	return log.Position(), nil
}
