package system

import "time"

const (
	// pauseTime is how long files have to be left alone until they are read again: editors write in
	// several steps.
	pauseTime = 200 * time.Millisecond
	// delayTime is how long a change waits at most, where something is always being written.
	delayTime = 800 * time.Millisecond
	// settleTime is how long files have to be left alone until what is missing in them is taken as
	// meant: some are written in pieces.
	settleTime = 1500 * time.Millisecond
)

// pace decides when files that change are read. The zero value is at rest.
type pace struct {
	// of the changes since the last reading, and of all since the files rested
	first, last time.Time
	unread      bool
}

// change notes a change.
func (p *pace) change(now time.Time) {
	if !p.unread {
		p.first, p.unread = now, true
	}
	p.last = now
}

// mayWait reports whether what is due now may be put off, as a file is still open to be written.
func (p *pace) mayWait(now time.Time) bool {
	return p.unread && now.Before(p.first.Add(delayTime))
}

// next is when due has something to say; zero if that needs a change.
func (p *pace) next() time.Time {
	switch {
	case p.last.IsZero():
		return time.Time{}
	case !p.unread:
		return p.last.Add(settleTime)
	}
	quiet, late := p.last.Add(pauseTime), p.first.Add(delayTime)
	if late.Before(quiet) {
		return late
	}
	return quiet
}

// due reports whether the files are to be read now, and whether they are as they are meant to be.
func (p *pace) due(now time.Time) (read, settled bool) {
	if next := p.next(); next.IsZero() || now.Before(next) {
		return false, false
	}
	p.unread = false
	if settled = !now.Before(p.last.Add(settleTime)); settled {
		p.last = time.Time{}
	}
	return true, settled
}
