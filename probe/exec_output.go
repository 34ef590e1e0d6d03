package probe

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"
)

// output collects what a command writes. It owns two pipes and, from watch on, two goroutines that
// read them; close joins these.
//
// A command that ends soon needs no readers: what it wrote is in the pipes, and is collected at the
// end. One that runs for longer could fill them.
type output struct {
	stdout, stderr stream
	readers        sync.WaitGroup
}

// stream is one pipe: kept holds the first outputLimit bytes, the rest is read and dropped, so that
// the command is never kept waiting for long and memory stays bounded.
type stream struct {
	fd   int      // the read end; -1 if there is none
	r    *os.File // the read end, from watch on
	w    *os.File // the write end, until handOver
	kept []byte
}

// noOutput is the output of a command that writes nothing.
func noOutput() *output { return &output{stdout: stream{fd: -1}, stderr: stream{fd: -1}} }

// newOutput opens the pipes.
func newOutput() (*output, error) {
	o := noOutput()
	for _, s := range o.streams() {
		var err error
		if s.fd, s.w, err = newPipe(); err != nil {
			o.handOver()
			o.close()
			return nil, err
		}
	}
	return o, nil
}

func (o *output) streams() []*stream {
	return []*stream{&o.stdout, &o.stderr}
}

// handOver closes this side's copies of the write ends; from now on the command and its children
// hold the only ones.
func (o *output) handOver() {
	for _, s := range o.streams() {
		if s.w != nil {
			_ = s.w.Close()
		}
	}
}

// watch begins to read. A pipe whose reads cannot be interrupted (the system is out of event
// watches) is an error, for it could hold up the attempt for ever.
func (o *output) watch() error {
	for _, s := range o.streams() {
		if s.fd < 0 {
			continue
		}
		s.r = os.NewFile(uintptr(s.fd), "|0")
		if err := s.r.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		o.readers.Go(s.collect)
	}
	return nil
}

// close interrupts the readers, joins them and closes the pipes. What is already in the pipes is
// still collected, what somebody writes later is not. Further calls do nothing.
func (o *output) close() {
	for _, s := range o.streams() {
		if s.r != nil {
			// long past; fails only on a pipe that is closed already
			_ = s.r.SetReadDeadline(time.Unix(1, 0))
		}
	}
	o.readers.Wait()
	for _, s := range o.streams() {
		switch {
		case s.r != nil:
			_ = s.r.Close()
		case s.fd >= 0:
			s.sweep(s.fd, make([]byte, 4<<10))
			_ = syscall.Close(s.fd)
		}
		s.fd, s.r = -1, nil
	}
}

// text ends the collection and returns standard output followed by standard error, cut to
// outputLimit (R87).
func (o *output) text() string {
	o.close()
	text := append(o.stdout.kept, o.stderr.kept...)
	return string(text[:min(len(text), outputLimit)])
}

// collect reads until the last writer is gone or close interrupts it.
func (s *stream) collect() {
	buf := make([]byte, 4<<10)
	for {
		n, err := s.r.Read(buf)
		s.keep(buf[:n])
		if errors.Is(err, os.ErrDeadlineExceeded) {
			s.sweepFile(buf)
		}
		if err != nil {
			return
		}
	}
}

// sweepFile sweeps below os.File, whose reads fail once the deadline has passed.
func (s *stream) sweepFile(buf []byte) {
	pipe, err := s.r.SyscallConn()
	if err != nil {
		return
	}
	// fails only on a pipe that is closed already
	_ = pipe.Control(func(fd uintptr) { s.sweep(int(fd), buf) })
}

// sweep collects what is in the pipe without waiting for more. An ended command has put there all
// it ever wrote, even if a child of its holds the pipe open.
func (s *stream) sweep(fd int, buf []byte) {
	for len(s.kept) < outputLimit {
		n, err := syscall.Read(fd, buf)
		if err == syscall.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			return // EAGAIN: empty; 0: the last writer is gone
		}
		s.keep(buf[:n])
	}
}

// keep appends what still fits.
func (s *stream) keep(data []byte) {
	s.kept = append(s.kept, data[:min(len(data), outputLimit-len(s.kept))]...)
}
