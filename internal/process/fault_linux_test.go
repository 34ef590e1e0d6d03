package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// inject does a fault that has to succeed.
func inject(t *testing.T, p Process, f Fault) (undo func() error) {
	t.Helper()
	undo, err := p.(Faulty).Inject(f)
	if err != nil {
		t.Fatal(err)
	}
	return undo
}

// states are the states of a tree in one word, as in "TTT".
func states(t *testing.T, root int) string {
	t.Helper()
	tree, err := descendants(root)
	if err != nil {
		t.Fatal(err)
	}
	var word []byte
	for _, pid := range tree {
		if stat, err := readStat(pid); err == nil && !stat.dead() {
			word = append(word, stat.state)
		}
	}
	return string(word)
}

// eventuallyStopped waits until nothing of a tree runs: D is a shell that waits in the kernel for
// what it has forked by vfork, which is stopped.
func eventuallyStopped(t *testing.T, root int) {
	t.Helper()
	for deadline := time.Now().Add(patience); strings.Trim(states(t, root), "TD") != ""; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the states of its processes are %s after %v, want T", states(t, root), patience)
		}
	}
}

func noneStopped(t *testing.T, root int) bool { return !strings.Contains(states(t, root), "T") }

// TestFaultStop stops trees of all sorts, and lets them go on.
func TestFaultStop(t *testing.T) {
	s := newShepherd(t)
	for _, program := range unruly {
		if program.name == "stopped" {
			continue
		}
		t.Run(program.name, func(t *testing.T) {
			p := shell(t, s, program.script)
			grown(t, p.PID(), program.processes)
			undo := inject(t, p, Fault{Kind: FaultStop})
			eventuallyStopped(t, p.PID())
			for range 2 {
				if err := undo(); err != nil {
					t.Fatal(err)
				}
			}
			eventually(t, "it goes on", func() bool { return noneStopped(t, p.PID()) })
		})
	}
}

// TestFaultStopForking: a tree that forks without pause is stopped as a whole.
func TestFaultStopForking(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "fork() { while :; do (:) & (sleep 0.001 & :); wait; done; }; fork & fork & (setsid sh -c 'while :; do sh -c :; done' &); fork")
	grownPast(t, p.PID(), 4)
	for range 8 {
		undo := inject(t, p, Fault{Kind: FaultStop})
		eventuallyStopped(t, p.PID()) // one that waits for a processor has not noticed yet
		before, err := descendants(p.PID())
		if err != nil {
			t.Fatal(err)
		}
		if after, _ := descendants(p.PID()); len(after) != len(before) {
			t.Fatalf("a stopped tree of %v became %v", before, after)
		}
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it forks again", func() bool {
			after, _ := descendants(p.PID())
			return fmt.Sprint(after) != fmt.Sprint(before)
		})
	}
}

// grownPast waits until a tree has n processes at least.
func grownPast(t *testing.T, root, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d processes below %d", n, root), func() bool {
		tree, err := descendants(root)
		return err == nil && len(tree) >= n
	})
}

// TestFaultStopLeaves: what somebody else has stopped stays so.
func TestFaultStopLeaves(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "sleep 1000 & kill -STOP $!; sleep 1001 & wait")
	tree := grown(t, p.PID(), 3)
	stopped := func(pid int) bool { stat, err := readStat(pid); return err == nil && stat.state == 'T' }
	eventually(t, "its first child is stopped", func() bool { return stopped(tree[1]) })
	undo := inject(t, p, Fault{Kind: FaultStop})
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the others go on", func() bool { return !stopped(tree[0]) && !stopped(tree[2]) })
	if !stopped(tree[1]) {
		t.Error("the child goes on, too")
	}
}

// TestFaultEnds: the shepherd undoes every fault itself.
func TestFaultEnds(t *testing.T) {
	s := newShepherd(t)
	for name, f := range map[string]Fault{
		"for":      {Kind: FaultStop, For: time.Second},
		"deadline": {Kind: FaultStop, Deadline: time.Second},
		"limit":    {Kind: FaultDescriptors, For: time.Second},
		"size":     {Kind: FaultFileSize, For: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := shell(t, s, "sleep 1000 & wait")
			tree := sleeping(t, p.PID(), 2)
			before := limitsOf(t, tree)
			inject(t, p, f)
			eventually(t, "it is over", func() bool { return noneStopped(t, p.PID()) && limitsOf(t, tree) == before })
			undo := inject(t, p, f) // there may be another one
			if err := undo(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// sleeping waits until the tree has n processes, and all but the first one execute sleep: before,
// a fault would end them.
func sleeping(t *testing.T, root, n int) (tree []int) {
	t.Helper()
	eventually(t, "all children sleep", func() bool {
		var err error
		if tree, err = descendants(root); err != nil {
			t.Fatal(err)
		}
		return len(tree) == n && !slices.ContainsFunc(tree[1:], func(pid int) bool { return !sleeps(pid) })
	})
	return tree
}

// sleeps reports whether a process executes sleep, and does not open its libraries any more.
func sleeps(pid int) bool {
	stat, err := readStat(pid)
	return err == nil && stat.command == "sleep" && stat.state == 'S'
}

// limitsOf are the soft limits that faults change, of all of these processes.
func limitsOf(t *testing.T, pids []int) (text string) {
	t.Helper()
	for _, pid := range pids {
		for _, resource := range []int{unix.RLIMIT_NOFILE, unix.RLIMIT_FSIZE} {
			var limit unix.Rlimit
			if err := unix.Prlimit(pid, resource, nil, &limit); err != nil {
				t.Fatal(err)
			}
			text += fmt.Sprint(limit.Cur, " ")
		}
	}
	return text
}

// TestFaultsBeside: faults that use the same means are refused, others are not; one at a time
// whatever came before.
func TestFaultsBeside(t *testing.T) {
	all := []Fault{
		{Kind: FaultStop}, {Kind: FaultThrottle, Share: 0.1}, {Kind: FaultDescriptors}, {Kind: FaultFileSize}, {Kind: FaultMemory, Limit: 1 << 40},
	}
	s := newShepherd(t)
	p := shell(t, s, "sleep 1000 & wait")
	sleeping(t, p.PID(), 2)
	for _, first := range all {
		for _, second := range all {
			undo := inject(t, p, first)
			signals := func(f Fault) bool { return f.Kind == FaultStop || f.Kind == FaultThrottle }
			busy := first.Kind == second.Kind || signals(first) && signals(second)
			undoSecond, err := p.(Faulty).Inject(second)
			if errors.Is(err, ErrFaultBusy) != busy || !busy && err != nil {
				t.Errorf("%v after %v: %v, want busy: %v", second.Kind, first.Kind, err, busy)
			}
			if err == nil {
				undoSecond()
			}
			if err := undo(); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, "it goes on", func() bool { return noneStopped(t, p.PID()) })
}

// TestFaultOfTheDead: a process that has ended, or is being killed, takes none; a fault ends with
// its process.
func TestFaultOfTheDead(t *testing.T) {
	s := newShepherd(t)
	for _, f := range []Fault{{Kind: FaultStop}, {Kind: FaultThrottle, Share: 0.1}, {Kind: FaultDescriptors}, {Kind: FaultMemory, Limit: 1 << 40}} {
		t.Run(f.Kind.String(), func(t *testing.T) {
			p := shell(t, s, "sleep 1000 & (setsid sleep 1000 &); wait")
			tree := sleeping(t, p.PID(), 3)
			undo := inject(t, p, f)
			if err := p.Kill(); err != nil {
				t.Fatal(err)
			}
			if _, err := p.(Faulty).Inject(f); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("while it is killed: %v, want %v", err, os.ErrProcessDone)
			}
			if exit := waitDone(t, p); exit.Code != 137 || exit.OutOfMemory {
				t.Errorf("exit = %+v, want code 137", exit)
			}
			if left := living(tree); len(left) > 0 {
				t.Errorf("%v live", left)
			}
			if err := undo(); err != nil {
				t.Errorf("undo after the end: %v", err)
			}
			if _, err := p.(Faulty).Inject(f); !errors.Is(err, os.ErrProcessDone) {
				t.Errorf("after the end: %v, want %v", err, os.ErrProcessDone)
			}
		})
	}
}

func TestFaultSignal(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, "trap 'exit 7' USR1; echo; sleep 1000 & wait")
	grown(t, p.PID(), 2)
	undo := inject(t, p, Fault{Kind: FaultSignal, Signal: syscall.SIGUSR1})
	if exit := waitDone(t, p); exit.Code != 7 {
		t.Errorf("exit = %+v, want code 7", exit)
	}
	if err := undo(); err != nil {
		t.Errorf("undo: %v", err)
	}
}

// TestFaultDescriptors: nothing can be opened, also not by what is forked meanwhile; then it can
// again.
func TestFaultDescriptors(t *testing.T) {
	s := newShepherd(t)
	dir := t.TempDir()
	write(t, dir, "note", "")
	// The redirection of a subshell opens a file; what it says goes to one that is open.
	const script = `exec >said; while :; do if (: <note) 2>/dev/null; then echo open; else echo full; fi; sleep 0.01; done`
	p := start(t, s, Spec{Argv: []string{"sh", "-c", script}, Env: os.Environ(), Dir: dir})
	seen := 0
	says := func(word string) {
		t.Helper()
		eventually(t, "it says "+word, func() bool {
			data, _ := os.ReadFile(dir + "/said")
			return strings.Contains(string(data[min(seen, len(data)):]), word)
		})
		data, _ := os.ReadFile(dir + "/said")
		seen = len(data)
	}
	says("open")
	before := limitsOf(t, []int{p.PID()})
	undo := inject(t, p, Fault{Kind: FaultDescriptors})
	says("full")
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if after := limitsOf(t, []int{p.PID()}); after != before {
		t.Errorf("limits %s, want %s as before", after, before)
	}
	says("open")
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(dir+"/"+name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFaultMemory: a tree that has too much is killed, whoever of it has it, and its exit says so.
func TestFaultMemory(t *testing.T) {
	s := newShepherd(t)
	// as the shell keeps its variables in memory
	grow := "x=1234567890123456; while :; do x=$x$x; [ ${#x} -gt 40000000 ] && break; done; sleep 1000"
	for name, script := range map[string]string{"itself": grow, "a child": "(" + grow + ") & wait"} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, s, script)
			inject(t, p, Fault{Kind: FaultMemory, Limit: 32 << 20})
			if exit := waitDone(t, p); exit.Code != 137 || !exit.OutOfMemory {
				t.Errorf("exit = %+v, want code 137, out of memory", exit)
			}
		})
	}
	t.Run("enough", func(t *testing.T) {
		p := shell(t, s, "sleep 1000")
		undo := inject(t, p, Fault{Kind: FaultMemory, Limit: 1 << 40})
		if err := undo(); err != nil {
			t.Fatal(err)
		}
		p.Kill()
		if exit := waitDone(t, p); exit.OutOfMemory {
			t.Errorf("exit = %+v, want an ordinary one", exit)
		}
	})
}

// TestFaultsPlainUser runs some of the tests as somebody who is not root: of each thing that the
// kernel might refuse.
func TestFaultsPlainUser(t *testing.T) {
	if os.Geteuid() != 0 {
		return // they have just run that way
	}
	const tests = "^TestFault(StopLeaves|Ends|Descriptors|Killed)$/^(for|limit|stop|throttle)$/^both$"
	if out, err := asPlainUser(t, tests); err != nil || bytes.Count(out, []byte("--- PASS: Test")) < 8 {
		t.Errorf("as uid 65534: %v\n%s", err, out)
	}
}
