package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// used is a process that a test uses.
type used struct {
	Process
	carried chan struct{} // closed when its streams are
}

func use(t *testing.T, s Starter, argv []string, streams Streams) used {
	t.Helper()
	console, err := OpenConsole(streams)
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Argv: argv, Env: os.Environ()}
	console.Place(&spec)
	u := used{start(t, s, spec), make(chan struct{})}
	console.Release()
	go func() {
		defer close(u.carried)
		defer console.Close()
		console.Carry(u.Done(), func(error) { _ = u.Kill() })
	}()
	return u
}

// wait waits until all is carried and returns how the process ended.
func (u used) wait(t *testing.T) Exit {
	t.Helper()
	select {
	case <-u.carried:
	case <-time.After(patience):
		t.Fatalf("not all is carried within %v", patience)
	}
	return u.Exit()
}

// runWith runs a command with streams and returns how it ended.
func runWith(t *testing.T, s Starter, argv []string, streams Streams) Exit {
	t.Helper()
	return use(t, s, argv, streams).wait(t)
}

func sh(script string) []string { return []string{"sh", "-c", script} }

// TestConsole: a command reads what it is given, what it writes arrives in the right place and to
// the last byte, and its exit code is its own.
func TestConsole(t *testing.T) {
	for name, s := range starters(t) {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			exit := runWith(t, s, sh("cat; echo error >&2; exit 3"), Streams{Stdin: io.NopCloser(strings.NewReader("typed")), Stdout: &out, Stderr: &errs})
			if exit.Code != 3 || out.String() != "typed" || errs.String() != "error\n" {
				t.Errorf("exit %+v, output %q, errors %q", exit, &out, &errs)
			}
		})
		t.Run(name+"/much", func(t *testing.T) {
			var out bytes.Buffer
			in := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB
			if exit := runWith(t, s, []string{"cat"}, Streams{Stdin: io.NopCloser(bytes.NewReader(in)), Stdout: &out}); exit.Code != 0 || !bytes.Equal(out.Bytes(), in) {
				t.Errorf("exit %+v, %d bytes came back of %d", exit, out.Len(), len(in))
			}
		})
		t.Run(name+"/nobody", func(t *testing.T) {
			if exit := runWith(t, s, sh("cat; echo out; echo error >&2"), Streams{}); exit.Code != 0 {
				t.Errorf("exit %+v", exit)
			}
		})
	}
}

// keyboard is typed on until it is closed.
type keyboard struct {
	*io.PipeReader
	typed *io.PipeWriter
}

func newKeyboard() keyboard {
	r, w := io.Pipe()
	return keyboard{r, w}
}

func (k keyboard) press(t *testing.T, keys string) {
	t.Helper()
	if _, err := k.typed.Write([]byte(keys)); err != nil {
		t.Fatal(err)
	}
}

// TestConsoleUnread: input that a command does not take holds nobody up, whether there is too much
// of it or none.
func TestConsoleUnread(t *testing.T) {
	for name, s := range starters(t) {
		k := newKeyboard()
		if exit := runWith(t, s, []string{"true"}, Streams{Stdin: k}); exit.Code != 0 {
			t.Errorf("%s: exit %+v", name, exit)
		}
		if _, err := k.typed.Write([]byte("late")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s: after the end, typing = %v, want %v", name, err, io.ErrClosedPipe)
		}
		if exit := runWith(t, s, []string{"true"}, Streams{Stdin: zeros{}}); exit.Code != 0 {
			t.Errorf("%s: exit %+v", name, exit)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (zeros) Close() error { return nil }

// TestConsoleFailed: a command whose output nobody takes is ended by whoever is told.
func TestConsoleFailed(t *testing.T) {
	for name, s := range starters(t) {
		r, w := io.Pipe()
		r.Close()
		if exit := runWith(t, s, sh("echo lost; sleep 1000"), Streams{Stdout: w}); exit.Code != 137 {
			t.Errorf("%s: exit %+v, want killed", name, exit)
		}
	}
}

// TestCarryRest: what a command has left is carried although the time for reading is over, as the
// other side may have been slow, and a stranger who has the pipe is not waited for.
func TestCarryRest(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close() // it is open meanwhile
	left := strings.Repeat("x", 50_000)
	if _, err := w.WriteString(left); err != nil {
		t.Fatal(err)
	}
	if err := r.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := carryOutput(&out, r); err != nil || out.String() != left {
		t.Errorf("carryOutput = %v with %d bytes of %d", err, out.Len(), len(left))
	}
}

// screen is what a terminal shows, and can be waited for.
type screen struct {
	mu   sync.Mutex
	text strings.Builder // guarded by mu
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// await waits until something was shown.
func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	eventually(t, fmt.Sprintf("the terminal shows %q", text), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.text.String(), text)
	})
}
