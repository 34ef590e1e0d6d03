package live

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// pty is a terminal of 80 by 24, and the end at which a person would be.
func pty(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { person.Close() })
	// without person.Fd(), which would make its reads ones that Close does not end
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var failed error
	if err := raw.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			n, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}); err != nil {
		t.Fatal(err)
	}
	return person, terminal
}

// reader collects what a terminal shows.
type reader struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *reader) shows(t *testing.T, text string) {
	t.Helper()
	for range 1000 {
		r.mu.Lock()
		seen := strings.Contains(r.text.String(), text)
		r.mu.Unlock()
		if seen {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q is not shown: %q", text, r.text.String())
}

// TestScreen: the first frame comes although the terminal does not answer what its background is,
// and the end gives the terminal back with a summary on it.
func TestScreen(t *testing.T) {
	person, terminal := pty(t)
	var seen reader
	go func() { _, _ = io.Copy(&seen, person) }() // it ends with the test
	s := New(Options{Out: terminal, In: terminal, Settings: Settings{Environ: noVariable}})
	s.closeTime = time.Minute // the summary may come late
	s.Start(filled(t).run)
	s.Show(watch.Added, webPod())
	seen.shows(t, "1 needs attention")
	s.Close()
	seen.shows(t, "\x1b[?1049l")
	seen.shows(t, "probity: stopped after")
}

// TestStuckTerminal: a terminal that nobody reads holds up neither those who have something to show
// nor for long the end. Without limits neither would come to an end.
func TestStuckTerminal(t *testing.T) {
	person, terminal := pty(t)
	fill(t, terminal.Name())
	s := New(Options{Out: terminal, In: terminal, Settings: Settings{Environ: noVariable}})
	s.Start(filled(t).run)
	for i := range 200 {
		pod := webPod()
		pod.UID, pod.Name = types.UID(fmt.Sprint("u", i)), fmt.Sprint("web-", i)
		began := time.Now()
		s.Show(watch.Added, pod)
		s.Show(watch.Added, &corev1.Event{ObjectMeta: metav1.ObjectMeta{UID: types.UID(fmt.Sprint("e", i))}, Reason: fmt.Sprint("Reason", i)})
		s.Say(fmt.Sprint("line ", i))
		if took := time.Since(began); took > 20*time.Second {
			t.Fatalf("showing something took %v", took)
		}
	}
	began := time.Now()
	s.Close()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the end took %v", took)
	}
	person.Close() // what is stuck fails
	<-s.done
}

// fill writes to a terminal until that takes no more.
func fill(t *testing.T, name string) {
	t.Helper()
	fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for range 10_000 {
		if _, err := unix.Write(fd, bytes.Repeat([]byte("x"), 1000)); err == unix.EAGAIN {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("the terminal takes everything")
}

// TestClosedTerminal: when the terminal goes away, that is said to who can go on without it.
func TestClosedTerminal(t *testing.T) {
	person, terminal := pty(t)
	var seen reader
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(&seen, person) // it ends when the test closes it
	}()
	failed := make(chan error, 1)
	s := New(Options{Out: terminal, In: terminal, Settings: Settings{Environ: noVariable}, Failed: func(err error) { failed <- err }})
	s.Start(filled(t).run)
	s.Show(watch.Added, webPod())
	seen.shows(t, "1 needs attention")
	person.Close()
	select {
	case err := <-failed:
		if !strings.Contains(err.Error(), "the run goes on") {
			t.Errorf("error %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("nobody was told")
	}
	s.Close()
}
