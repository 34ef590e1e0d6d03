package logs

import (
	"errors"
	"io"
)

// merge gives the lines of several logs in the order of their times, to their ends.
func merge(sources []*source, yield func(Line) error) error {
	heads := make([]*Line, len(sources))
	for i := range sources {
		if err := advance(sources[i], &heads[i]); err != nil {
			return err
		}
	}
	for {
		first := -1
		for i, head := range heads {
			if head != nil && (first < 0 || head.Time.Before(heads[first].Time)) {
				first = i
			}
		}
		if first < 0 {
			return nil
		}
		if err := yield(*heads[first]); err != nil {
			return err
		}
		if err := advance(sources[first], &heads[first]); err != nil {
			return err
		}
	}
}

// advance reads the next line of a log; at its end that is nil.
func advance(s *source, head **Line) error {
	line, err := s.next()
	switch {
	case errors.Is(err, io.EOF):
		*head = nil
	case err != nil:
		return err
	default:
		*head = &line
	}
	return nil
}

// seam is where the lines of a container that were given end, so that another reader of the same
// log gives none twice: many lines can have one time.
type seam struct {
	last Line
	same int // how many lines had the time of the last one

	restarts int32 // how many there were before the instance that was read; -1 if none was
}

// pass notes a line that is given.
func (s *seam) pass(line Line) {
	if line.Time.Equal(s.last.Time) {
		s.same++
	} else {
		s.same = 1
	}
	s.last = line
}

// reader tells of the lines of one reader of a log which of them were given before it began.
type reader struct {
	seam
	given seam
	of    key // whose log it is
}

// isNew reports whether a line was not given before.
func (r *reader) isNew(line Line) bool {
	r.pass(line)
	if line.Time.Equal(r.given.last.Time) {
		return r.same > r.given.same
	}
	return line.Time.After(r.given.last.Time)
}
