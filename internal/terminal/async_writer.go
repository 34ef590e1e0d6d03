package terminal

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"syscall"
	"time"
)

const (
	// maxPending is how many bytes may wait for the reader of an asyncWriter.
	maxPending = 256 << 10
	// closeTimeout is how long the end waits for a reader that does not read.
	closeTimeout = 2 * time.Second
	// fullPause is the time between two attempts to write to a full disk.
	fullPause = time.Second
)

// errNotRead ends the waiting for a reader.
var errNotRead = errors.New("nobody reads the output")

// asyncWriter stands between those who have something to say and a stream whose reader may be slow,
// or stuck for ever. It owns a goroutine that writes. The end of it is what close waits for, unless
// the reader is stuck: then the goroutine stays in its write until the process ends.
type asyncWriter struct {
	w    io.Writer
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex // guards what follows
	changed sync.Cond  // signals that a field below has changed
	pending []byte
	writing bool
	lost    int   // lines that were dropped since the last one that was not
	err     error // why nothing is written any more
	closing bool
	gaveUp  bool
}

func newAsyncWriter(w io.Writer) *asyncWriter {
	o := &asyncWriter{w: w, done: make(chan struct{})}
	o.changed.L = &o.mu
	go o.loop()
	return o
}

func (o *asyncWriter) loop() {
	defer close(o.done)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.pending) == 0 && !o.closing {
			o.changed.Wait()
		}
		if len(o.pending) == 0 {
			return
		}
		data := o.pending
		o.pending, o.writing = nil, true
		o.changed.Broadcast()
		o.mu.Unlock()
		n, err := o.w.Write(data)
		full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
		if full {
			time.Sleep(fullPause)
		}
		o.mu.Lock()
		o.writing = false
		o.changed.Broadcast()
		if full && !o.closing {
			// somebody will make room; until then it is like a reader who does not read
			o.pending = append(data[n:], o.pending...)
			continue
		}
		if err != nil {
			o.err, o.pending = err, nil
			o.changed.Broadcast()
			return
		}
	}
}

// put writes a line, and waits until there is room for it. The error is that of the stream, or
// errNotRead after hurry.
func (o *asyncWriter) put(line []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && !o.gaveUp && len(o.pending) > maxPending {
		o.changed.Wait()
	}
	switch {
	case o.err != nil:
		return o.err
	case o.gaveUp:
		return errNotRead
	}
	o.appendLocked(line)
	return nil
}

// offer writes a line if there is room for it. Where lines are missing a note says how many.
func (o *asyncWriter) offer(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending) > maxPending {
		o.lost++
		return
	}
	if o.lost > 0 {
		o.appendLocked(fmt.Appendf(nil, "probity: %d lines are missing here, because nobody read them", o.lost))
		o.lost = 0
	}
	o.appendLocked([]byte(line))
}

func (o *asyncWriter) appendLocked(line []byte) {
	if o.err != nil {
		return // the stream is closed: there is nobody who could be told
	}
	o.pending = append(append(o.pending, line...), '\n')
	o.changed.Broadcast()
}

// flush waits until what there is now is written, for a moment.
func (o *asyncWriter) flush() {
	late := false
	timer := time.AfterFunc(closeTimeout, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		late = true
		o.changed.Broadcast()
	})
	defer timer.Stop()
	o.mu.Lock()
	defer o.mu.Unlock()
	for !late && o.err == nil && (o.writing || len(o.pending) > 0) {
		o.changed.Wait()
	}
}

// hurry ends the waiting for a reader that reads nothing for another moment.
func (o *asyncWriter) hurry() {
	time.AfterFunc(closeTimeout, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.gaveUp = true
		o.changed.Broadcast()
	})
}

// close waits until everything is written, for a moment. It reports whether it was.
func (o *asyncWriter) close() (all bool) {
	o.mu.Lock()
	o.closing = true
	o.changed.Broadcast()
	o.mu.Unlock()
	select {
	case <-o.done:
		return true
	case <-time.After(closeTimeout):
		return false
	}
}

// newAsyncWriters makes the writers for both streams of a View: one if they are the same, so that
// lines stay in order.
func newAsyncWriters(opts Options) (out, err *asyncWriter) {
	out = newAsyncWriter(opts.Out)
	if opts.Out == opts.Err {
		return out, out
	}
	return out, newAsyncWriter(opts.Err)
}

// closeWriters closes both, and says where it can if a reader did not read to the end.
func closeWriters(out, err *asyncWriter) {
	if !out.close() {
		err.offer("probity: the output was not read to its end")
	}
	if out != err {
		err.close()
	}
}
