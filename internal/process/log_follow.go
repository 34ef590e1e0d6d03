package process

import (
	"bytes"
	"sync/atomic"
	"time"
)

// Follower gets the entries of a log from a moment on. One that is slow loses entries; the
// container does not wait for it.
type Follower struct {
	log     *Log
	entries chan LogEntry
	dropped atomic.Int64
}

// defaultFollow is room for many lines at once, before the reader runs again.
const defaultFollow = 256

// Follow begins to follow. room is how many entries may wait to be received; 0 means 256. Stop ends
// it, and so does the end of the log.
func (l *Log) Follow(room int) *Follower {
	if room <= 0 {
		room = defaultFollow
	}
	f := &Follower{log: l, entries: make(chan LogEntry, room)}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.followers[f] = struct{}{}
	if l.closed {
		l.removeLocked(f)
	}
	return f
}

// Entries is closed after the last entry.
func (f *Follower) Entries() <-chan LogEntry { return f.entries }

// Dropped is how many entries were lost so far because the reader was slow.
func (f *Follower) Dropped() int64 { return f.dropped.Load() }

// Stop ends the following before the log ends; so far only tests do: the node follows a log to its
// end. It can be called more than once.
func (f *Follower) Stop() {
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	f.log.removeLocked(f)
}

func (l *Log) removeLocked(f *Follower) {
	if _, ok := l.followers[f]; ok {
		delete(l.followers, f)
		close(f.entries)
	}
}

func (l *Log) publishLocked(now time.Time, stream Stream, partial bool, text []byte) {
	var shared []byte // one copy for all followers, none for full ones
	for f := range l.followers {
		if len(f.entries) == cap(f.entries) {
			f.dropped.Add(1)
			continue
		}
		if shared == nil {
			shared = bytes.Clone(text)
		}
		f.entries <- LogEntry{Time: now, Stream: stream, Partial: partial, Text: shared}
	}
}
