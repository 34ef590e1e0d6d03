package process

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLegacy is what a program inherits: nothing but what Spec says.
func TestLegacy(t *testing.T) {
	leak, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer leak.Close()
	// As if Probity's own parent had forgotten to close it.
	if _, err := unix.FcntlInt(leak.Fd(), unix.F_SETFD, 0); err != nil {
		t.Fatal(err)
	}
	s := newShepherd(t)
	tests := []struct{ name, script, want string }{
		{"descriptors", "ls /proc/self/fd", "0\n1\n2\n3\n"}, // the last one is of ls itself
		{"input", "readlink /proc/self/fd/0", "/dev/null\n"},
		{"blocked signals", "grep SigBlk /proc/self/status", "SigBlk:\t0000000000000000\n"},
		{"ignored signals", "grep SigIgn /proc/self/status", "SigIgn:\t0000000000000000\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := output(t, s, Spec{Argv: []string{"sh", "-c", tt.script}, Env: os.Environ()})
			if got != tt.want {
				t.Errorf("%s prints %q, want %q", tt.script, got, tt.want)
			}
		})
	}
}

// TestOOMScore: the kernel is told whom to end first, children of the process included, and is not
// if nothing was asked for.
func TestOOMScore(t *testing.T) {
	s := newShepherd(t)
	own, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	for score, want := range map[int]string{0: string(own), 1000: "1000\n", 2000: "1000\n"} {
		if got := output(t, s, Spec{Argv: []string{"cat", "/proc/self/oom_score_adj"}, Env: os.Environ(), OOMScore: score}); got != want {
			t.Errorf("asked for %d: oom_score_adj is %q, want %q", score, got, want)
		}
	}
}

// TestLargeCommand needs many reads and writes of the socket.
func TestLargeCommand(t *testing.T) {
	s := newShepherd(t)
	env := []string{"PATH=" + os.Getenv("PATH")}
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "G", "H"} {
		env = append(env, name+"="+strings.Repeat(name, 100_000))
	}
	got := output(t, s, Spec{Argv: []string{"sh", "-c", "echo ${#A} ${#H} ${#1}", "sh", strings.Repeat("\xff", 100_000)}, Env: env})
	// dash counts bytes, bash characters; an invalid byte is one in both.
	if got != "100000 100000 100000\n" {
		t.Errorf("lengths = %q, want 100000 each", got)
	}
}

// limitWithRoom is the limit below which room numbers are unused.
func limitWithRoom(used []int, room int) uint64 {
	limit := 0
	for ; room > 0 || slices.Contains(used, limit); limit++ {
		if !slices.Contains(used, limit) {
			room--
		}
	}
	return uint64(limit)
}

// TestShepherdOutOfDescriptors must fail one start only, not the shepherd.
func TestShepherdOutOfDescriptors(t *testing.T) {
	s := newShepherd(t)
	other := shell(t, s, "sleep 1000")
	var before unix.Rlimit
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	used, err := readNumbers(procPath(s.cmd.Process.Pid, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	for room := range 5 { // three arrive, two are the pipe
		low := unix.Rlimit{Cur: limitWithRoom(used, room), Max: before.Max}
		if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &low, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Start(Spec{Argv: []string{"true"}}); !errors.Is(err, ErrShortage) {
			t.Errorf("Start with room for %d descriptors = %v, want a shortage", room, err)
		}
	}
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	if exit := waitDone(t, shell(t, s, "exit 3")); exit.Code != 3 {
		t.Errorf("exit with room again = %+v, want code 3", exit)
	}
	if err := other.Signal(0); err != nil {
		t.Errorf("the other process: %v", err)
	}
}

func TestConcurrentStarts(t *testing.T) {
	s := newShepherd(t)
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			p, err := s.Start(Spec{Argv: []string{"sh", "-c", "exit 7"}})
			if err != nil {
				t.Error(err)
				return
			}
			<-p.Done()
			if code := p.Exit().Code; code != 7 {
				t.Errorf("exit code = %d, want 7", code)
			}
		})
	}
	wg.Wait()
}

func BenchmarkStart(b *testing.B) {
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		p, err := s.Start(Spec{Argv: []string{"true"}})
		if err != nil {
			b.Fatal(err)
		}
		<-p.Done()
	}
}

// BenchmarkFirstProcess includes the start of the shepherd.
func BenchmarkFirstProcess(b *testing.B) {
	for b.Loop() {
		s, err := NewShepherd(ShepherdOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Start(Spec{Argv: []string{"sleep", "1000"}}); err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}
