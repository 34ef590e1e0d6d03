package process

import (
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// roleVariable makes the test binary play a program; see play.
const roleVariable = "PROBITY_TEST_ROLE"

func TestMain(m *testing.M) {
	// A program under the race detector otherwise sleeps a second when it ends.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	if IsShepherd(os.Args) {
		os.Exit(ShepherdMain())
	}
	if role := os.Getenv(roleVariable); role != "" {
		play(role, os.Args[1:])
	}
	if err := BecomeSubreaper(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if !nothingLeft() {
		code = 1
	}
	os.Exit(code)
}

// play is a program that shell scripts cannot be.
func play(role string, args []string) {
	var err error
	switch role {
	case "listen":
		err = playListen(args)
	default:
		err = playOnThisSystem(role)
	}
	fmt.Fprintln(os.Stderr, role, "ends:", err)
	os.Exit(1)
}

// playListen listens on every address given and prints them.
func playListen(addrs []string) error {
	for _, addr := range addrs {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Println(l.Addr())
	}
	select {}
}

// patience bounds every wait of a test, on a machine that may be very busy.
const patience = 20 * time.Second

// eventually waits for a condition.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// waitDone waits for the end of a process.
func waitDone(t *testing.T, p Process) Exit {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(patience):
		t.Fatalf("process %d has not ended within %v", p.PID(), patience)
	}
	return p.Exit()
}

func newShepherd(t *testing.T) *Shepherd {
	t.Helper()
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// shell starts a script with the environment of the test.
func shell(t *testing.T, s Starter, script string) Process {
	t.Helper()
	return start(t, s, Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ()})
}

func start(t *testing.T, s Starter, spec Spec) Process {
	t.Helper()
	p, err := s.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

// output runs a script to its end and returns what it prints.
func output(t *testing.T, s Starter, spec Spec) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "output")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	spec.Stdout, spec.Stderr = file, file
	waitDone(t, start(t, s, spec))
	data, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// String makes the failures of tests readable.
func (o Owner) String() string {
	return [...]string{"unknown", "nobody", "own", "stranger"}[o]
}
