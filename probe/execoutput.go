package probe

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// output collects what a command writes. It owns two pipes and two goroutines that read them; close joins these.
type output struct {
	stdout, stderr stream
	readers        sync.WaitGroup
}

// stream is one pipe: kept holds the first outputLimit bytes, the rest is read and dropped, so that the command is
// never kept waiting and memory stays bounded.
type stream struct {
	r, w *os.File
	kept []byte
}

// newOutput opens the pipes and starts to read them.
func newOutput() (*output, error) {
	o := new(output)
	for _, s := range o.streams() {
		if err := s.open(); err != nil {
			o.handOver()
			o.close()
			return nil, err
		}
		o.readers.Go(s.collect)
	}
	return o, nil
}

func (o *output) streams() []*stream {
	return []*stream{&o.stdout, &o.stderr}
}

// handOver closes this side's copies of the write ends; from now on the command and its children hold the only ones.
func (o *output) handOver() {
	for _, s := range o.streams() {
		if s.w != nil {
			_ = s.w.Close()
		}
	}
}

// close interrupts the readers, joins them and closes the pipes. What is already in the pipes is still collected, what
// somebody writes later is not. Further calls do nothing.
func (o *output) close() {
	for _, s := range o.streams() {
		if s.r != nil {
			_ = s.r.SetReadDeadline(time.Unix(1, 0)) // long past; fails only on a pipe that is closed already
		}
	}
	o.readers.Wait()
	for _, s := range o.streams() {
		if s.r != nil {
			_ = s.r.Close()
		}
	}
}

// text ends the collection and returns standard output followed by standard error, cut to outputLimit (R87).
func (o *output) text() string {
	o.close()
	text := append(o.stdout.kept, o.stderr.kept...)
	return string(text[:min(len(text), outputLimit)])
}

// open opens the pipe. A pipe whose reads cannot be interrupted (the system is out of event watches) is an error, for
// it could hold up the attempt for ever.
func (s *stream) open() error {
	r, w, err := newPipe()
	if err != nil {
		return err
	}
	if err := r.SetReadDeadline(time.Time{}); err != nil {
		return errors.Join(err, r.Close(), w.Close())
	}
	s.r, s.w = r, w
	return nil
}

// collect reads until the last writer is gone or close interrupts it.
func (s *stream) collect() {
	buf := make([]byte, 4<<10)
	for {
		n, err := s.r.Read(buf)
		s.keep(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.sweep(buf)
		}
		if err != nil {
			return
		}
	}
}

// sweep collects what is in the pipe without waiting for more. An ended command has put there all it ever wrote, even
// if a child of its holds the pipe open. It goes below os.File, whose reads fail once the deadline has passed.
func (s *stream) sweep(buf []byte) {
	pipe, err := s.r.SyscallConn()
	if err != nil {
		return
	}
	_ = pipe.Control(func(fd uintptr) { // fails only on a pipe that is closed already
		for len(s.kept) < outputLimit {
			n, err := syscall.Read(int(fd), buf)
			if err == syscall.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				return // EAGAIN: empty; 0: the last writer is gone
			}
			s.keep(buf[:n])
		}
	})
}

// keep appends what still fits.
func (s *stream) keep(data []byte) {
	s.kept = append(s.kept, data[:min(len(data), outputLimit-len(s.kept))]...)
}
