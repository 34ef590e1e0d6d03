package live

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/watch"
)

const asJob = "PROBITY_TEST_LIVE_JOB"

// TestSuspend: while a shell has the terminal, the run goes on and ends without the view, which
// leaves the terminal alone; with fg it is there again. The shell's job is this test, too.
func TestSuspend(t *testing.T) {
	if os.Getenv(asJob) != "" {
		playJob(t)
	}
	const on, frame = "\x1b[?1049h", "1 needs attention"
	t.Run("bg, then fg", func(t *testing.T) {
		t.Parallel()
		keys, seen := inShell(t, `$JOB; bg; kill -USR1 %1; read word; echo "shell got $word"; fg; echo over`)
		seen.shows(t, frame)
		keys("\x1a")
		seen.shows(t, "Ctrl-Z again")
		keys("\x1a")
		seen.shows(t, "the run goes on")
		keys("one\r")
		seen.shows(t, "shell got one")
		before, _, _ := strings.Cut(seen.all(), "shell got one") // then comes fg
		if n := strings.Count(before, on); n != 1 {
			t.Errorf("the view began %d times, want 1", n)
		}
		seen.showsTimes(t, clearAll, 2)
		keys("\x03")
		seen.shows(t, "over")
	})
	t.Run("the end in the background", func(t *testing.T) {
		t.Parallel()
		keys, seen := inShell(t, `$JOB; kill %1; bg; wait %1; echo over`)
		seen.shows(t, frame)
		keys("\x1a")
		seen.shows(t, "Ctrl-Z again")
		keys("\x1a")
		seen.shows(t, "the run has ended")
		seen.shows(t, "over")
		if n := seen.count(on); n != 1 {
			t.Errorf("the view began %d times, want 1", n)
		}
	})
	t.Run("stopped from outside, then bg", func(t *testing.T) {
		t.Parallel()
		fifo := filepath.Join(t.TempDir(), "fifo")
		if err := unix.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		keys, seen := inShell(t, `$JOB; bg; kill -USR1 %1; read word <'`+fifo+`'; fg; echo over`)
		seen.shows(t, frame)
		if err := unix.Kill(seen.job(t), unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		seen.shows(t, "the run goes on")
		seen.showsTimes(t, screenOff, 1)
		keys("\x00\n") // the shell does not read it, nor does the job, which would be stopped
		if err := unix.Kill(seen.job(t), unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		seen.showsTimes(t, "the run goes on", 2)
		if err := os.WriteFile(fifo, []byte("on\n"), 0); err != nil {
			t.Fatal(err)
		}
		seen.showsTimes(t, on, 2)
		seen.showsTimes(t, frame, 2)
		keys("\x03")
		seen.shows(t, "over")
		if seen.count("it reads the shell's keys") > 0 {
			t.Error("it reads the shell's keys, which stops it")
		}
		for i, part := range strings.Split(seen.all(), screenOff)[1:] {
			if between, _, _ := strings.Cut(part, on); strings.Contains(between, clearAll) {
				t.Errorf("after it was hidden %d times it draws: %q", i+1, between)
			}
		}
	})
	t.Run("the beginning in the background", func(t *testing.T) {
		t.Parallel()
		keys, seen := inShell(t, `$JOB & read word; kill -USR1 %1; read word; fg; echo over`)
		seen.shows(t, "the run is up")
		keys("one\r")
		seen.shows(t, "the run goes on")
		if n := seen.count(on); n != 0 {
			t.Errorf("the view began %d times, want 0", n)
		}
		keys("two\r")
		seen.shows(t, frame)
		keys("\x03")
		seen.shows(t, "over")
	})
}

// playJob is a run with a view. SIGUSR1 asks whether it goes on.
func playJob(t *testing.T) {
	ends, asks, reads := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	signal.Notify(asks, syscall.SIGUSR1)
	signal.Notify(reads, syscall.SIGTTIN)                                                        // else it would be stopped
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil { // with the shell
		t.Fatal(err)
	}
	s := New(Options{Out: os.Stdout, In: os.Stdin, Settings: Settings{Environ: noVariable}})
	s.Start(filled(t).run)
	s.Show(watch.Added, webPod())
	fmt.Printf("the run is up: process %d\n", os.Getpid())
	for {
		select {
		case <-asks:
			fmt.Println("the run goes on")
		case <-reads:
			fmt.Println("it reads the shell's keys")
		case <-ends:
			s.Close()
			fmt.Println("the run has ended")
			os.Exit(0)
		}
	}
}

// inShell runs a script with jobs in a session of its own on a new terminal, at which keys types.
func inShell(t *testing.T, script string) (keys func(string), seen *reader) {
	t.Helper()
	person, terminal := pty(t)
	seen = &reader{}
	go func() { _, _ = io.Copy(seen, person) }() // it ends with the test
	shell := exec.Command("sh", "-c", "set -m; "+strings.ReplaceAll(script, "$JOB", `"$JOB" -test.run='^TestSuspend$'`))
	shell.Env = append(os.Environ(), asJob+"=1", "JOB="+os.Args[0], "TERM=xterm")
	shell.Stdin, shell.Stdout, shell.Stderr = terminal, terminal, terminal
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	terminal.Close() // so that its last process ends it
	t.Cleanup(func() {
		_ = shell.Process.Kill() // most often it has ended
		_ = shell.Wait()
	})
	return func(text string) {
		t.Helper()
		if _, err := io.WriteString(person, text); err != nil {
			t.Fatal(err)
		}
	}, seen
}

// count is how often a text was shown.
func (r *reader) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Count(r.text.String(), text)
}

// all is all that was shown.
func (r *reader) all() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// job is the process of playJob.
func (r *reader) job(t *testing.T) int {
	t.Helper()
	_, after, _ := strings.Cut(r.all(), "the run is up: process ")
	number, _, _ := strings.Cut(after, "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		t.Fatalf("it tells no process: %v", err)
	}
	return pid
}

// showsTimes waits until a text was shown so often.
func (r *reader) showsTimes(t *testing.T, text string, times int) {
	t.Helper()
	for range 1000 {
		if r.count(text) >= times {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q is shown %d times, want %d", text, r.count(text), times)
}
