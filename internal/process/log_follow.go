package process

import (
	"context"
	"errors"
	"io"
)

// Follower gets the entries of a log from a moment on. It reads them from the files, so it misses
// none, however slow it is, unless the files are deleted before: see [LogReader.Lost]. The
// container never waits for it. Close it.
type Follower struct {
	*LogReader
	log     *Log
	changed chan struct{} // has a value when something was written
}

// Follow begins to follow, from the next entry on.
func (l *Log) Follow() (*Follower, error) {
	f := &Follower{OpenLogReader(l.options.Dir, l.options.Instance), l, make(chan struct{}, 1)}
	l.mu.Lock()
	l.followers[f] = struct{}{}
	l.mu.Unlock()
	if err := f.SeekEnd(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Await is Next, but waits for an entry. The error is io.EOF after the last one, when the log is
// closed, or the context's.
func (f *Follower) Await(ctx context.Context) (LogEntry, error) {
	for {
		closed := f.log.isClosed() // before the last look
		entry, err := f.Next()
		if !errors.Is(err, io.EOF) || closed {
			return entry, err
		}
		select {
		case <-f.changed:
		case <-ctx.Done():
			return LogEntry{}, ctx.Err()
		}
	}
}

// Close ends the following.
func (f *Follower) Close() error {
	f.log.mu.Lock()
	delete(f.log.followers, f)
	f.log.mu.Unlock()
	return f.LogReader.Close()
}

func (l *Log) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// publishLocked tells the followers that there is something to read.
func (l *Log) publishLocked() {
	for f := range l.followers {
		select {
		case f.changed <- struct{}{}:
		default: // it knows
		}
	}
}
