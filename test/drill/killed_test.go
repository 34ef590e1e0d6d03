//go:build drill

package drill

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// victim is who is killed in the middle of a fault.
type victim string

const (
	drillItself victim = "drill"
	shepherd    victim = "shepherd"
	both        victim = "both"
)

// kill is a fault, and what a drill says when it is about to do it.
type kill struct{ fault, says string }

// kills are all faults that there are.
func kills() []kill {
	return []kill{
		{"hang+60s", "stall of 1m"},
		{"throttle=10%+60s", "throttle to 10%"},
		{"dependency-outage:db=hang+60s", "dependency db hangs"},
		{"disk-full+60s", "disk full"},
		{"fds", "fds"},
		{"deadlock", "deadlock"},
		{"dependency-outage:db+60s", "dependency db down"},
		{"dependency-outage:db=dead+60s", "dependency db dead"},
		{"dependency-outage:db=slow:300ms+60s", "dependency db slow"},
		{"dependency-outage:db=reset+60s", "dependency db resets"},
		{"dependency-outage:db@start+60s", "dependency db down at the start"},
		{"pool:db+60s", "pool of db"},
		{"held=50+60s", "50 silent clients"},
		{"slow-start=2x+60s", "start 2x as slow"},
		{"overload=10x+60s", "overload of 10x"},
		{"gc-stall=60s/1h", "stall of 1m"},
		{"memory=1Gi+60s", "memory limit of 1Gi"},
		{"dns=slow:5s+60s", "dependency dns slow"},
		{"hang", "hang"},
		{"crash", "crash"},
		{"stop", "stop"},
		{"rollout", "rollout"},
	}
}

// victims are who is killed in the middle of the fault of a number: everybody in turn, or one.
func victims(number int) []victim {
	all := []victim{drillItself, shepherd, both}
	if everybody {
		return all
	}
	return all[number%len(all):][:1]
}

// TestKilled: whoever is killed in the middle of a fault, nothing is left within a second, and so
// nothing is stopped, limited or cut off: the deadlines of processes are kept by the shepherd,
// those of relays by the drill, and each ends with its keeper.
func TestKilled(t *testing.T) {
	b := build(t)
	b.names = serveNames(t, "database.test.")
	for i, k := range kills() {
		for _, v := range victims(i) {
			t.Run(k.fault+" "+string(v), func(t *testing.T) {
				t.Parallel()
				b.testKilled(t, k.fault, k.says, v)
			})
		}
	}
}

const (
	// leftLimit is within what nothing is left.
	leftLimit = time.Second
	// lateLimit is how late this process may be itself while it looks, and busyLimit how many
	// threads may want to run for each processor: beyond, the machine has no time for those that
	// have to end either, and nothing can be told.
	lateLimit = 50 * time.Millisecond
	busyLimit = 1.5
	// killTries bounds how often that is tried again.
	killTries = 3
	// phase is until a fault that was announced has most probably begun: nothing depends on it, as
	// who is killed too early is an easier test.
	phase = 4 * time.Second
)

// testKilled takes the best of some tries. It fails if something was left too long in each, and the
// machine was busy in none.
func (b built) testKilled(t *testing.T, fault, says string, v victim) {
	told := true
	for range killTries {
		left, busy := b.killOnce(t, fault, says, v)
		if left <= leftLimit {
			t.Logf("nothing was left after %v", left)
			return
		}
		t.Logf("something was left for %v; the machine was busy: %v", left, busy)
		told = told && !busy
	}
	if !told {
		t.Skip("this machine was too busy to tell")
	}
	t.Errorf("something was left for longer than %v, each of %d times", leftLimit, killTries)
}

// killOnce returns how long something was left after a kill, and whether the machine was busy
// meanwhile.
func (b built) killOnce(t *testing.T, fault, says string, v victim) (left time.Duration, busy bool) {
	b.service = ownLink(t, b.service)
	cmd := b.begin(t, fault, says)
	time.Sleep(phase)
	pids := map[victim][]int{drillItself: {cmd.Process.Pid}, shepherd: children(t, cmd.Process.Pid)}
	pids[both] = append(pids[shepherd], cmd.Process.Pid)
	if len(pids[shepherd]) != 1 {
		t.Fatalf("the drill has the children %v, want a shepherd", pids[shepherd])
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // that it was killed, or lost its shepherd, is what was meant
		close(ended)
	}()
	began, looked := time.Now(), time.Now()
	for _, pid := range pids[v] {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	for len(b.programs(t)) > 0 || alive(pids[shepherd][0]) {
		if time.Since(began) > patience {
			t.Fatalf("processes %v are left", b.programs(t))
		}
		busy = busy || time.Since(looked) > tick+lateLimit || runnable(t) > busyLimit*float64(runtime.NumCPU())
		looked = time.Now()
		time.Sleep(tick)
	}
	left = time.Since(began)
	_ = cmd.Process.Signal(os.Interrupt) // of a drill that has lost its shepherd, the end is not awaited here
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the drill does not end")
	}
	return left, busy
}

// runnable is how many threads of the machine run or want to.
func runnable(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		t.Fatal(err)
	}
	var one, five, fifteen, now float64 // of "0.20 0.18 0.12 1/80 11206"
	if _, err := fmt.Sscanf(string(text), "%g %g %g %g/", &one, &five, &fifteen, &now); err != nil {
		t.Fatalf("cannot read /proc/loadavg: %v: %q", err, text)
	}
	return now
}

// tick is how often is looked whether something is left.
const tick = 5 * time.Millisecond

// ownLink is a program's file for one drill alone, by which its processes are told from others.
func ownLink(t *testing.T, program string) string {
	t.Helper()
	link := filepath.Join(openFolder(t), "service")
	if err := os.Link(program, link); err != nil {
		t.Fatal(err)
	}
	return link
}

// begin drills until the fault is announced. Its programs run then.
func (b built) begin(t *testing.T, fault, says string) *exec.Cmd {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, []byte(b.manifest(t, nil)), 0o600); err != nil {
		t.Fatal(err)
	}
	state, err := os.MkdirTemp("", "drill") // short, as a socket is in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(state) })
	cmd := exec.CommandContext(t.Context(), b.probity, "drill", file, "--repeat", "1", "--dependency", "db=DATABASE", "--command", "service="+b.service+" -names "+b.names+" -ask example.test", "--fault", fault)
	cmd.Env = append(os.Environ(), "TMPDIR="+state)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(said, says) {
			if len(b.programs(t)) == 0 {
				t.Error("there is no program")
			}
			return cmd
		}
	}
	t.Fatalf("the drill ended:\n%s", said)
	return nil
}

// programs are the processes of the service.
func (b built) programs(t *testing.T) (pids []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if program, err := os.Readlink(link); err == nil && program == b.service {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

// children are the processes that a process has forked.
func children(t *testing.T, of int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		status, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(status), "\nPPid:\t"+strconv.Itoa(of)+"\n") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// alive reports whether a process is there, and is more than the exit code that somebody may ask
// for.
func alive(pid int) bool {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	return err == nil && !strings.Contains(string(status), "\nState:\tZ")
}
