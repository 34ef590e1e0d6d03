package process

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// Streams connect a process with somebody who uses it. The zero value is nobody.
type Streams struct {
	// Stdin is what the process reads. It is closed when the process has ended: a Read that waits
	// then has to return. Nil: the process reads /dev/null.
	Stdin io.ReadCloser
	// Stdout and Stderr get what it writes, each from a goroutine of its own. Nil: nobody wants it.
	Stdout, Stderr io.Writer
	// Terminal gives the process a terminal, on which Stdin types and whose picture goes to
	// Stdout; Stderr is not used.
	Terminal bool
	// Size is that of the terminal's window. Default: 80 wide and 24 high.
	Size WindowSize
	// Sizes are those that it has later. Nil: it stays as it is.
	Sizes <-chan WindowSize
}

// WindowSize is the size of the window of a terminal, in characters.
type WindowSize struct{ Width, Height uint16 }

// drainTime is how long output is waited for when a process and its tree are gone: whoever holds
// the other end open is a stranger, who need not be waited for.
const drainTime = time.Second

// Console are the standard streams of a process that somebody uses: pipes, or a terminal. Make it
// with [OpenConsole] and close it. It is not safe for concurrent use, but for Release.
type Console struct {
	streams Streams
	// ours are the ends of this process: what Stdin is written to, and what is read for Stdout and
	// Stderr. Some are nil; of a terminal the first two are the same.
	ours   [3]*os.File
	theirs [3]*os.File
}

// OpenConsole makes the pipes or the terminal. The error matches [ErrShortage] if this process is
// out of descriptors.
func OpenConsole(s Streams) (*Console, error) {
	c := &Console{streams: s}
	err := c.open()
	if err == nil {
		return c, nil
	}
	c.Close()
	if short(err) {
		err = fmt.Errorf("%w: %w", ErrShortage, err)
	}
	return nil, fmt.Errorf("cannot make the streams of a command: %w", err)
}

func (c *Console) open() (err error) {
	s := c.streams
	if s.Terminal {
		ours, theirs, err := openTerminal()
		if err != nil {
			return err
		}
		c.ours, c.theirs = [3]*os.File{ours, ours}, [3]*os.File{theirs, theirs, theirs}
		return c.resize(cmp.Or(s.Size, WindowSize{80, 24}))
	}
	if s.Stdin != nil {
		if c.theirs[0], c.ours[0], err = os.Pipe(); err != nil {
			return err
		}
	}
	for i, w := range []io.Writer{s.Stdout, s.Stderr} {
		if w == nil {
			continue
		}
		if c.ours[i+1], c.theirs[i+1], err = os.Pipe(); err != nil {
			return err
		}
	}
	return nil
}

// Place makes a process start with the console.
func (c *Console) Place(spec *Spec) {
	spec.Stdin, spec.Stdout, spec.Stderr, spec.Terminal = c.theirs[0], c.theirs[1], c.theirs[2], c.streams.Terminal
}

// Release closes this process's copies of what the started process has, so that the end of that is
// noticed. To be called after the start, or instead of it.
func (c *Console) Release() { closeFiles(c.theirs) }

// Close closes all of it.
func (c *Console) Close() {
	c.Release()
	closeFiles(c.ours)
}

func closeFiles(files [3]*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close() // a second close is harmless
		}
	}
}

// Carry carries what is typed, written and resized until ended is closed, which the process and its
// tree have to be then, and everything that they wrote is with whom it is for. It joins all
// goroutines that it starts. failed is called when the process cannot be used any more, as nobody
// takes what it writes; it shall be ended then.
func (c *Console) Carry(ended <-chan struct{}, failed func(error)) {
	var typing, showing sync.WaitGroup
	if c.streams.Stdin != nil {
		typing.Go(c.carryInput)
	}
	if c.streams.Terminal && c.streams.Sizes != nil {
		typing.Go(func() { c.carrySizes(ended) })
	}
	for i, w := range []io.Writer{c.streams.Stdout, c.streams.Stderr} {
		if from := c.ours[i+1]; from != nil && w != nil {
			showing.Go(func() {
				if err := carryOutput(w, from); err != nil {
					failed(err)
				}
			})
		}
	}
	<-ended
	for _, f := range c.ours[1:] {
		if f != nil {
			_ = f.SetReadDeadline(time.Now().Add(drainTime)) // pipes and terminals take deadlines
		}
	}
	showing.Wait()
	if f := c.ours[0]; f != nil {
		f.Close() // nobody reads it any more
	}
	if c.streams.Stdin != nil {
		c.streams.Stdin.Close() // it was only read
	}
	typing.Wait()
}

// carryInput ends with Stdin, or when the process does not read any more.
func (c *Console) carryInput() {
	_, _ = io.Copy(c.ours[0], c.streams.Stdin) // there is nobody to tell
	if !c.streams.Terminal {
		c.ours[0].Close()
	}
}

func (c *Console) carrySizes(ended <-chan struct{}) {
	for {
		select {
		case size, ok := <-c.streams.Sizes:
			if !ok {
				return
			}
			_ = c.resize(size) // it is only a picture
		case <-ended:
			return
		}
	}
}

// resize changes the size of the terminal's window. What runs there is signalled.
func (c *Console) resize(size WindowSize) error {
	raw, err := c.ours[0].SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = setWindowSize(fd, size) })
	return errors.Join(err, failed)
}

// carryOutput copies all that there is to read. When the deadline for reading is over it takes what
// is left and waits for nothing more: w may have been slow until then.
func carryOutput(w io.Writer, from *os.File) error {
	_, err := io.Copy(w, from)
	switch read, ok := errors.AsType[*os.PathError](err); {
	case !ok || read.Op != "read" || read.Path != from.Name():
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return carryRest(w, from)
	case errors.Is(err, syscall.EIO): // all programs have closed the terminal
		return nil
	}
	return err
}

// maxRest is more than a pipe or a terminal holds. A stranger may go on to fill it.
const maxRest = 1 << 20

// carryRest copies what can be read without waiting.
func carryRest(w io.Writer, from *os.File) error {
	raw, err := from.SyscallConn()
	if err != nil {
		return err
	}
	chunk := make([]byte, 32<<10)
	for range maxRest / len(chunk) {
		n := 0
		if err := raw.Control(func(fd uintptr) { n, _ = syscall.Read(int(fd), chunk) }); err != nil || n <= 0 {
			return err
		}
		if _, err := w.Write(chunk[:n]); err != nil {
			return err
		}
	}
	return nil
}
