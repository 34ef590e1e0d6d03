package process

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// reapedShepherd is a shepherd with a reaper, and its process.
func reapedShepherd(t *testing.T) (*Shepherd, int) {
	t.Helper()
	s, err := NewShepherd(ShepherdOptions{Reaper: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, shepherdBelow(t, s.cmd.Process.Pid)
}

// shepherdBelow is the shepherd process of a reaper.
func shepherdBelow(t *testing.T, reaper int) (pid int) {
	t.Helper()
	eventually(t, "the reaper has started the shepherd", func() bool {
		children, err := childrenOf(reaper)
		if err != nil || len(children) != 1 || Command(children[0]) != shepherdName {
			return false
		}
		pid = children[0]
		return true
	})
	return pid
}

// TestReaper: with a reaper, a shepherd does what it does without.
func TestReaper(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		s, pid := reapedShepherd(t)
		p := shell(t, s, unruly[2].script)
		tree := append(grown(t, p.PID(), unruly[2].processes), pid, s.cmd.Process.Pid)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if left := living(tree); len(left) > 0 {
			t.Errorf("%v live after Close", left)
		}
	})
	t.Run("shepherd killed", func(t *testing.T) {
		s, pid := reapedShepherd(t)
		p := shell(t, s, unruly[2].script)
		tree := append(grown(t, p.PID(), unruly[2].processes), pid, s.cmd.Process.Pid)
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if exit := waitDone(t, p); exit.Code != 137 {
			t.Errorf("exit = %+v, want code 137", exit)
		}
		<-s.Done()
		if left := living(tree); len(left) > 0 {
			t.Errorf("%v live", left)
		}
		if err := s.Err(); !errors.Is(err, ErrShepherdGone) || !strings.Contains(err.Error(), "killed") {
			t.Errorf("Err = %v, want %v with the reason", err, ErrShepherdGone)
		}
	})
	t.Run("reaper killed", func(t *testing.T) {
		s, pid := reapedShepherd(t)
		p := shell(t, s, unruly[2].script)
		tree := append(grown(t, p.PID(), unruly[2].processes), pid)
		if err := s.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		waitDone(t, p)
		eventually(t, "nothing is left", func() bool { return len(living(tree)) == 0 })
	})
	t.Run("shepherd stopped", func(t *testing.T) {
		s, pid := reapedShepherd(t)
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		waitDone(t, shell(t, s, "exit 0"))
	})
	t.Run("another shepherd", func(t *testing.T) {
		s, _ := reapedShepherd(t)
		bystander := shell(t, s, "sleep 1000")
		other := newShepherd(t)
		other.cmd.Process.Kill()
		<-other.Done()
		if !alive(bystander.PID()) {
			t.Error("the processes of another shepherd died as well")
		}
	})
}

// faultsByName are those that last.
func faultsByName() map[string]Fault {
	return map[string]Fault{
		"none":        {},
		"stop":        {Kind: FaultStop},
		"throttle":    {Kind: FaultThrottle, Share: 0.05},
		"descriptors": {Kind: FaultDescriptors},
		"file size":   {Kind: FaultFileSize},
		"memory":      {Kind: FaultMemory, Limit: 1 << 40},
	}
}

// playFaulty is a Probity that has done a fault to a tree, and is killed.
func playFaulty(fault string) error {
	if err := BecomeSubreaper(); err != nil {
		return err
	}
	s, err := NewShepherd(ShepherdOptions{Reaper: true})
	if err != nil {
		return err
	}
	p, err := s.Start(Spec{Argv: []string{"sh", "-c", "sleep 1000 & (setsid sleep 1000 &); while :; do :; done"}, Env: os.Environ()})
	if err != nil {
		return err
	}
	for {
		tree, err := descendants(p.PID())
		if err != nil {
			return err
		}
		if len(tree) == 3 && sleeps(tree[1]) && sleeps(tree[2]) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if f := faultsByName()[fault]; f.Kind != 0 {
		if _, err := p.(Faulty).Inject(f); err != nil {
			return err
		}
	}
	fmt.Println(s.cmd.Process.Pid, p.PID())
	select {}
}

// TestFaultKilled: whoever is killed in the middle of a fault, nothing is left that is stopped, or
// alive at all.
func TestFaultKilled(t *testing.T) {
	kills := map[string]func(probity, shepherd int) []int{
		"probity":  func(probity, _ int) []int { return []int{probity} },
		"shepherd": func(_, shepherd int) []int { return []int{shepherd} },
		"both":     func(probity, shepherd int) []int { return []int{probity, shepherd} },
	}
	for fault := range faultsByName() {
		for who, victims := range kills {
			t.Run(fault+"/"+who, func(t *testing.T) {
				t.Parallel()
				probity := exec.Command("/proc/self/exe", fault)
				probity.Env = append(os.Environ(), roleVariable+"=faulty")
				probity.Stderr = os.Stderr
				out, err := probity.StdoutPipe()
				if err != nil {
					t.Fatal(err)
				}
				if err := probity.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { probity.Process.Kill(); probity.Wait() })
				line := bufio.NewScanner(out)
				line.Scan()
				var reaper, root int
				if _, err := fmt.Sscan(line.Text(), &reaper, &root); err != nil {
					t.Fatalf("it printed %q: %v", line.Text(), err)
				}
				shepherd := shepherdBelow(t, reaper)
				tree, err := descendants(root)
				if err != nil || len(tree) != 3 {
					t.Fatalf("tree %v, %v, want 3 processes", tree, err)
				}
				for i, pid := range victims(probity.Process.Pid, shepherd) {
					// the end of the first may have ended the second by now
					if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && (i == 0 || err != syscall.ESRCH) {
						t.Fatal(err)
					}
				}
				killed := time.Now()
				all := append(tree, shepherd, reaper)
				eventually(t, "nothing is left", func() bool { return len(living(all)) == 0 })
				t.Logf("nothing is left after %v", time.Since(killed).Round(time.Millisecond))
				syscall.Wait4(reaper, nil, 0, nil) // it may have come to this process
			})
		}
	}
}
