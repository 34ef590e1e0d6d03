package system

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/relay"
)

// asClient makes this test binary a program that connects to the address in that variable again and
// again, and prints what becomes of it whenever that is another thing than before.
const asClient = "SYSTEM_TEST_CLIENT"

func converse() {
	last := ""
	for {
		what := "answered"
		if err := askOnce(os.Getenv(asClient)); err != nil {
			what = err.Error()
			for word, cause := range map[string]error{"refused": syscall.ECONNREFUSED, "reset": syscall.ECONNRESET, "timeout": os.ErrDeadlineExceeded} {
				if errors.Is(err, cause) {
					what = word
				}
			}
		}
		if what != last {
			fmt.Println(what)
			last = what
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func askOnce(address string) error {
	c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(300 * time.Millisecond)); err != nil {
		return err
	}
	if _, err := io.WriteString(c, "hello\n"); err != nil {
		return err
	}
	_, err = bufio.NewReader(c).ReadString('\n')
	return err
}

// database is a program outside that answers each line by the same.
func database(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() { all.Wait() })
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// clientOf is a manifest of a Pod that talks to an address.
func clientOf(t *testing.T, address netip.AddrPort) string {
	t.Helper()
	path := filepath.Join(folder(t), "client.yaml")
	text := fmt.Sprintf(`apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: app
    image: app
    command: [%s]
    env: [{name: %s, value: "%s"}]
`, os.Args[0], asClient, address)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// says waits until a program prints a line.
func says(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	var said []string
	limit := time.After(hangs)
	for {
		select {
		case line := <-lines:
			if line == want {
				return
			}
			said = append(said, line)
		case <-limit:
			t.Fatalf("it says %q, and not %q", said, want)
		}
	}
}

// watched is a running system of a client whose dependencies are watched.
func watched(t *testing.T, o DependencyOptions, database netip.AddrPort) (s *System, lines <-chan string) {
	t.Helper()
	said := make(chan string, 100)
	o.Watch = func(_, _, container string) bool { return container == "app" }
	s = started(t, t.Context(), Options{
		Manifests: []string{clientOf(t, database)}, Dependencies: o,
		Follow: func(_ *corev1.Pod, _ string, entry process.LogEntry) { said <- strings.TrimSpace(string(entry.Text)) },
	})
	return s, said
}

// TestDependencies: what a Pod connects to is found and broken, where connections can be watched
// and where they cannot.
func TestDependencies(t *testing.T) {
	for _, blind := range []bool{false, true} {
		t.Run(fmt.Sprintf("blind %v", blind), func(t *testing.T) {
			at := database(t)
			s, lines := watched(t, DependencyOptions{Variables: map[string]string{"db": asClient}, Blind: blind}, at)
			says(t, lines, "answered")
			if err := s.CannotWatch(); err != nil && !blind {
				t.Skip(err)
			}
			all := s.Dependencies()
			if len(all) != 1 || all[0].Name != "db" || all[0].Address != at || all[0].Refused != "" || strings.Join(all[0].Pods, " ") != "default/client" {
				t.Fatalf("found %+v", all)
			}
			if !blind && all[0].Connects == 0 {
				t.Error("no connection is counted")
			}
			spots := s.BlindSpots()
			if blind != (len(spots) == 1 && strings.Contains(spots[0].Text, "cannot be watched")) {
				t.Errorf("blind spots %+v", spots)
			}
			for _, step := range []struct {
				mode relay.Mode
				want string
			}{
				{relay.Mode{Kind: relay.Down}, "refused"},
				{relay.Mode{Kind: relay.Hang}, "timeout"},
				{relay.Mode{Kind: relay.Reset}, "reset"},
				{relay.Mode{Kind: relay.Dead}, "timeout"},
			} {
				undo, err := s.SetMode("db", step.mode)
				if err != nil {
					t.Fatal(err)
				}
				says(t, lines, step.want)
				for range 2 {
					if err := undo(); err != nil {
						t.Error(err)
					}
				}
				says(t, lines, "answered")
			}
			first, err := s.SetMode("db", relay.Mode{Kind: relay.Hang})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.SetMode("db", relay.Mode{Kind: relay.Down}); err != nil {
				t.Fatal(err)
			}
			if err := first(); err != nil { // does not undo the second one
				t.Error(err)
			}
			says(t, lines, "refused")
			if _, err := s.SetMode("cache", relay.Mode{}); err == nil || !strings.Contains(err.Error(), "there is db") {
				t.Errorf("an unknown dependency: %v", err)
			}
		})
	}
}

// TestDependencyDownAtStart: a program begins without its dependency.
func TestDependencyDownAtStart(t *testing.T) {
	down := map[string]relay.Mode{"db": {Kind: relay.Down}}
	s, lines := watched(t, DependencyOptions{Variables: map[string]string{"db": asClient}, Modes: down}, database(t))
	says(t, lines, "refused")
	if _, err := s.SetMode("db", relay.Mode{}); err != nil {
		t.Fatal(err)
	}
	says(t, lines, "answered")
}

// TestNoDependencies: a system that was not asked to watch does not.
func TestNoDependencies(t *testing.T) {
	s := started(t, t.Context(), Options{Manifests: []string{podOf(t, filepath.Join(folder(t), "pod.yaml"), "job", "Never", "exit 0")}, StopWhenFinished: true})
	if err := ended(t, s); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetMode("db", relay.Mode{}); err == nil || s.CannotWatch() == nil || s.Dependencies() != nil || s.BlindSpots() != nil {
		t.Error("something is watched")
	}
}
