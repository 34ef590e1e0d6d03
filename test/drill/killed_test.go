//go:build drill

package drill

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestKilled: the deadline of what a relay does is kept by the drill alone. When the drill is
// killed, there is neither the relay nor the deadline, so nothing may be left of the programs that
// were led through it; and of those that a fault stopped, nothing either.
func TestKilled(t *testing.T) {
	b := build(t)
	for fault, says := range map[string]string{"dependency-outage:db=hang+60s": "dependency db hangs (1 of 1)", "hang+60s": "stall of 1m"} {
		t.Run(fault, func(t *testing.T) {
			cmd := b.begin(t, fault, says)
			time.Sleep(phase) // nothing depends on it: killed too early, it would be an easier test
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // that it was killed is what was meant
			for began := time.Now(); len(b.programs(t)) > 0; time.Sleep(10 * time.Millisecond) {
				if time.Since(began) > patience {
					t.Fatalf("processes %v are left", b.programs(t))
				}
			}
		})
	}
}

// phase is until a fault that was announced has most probably begun.
const phase = 4 * time.Second

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
	cmd := exec.CommandContext(t.Context(), b.probity, "drill", file, "--repeat", "1", "--dependency", "db=DATABASE", "--command", "service="+b.service, "--fault", fault)
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
