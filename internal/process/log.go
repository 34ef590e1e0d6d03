package process

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// LogOptions are where a log goes and how much of it is kept. The zero value of a field means its
// default.
type LogOptions struct {
	// Dir is the container's folder, made when it does not exist. Required.
	Dir string
	// Instance is the restart count. The files of instances before the previous one are deleted.
	Instance int
	// MaxSize is when a file is rotated, in bytes. Default 10 MiB.
	MaxSize int64
	// MaxFiles is how many files are kept, the current one included. Default 5.
	MaxFiles int
	// DrainTimeout is how long Close waits for somebody who still holds the output open. Default
	// 1 s.
	DrainTimeout time.Duration
	// OnError is called with the first failure to write, once, from a goroutine of the log; it must
	// not call the log. Default: nothing is called, see [Log.Err].
	OnError func(error)
}

func (o LogOptions) withDefaults() LogOptions {
	if o.MaxSize <= 0 {
		o.MaxSize = 10 << 20
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 5
	}
	if o.DrainTimeout <= 0 {
		o.DrainTimeout = time.Second
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return o
}

// Logs opens logs that share their buffers, so that a quiet container costs next to no memory. The
// zero value is ready and safe for concurrent use.
type Logs struct {
	buffers sync.Pool
}

// buffer serves one read: in from the pipe, out to the file.
type buffer struct {
	in  [32 << 10]byte
	out []byte
}

// flushSize is how much is collected for the file within one read.
const flushSize = 32 << 10

func (ls *Logs) get() *buffer {
	if b, ok := ls.buffers.Get().(*buffer); ok {
		return b
	}
	return &buffer{out: make([]byte, 0, flushSize+MaxLine+128)}
}

// Log captures the output of one container instance: into files in the format of the container
// runtime interface, and for followers. The process never waits for followers, nor for a disk that
// is full or refuses: what cannot be kept is read, counted and dropped. It does wait for a disk
// that is merely slow.
//
// A Log owns two goroutines, one a stream, which Close joins. It is safe for concurrent use.
type Log struct {
	options LogOptions
	logs    *Logs
	readers [2]*os.File
	writers [2]*os.File
	joined  sync.WaitGroup
	closing sync.Once

	mu        sync.Mutex // guards the fields below
	file      logFile
	followers map[*Follower]struct{}
	closed    bool
	dropped   int64
	err       error
}

// Open starts to capture. A problem with a file is no error here: it is reported like every later
// one. An error means that this process is out of descriptors and matches [ErrShortage].
func (ls *Logs) Open(options LogOptions) (*Log, error) {
	l := &Log{options: options.withDefaults(), logs: ls, followers: map[*Follower]struct{}{}}
	l.file = logFile{path: logPath(options.Dir, options.Instance), maxSize: l.options.MaxSize, maxFiles: l.options.MaxFiles}
	for i := range l.readers {
		r, w, err := os.Pipe()
		if err != nil {
			l.closeFiles()
			return nil, fmt.Errorf("cannot capture output, as no descriptor is left (see ulimit -n): %w: %w", ErrShortage, err)
		}
		l.readers[i], l.writers[i] = r, w
	}
	if err := removeOld(options.Dir, options.Instance-1); err != nil {
		l.fail(err)
	}
	for i, stream := range []Stream{Stdout, Stderr} {
		l.joined.Go(func() { l.capture(l.readers[i], stream) })
	}
	return l, nil
}

// Stdout is what to start the process with; see [Spec].
func (l *Log) Stdout() *os.File { return l.writers[0] }

// Stderr is what to start the process with; see [Spec].
func (l *Log) Stderr() *os.File { return l.writers[1] }

// CloseWriters closes this process's copies of the descriptors that the container writes to, so
// that the end of its output is noticed. To be called after the start.
func (l *Log) CloseWriters() {
	for _, w := range l.writers {
		w.Close() // a second close is harmless
	}
}

// Close waits until all output has been read, for at most DrainTimeout: if it is not at its end
// then, somebody outside the container holds it open. It ends the followers and closes the file. It
// returns Err. It can be called more than once.
func (l *Log) Close() error {
	l.closing.Do(func() {
		l.CloseWriters()
		for _, r := range l.readers {
			// A pipe always takes deadlines.
			_ = r.SetReadDeadline(time.Now().Add(l.options.DrainTimeout))
		}
		l.joined.Wait()
		l.closeFiles()
		l.mu.Lock()
		defer l.mu.Unlock()
		if err := l.file.close(); err != nil {
			l.failLocked(err)
		}
		l.closed = true
		l.publishLocked()
	})
	return l.Err()
}

func (l *Log) closeFiles() {
	for _, f := range append(l.readers[:], l.writers[:]...) {
		if f != nil {
			f.Close()
		}
	}
}

// Err is the first failure to write, nil as long as there was none.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Dropped is how many entries could not be written.
func (l *Log) Dropped() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}
