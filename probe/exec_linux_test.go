package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// groupAlive reports whether a process of the group runs. Zombies do not: reaping them is up to
// their new parent.
func groupAlive(group int) bool {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // gone meanwhile
		}
		// pid (name) state ppid group …, and the name may contain anything
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[0] != "Z" && fields[2] == strconv.Itoa(group) {
			return true
		}
	}
	return false
}

// TestExecEscapedChild: a child in a session of its own keeps the output open; the result waits for
// neither its end nor its output, and what the command itself wrote is complete (G13).
func TestExecEscapedChild(t *testing.T) {
	for name, exit := range map[string]int{"success": 0, "failure": 1} {
		t.Run(name, func(t *testing.T) {
			pidFile := filepath.Join(t.TempDir(), "pid")
			script := fmt.Sprintf(`setsid sh -c 'echo $$ > "$0"; exec sleep 60' %q &
				until test -s %[1]q; do sleep 0.01; done
				head -c 5000 /dev/zero | tr '\0' a; exit %d`, pidFile, exit)
			begin := time.Now()
			got := Exec{Command: sh(script), Timeout: ample}.Probe(t.Context())
			if took := time.Since(begin); took > ample {
				t.Errorf("took %v, want less than %v", took, ample)
			}
			want := expectation{outcome: Success, output: strings.Repeat("a", 5000)}
			if exit != 0 {
				want.outcome = Failure
			}
			want.check(t, got, "")
			killPid(t, pidFile)
		})
	}
}

func killPid(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Errorf("the escaped child should still run: %v", err)
	}
}
