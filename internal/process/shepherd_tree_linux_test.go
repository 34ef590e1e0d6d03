package process

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/test/ports"
)

// unruly are programs that try to outlive their container, with the number of processes that they
// consist of.
var unruly = []struct {
	name, script string
	processes    int
}{
	{"forked", "sleep 1000 & sleep 1000 & wait", 3},
	{"fifty children", "for i in 0 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5; do sleep 1000 & done; done; wait", 51},
	{"daemon", "(setsid sh -c 'sleep 1000 & exec sleep 1000' &); exec sleep 1000", 3},
	{"daemon without environment", "(env -i setsid sleep 1000 &); exec sleep 1000", 2},
	{"ignores SIGTERM", "trap '' TERM HUP INT; while :; do sleep 1000; done", 2},
	{"stopped", "sleep 1000 & kill -STOP $!; kill -STOP $$", 2},
	{"closed streams", "exec <&- >&- 2>&-; sleep 1000 & wait", 2},
}

func playOnThisSystem(role string) error {
	switch role {
	case "supervise":
		return playSupervise(os.Args[1:])
	case "move":
		return playMove()
	case "faulty":
		return playFaulty(os.Args[1])
	case "compute":
		return playCompute()
	case "death-signal":
		return playDeathSignal()
	case "foreground":
		return playForeground(os.Args[1])
	case "connect", "connect-briefly":
		return playConnect(os.Args[1:])
	case "connect-often", "send-often":
		return playOften(role, os.Args[1], os.Args[2])
	case "connect-blocked":
		return playConnectBlocked()
	}
	return errors.New("no such role")
}

// playSupervise is a Probity that starts 20 containers, some of which listen at these addresses,
// and is killed.
func playSupervise(addresses []string) error {
	if err := BecomeSubreaper(); err != nil {
		return err
	}
	s, err := NewShepherd(ShepherdOptions{})
	if err != nil {
		return err
	}
	var specs []Spec
	for _, address := range addresses {
		specs = append(specs, Spec{Argv: []string{"/proc/self/exe", address}, Env: append(os.Environ(), roleVariable+"=listen"), Stdout: os.Stdout})
	}
	for len(specs) < 20 {
		script := unruly[len(specs)%len(unruly)].script
		specs = append(specs, Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ()})
	}
	if s.TryConnects() == nil { // nothing of that is left either
		for i := range specs {
			if i%2 == 0 {
				specs[i].Connects = func(Connect) Route { return Route{} }
			}
		}
	}
	for _, spec := range specs {
		if _, err := s.Start(spec); err != nil {
			return err
		}
	}
	fmt.Println("started", s.cmd.Process.Pid)
	select {}
}

// playMove moves into the group of a child.
func playMove() error {
	child := &exec.Cmd{Path: "/bin/sleep", Args: []string{"sleep", "1000"}, SysProcAttr: &syscall.SysProcAttr{Setpgid: true}}
	if err := child.Start(); err != nil {
		return err
	}
	if err := syscall.Setpgid(0, child.Process.Pid); err != nil {
		return err
	}
	select {}
}

// nothingLeft kills what the tests have left behind, and reports whether there was nothing.
func nothingLeft() bool {
	clean := true
	for {
		children, err := scanChildren(os.Getpid())
		if err != nil || len(children) == 0 {
			return clean && err == nil
		}
		for _, pid := range children {
			stat, err := readStat(pid)
			if err == nil && !stat.dead() {
				fmt.Fprintf(os.Stderr, "left behind: %d (%s)\n", pid, stat.command)
				clean = false
			}
			killTree(pid)
			_, _ = syscall.Wait4(pid, nil, 0, nil)
		}
	}
}

// TestNothingIsLeft ends the main process in several ways: when the exit is reported, nothing of
// the tree lives.
func TestNothingIsLeft(t *testing.T) {
	ends := []struct {
		name string
		end  func(Process) error
	}{
		{"main process killed by somebody", func(p Process) error { return syscall.Kill(p.PID(), syscall.SIGKILL) }},
		{"Kill", func(p Process) error { return p.Kill() }},
		{"SIGKILL to the group", func(p Process) error { return p.Signal(syscall.SIGKILL) }},
	}
	s := newShepherd(t)
	for _, program := range unruly {
		for _, end := range ends {
			t.Run(program.name+"/"+end.name, func(t *testing.T) {
				p := shell(t, s, program.script)
				tree := grown(t, p.PID(), program.processes)
				if err := end.end(p); err != nil {
					t.Fatal(err)
				}
				exit := waitDone(t, p)
				if left := living(tree); len(left) > 0 {
					t.Errorf("%v of %v live after the exit was reported", left, tree)
				}
				if exit.Code != 137 || exit.Signal != syscall.SIGKILL || len(exit.Survivors) > 0 {
					t.Errorf("exit = %+v, want code 137, SIGKILL, no survivors", exit)
				}
				if tree, err := Tree(p); tree != nil || err != nil {
					t.Errorf("Tree after the end = %v, want none", tree)
				}
			})
		}
	}
	children, err := childrenOf(s.cmd.Process.Pid)
	if err != nil || len(children) > 0 {
		t.Errorf("children of the shepherd at the end = %v, %v; want none, not even dead ones", children, err)
	}
}

func TestMainProcessExitsByItself(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "trap 'exit 5' USR1; setsid sleep 1000 & sleep 1000 & wait")
	tree := grown(t, p.PID(), 3)
	if err := syscall.Kill(p.PID(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if exit := waitDone(t, p); exit.Code != 5 || exit.Signal != 0 {
		t.Errorf("exit = %+v, want code 5", exit)
	}
	if left := living(tree); len(left) > 0 {
		t.Errorf("%v live after the exit was reported", left)
	}
}

// TestOthersLive is the counterpart: the end of one container leaves the daemons of another alone.
func TestOthersLive(t *testing.T) {
	s := newShepherd(t)
	other := shell(t, s, unruly[2].script)
	tree := grown(t, other.PID(), unruly[2].processes)
	for range 5 {
		p := shell(t, s, unruly[2].script)
		grown(t, p.PID(), unruly[2].processes)
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		waitDone(t, p)
	}
	if now := living(tree); len(now) != len(tree) {
		t.Errorf("of %v only %v live", tree, now)
	}
}

func TestSignal(t *testing.T) {
	s := newShepherd(t)
	t.Run("group", func(t *testing.T) {
		p := shell(t, s, "sleep 1000 & sleep 1000")
		tree := grown(t, p.PID(), 3)
		// A shell that waits for the execve of a child would not stop.
		eventually(t, "both children execute sleep", func() bool {
			return !slices.ContainsFunc(tree[1:], func(pid int) bool {
				stat, err := readStat(pid)
				return err != nil || stat.command != "sleep"
			})
		})
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "all stopped", func() bool {
			for _, pid := range tree {
				if stat, err := readStat(pid); err != nil || stat.state != 'T' {
					return false
				}
			}
			return true
		})
	})
	t.Run("process that left its group", func(t *testing.T) {
		p := start(t, s, Spec{Argv: []string{"/proc/self/exe"}, Env: append(os.Environ(), roleVariable+"=move")})
		eventually(t, "it moved", func() bool {
			group, err := syscall.Getpgid(p.PID())
			return err == nil && group != p.PID()
		})
		if err := p.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		// The Go runtime dies of the signal itself.
		if exit := waitDone(t, p); exit.Code != 143 {
			t.Errorf("exit = %+v, want code 143", exit)
		}
	})
	t.Run("after the end", func(t *testing.T) {
		p := shell(t, s, "exit 0")
		waitDone(t, p)
		if err := p.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Signal = %v, want %v", err, os.ErrProcessDone)
		}
		if err := p.Kill(); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("Kill = %v, want %v", err, os.ErrProcessDone)
		}
	})
}

// TestProbityKilled is the promise of the package: Probity dies of SIGKILL, and nothing is left.
func TestProbityKilled(t *testing.T) {
	probity := exec.Command("/proc/self/exe", fmt.Sprintf("127.0.0.1:%d", ports.Free(t)), fmt.Sprintf("127.0.0.1:%d", ports.Free(t)))
	probity.Env = append(os.Environ(), roleVariable+"=supervise")
	probity.Stderr = os.Stderr
	out, err := probity.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := probity.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { probity.Process.Kill(); probity.Wait() })
	addresses, shepherd := readSupervisor(t, bufio.NewScanner(out))
	want := 1 + 1 + 2 // itself, the shepherd, the listeners
	for i := 2; i < 20; i++ {
		want += unruly[i%len(unruly)].processes
	}
	tree := grown(t, probity.Process.Pid, want)
	if err := probity.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	eventually(t, "all processes are gone", func() bool { return len(living(tree)) == 0 })
	t.Logf("%d processes gone after %v", len(tree), time.Since(killed).Round(time.Millisecond))
	for _, address := range addresses {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("port not free: %v", err)
			continue
		}
		l.Close()
	}
	syscall.Wait4(shepherd, nil, 0, nil) // it came to this process
}

// readSupervisor reads the ports of the two listeners and the shepherd's pid.
func readSupervisor(t *testing.T, out *bufio.Scanner) (ports []string, shepherd int) {
	t.Helper()
	for (len(ports) < 2 || shepherd == 0) && out.Scan() {
		if _, err := fmt.Sscanf(out.Text(), "started %d", &shepherd); err != nil {
			ports = append(ports, strings.TrimSpace(out.Text()))
		}
	}
	if len(ports) < 2 || shepherd == 0 {
		t.Fatalf("the supervisor printed ports %v, shepherd %d", ports, shepherd)
	}
	return ports, shepherd
}

func TestShepherdKilled(t *testing.T) {
	s := newShepherd(t)
	var trees []int
	var processes []Process
	for _, program := range unruly {
		p := shell(t, s, program.script)
		trees = append(trees, grown(t, p.PID(), program.processes)...)
		processes = append(processes, p)
	}
	second := newShepherd(t) // must survive the clearing up
	bystander := shell(t, second, "sleep 1000")
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("the end of the shepherd was not noticed")
	}
	if left := living(trees); len(left) > 0 {
		t.Errorf("%v live after Done", left)
	}
	for _, p := range processes {
		if exit := waitDone(t, p); exit.Code != 137 {
			t.Errorf("exit = %+v, want code 137", exit)
		}
		if err := p.Signal(syscall.SIGTERM); !errors.Is(err, ErrShepherdGone) {
			t.Errorf("Signal = %v, want %v", err, ErrShepherdGone)
		}
	}
	if err := s.Err(); !errors.Is(err, ErrShepherdGone) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Err = %v, want %v with the reason", err, ErrShepherdGone)
	}
	if _, err := s.Start(Spec{Argv: []string{"true"}}); !errors.Is(err, ErrShepherdGone) {
		t.Errorf("Start = %v, want %v", err, ErrShepherdGone)
	}
	if !alive(bystander.PID()) {
		t.Error("the processes of another shepherd died as well")
	}
}

func TestShepherdIgnoresTerminalSignals(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "sleep 1000")
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if err := s.cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Signal(0); err != nil {
		t.Errorf("after the signals: %v", err)
	}
	ours, _ := readStat(os.Getpid())
	theirs, err := readStat(p.PID())
	if err != nil || theirs.session == ours.session || theirs.group != p.PID() {
		t.Errorf("process has session %d, group %d, want another session than %d, group %d", theirs.session, theirs.group, ours.session, p.PID())
	}
}

func TestCloseKillsAll(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, unruly[2].script)
	tree := grown(t, p.PID(), unruly[2].processes)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := living(tree); len(left) > 0 {
		t.Errorf("%v live after Close", left)
	}
	if exit := waitDone(t, p); exit.Code != 137 {
		t.Errorf("exit = %+v, want code 137", exit)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
