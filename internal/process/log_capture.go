package process

import (
	"errors"
	"fmt"
	"math"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// capture reads a stream to its end, or to the deadline of the pipe and then what is left in it, as
// this process may not have been given the time to read that.
func (l *Log) capture(r *os.File, stream Stream) {
	raw, err := r.SyscallConn()
	if err != nil {
		l.fail(err)
		return
	}
	var cut lineSplitter
	err = l.keepAll(raw, stream, &cut, math.MaxInt64)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = l.keepAll(restReader{raw}, stream, &cut, maxRest)
	}
	if err != nil {
		l.fail(err)
	}
	b := l.logs.get()
	l.keep(b, nil, stream, &cut)
	l.logs.buffers.Put(b)
}

// keepAll keeps what can be read, until there is nothing more or it was at least so much.
func (l *Log) keepAll(raw rawReader, stream Stream, cut *lineSplitter, enough int64) error {
	for enough > 0 {
		b, n, err := l.read(raw)
		if n > 0 {
			l.keep(b, b.in[:n], stream, cut)
		}
		if b != nil {
			l.logs.buffers.Put(b)
		}
		if n == 0 {
			return err
		}
		enough -= int64(n)
	}
	return nil
}

// rawReader is the part of syscall.RawConn that capturing needs.
type rawReader interface {
	Read(func(fd uintptr) (done bool)) error
}

// restReader reads what is there already, whatever the deadline, and does not wait.
type restReader struct{ raw syscall.RawConn }

func (r restReader) Read(read func(fd uintptr) (done bool)) error {
	return r.raw.Control(func(fd uintptr) { read(fd) })
}

// read waits without a buffer, and takes one only when there is something to read. At the end n is
// 0.
func (l *Log) read(raw rawReader) (b *buffer, n int, err error) {
	waitErr := raw.Read(func(fd uintptr) bool {
		b = l.logs.get()
		for {
			n, err = unix.Read(int(fd), b.in[:])
			if err != unix.EINTR {
				break
			}
		}
		if err == unix.EAGAIN {
			l.logs.buffers.Put(b)
			b, n = nil, 0
			return false
		}
		return true
	})
	return b, max(n, 0), errors.Join(waitErr, ignoreAgain(err))
}

func ignoreAgain(err error) error {
	if err == unix.EAGAIN {
		return nil
	}
	return err
}

// keep cuts chunk into entries and hands them to the file and the followers; an empty chunk is the
// end of the stream.
func (l *Log) keep(b *buffer, chunk []byte, stream Stream, cut *lineSplitter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	// One time for all that was read at once: it is as exact as we can know.
	stamp := stampOf(time.Now())
	entries := int64(0)
	flush := func() {
		if entries > 0 {
			l.writeLocked(b.out, entries)
		}
		b.out, entries = b.out[:0], 0
	}
	emit := func(text []byte, partial bool) {
		b.out = appendLogEntry(b.out, stamp, stream, partial, text)
		entries++
		if len(b.out) >= flushSize {
			flush()
		}
	}
	if len(chunk) == 0 {
		cut.end(emit)
	} else {
		cut.feed(chunk, emit)
	}
	flush()
	l.publishLocked()
}

func (l *Log) writeLocked(data []byte, entries int64) {
	if kept, err := l.file.write(data); err != nil {
		l.dropped += entries - int64(kept)
		l.failLocked(err)
	}
}

func (l *Log) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failLocked(err)
}

func (l *Log) failLocked(err error) {
	if l.err != nil {
		return
	}
	l.err = fmt.Errorf("output of the container is not kept in %s: %w", l.file.path, err)
	l.options.OnError(l.err)
}
