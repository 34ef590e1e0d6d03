package process

import (
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	tests := []struct {
		name, line string
		want       procStat
		fails      bool
	}{
		{"plain", "12 (sleep) S 3 12 4 0 -1 4194304\n", procStat{"sleep", 'S', 3, 12, 4}, false},
		{"name like the format", "12 (a) R 9 (b c)) Z 3 12 4 0", procStat{"a) R 9 (b c)", 'Z', 3, 12, 4}, false},
		{"no name", "12 () S 3 12 4", procStat{"", 'S', 3, 12, 4}, false},
		{"empty", "", procStat{}, true},
		{"cut short", "12 (sleep) S 3", procStat{}, true},
		{"no numbers", "12 (sleep) S x y z", procStat{}, true},
		{"parentheses the wrong way", ") (", procStat{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseStat([]byte(tt.line))
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(procStat{})); diff != "" || (err != nil) != tt.fails {
				t.Errorf("parseStat error %v, want error %v; (-want +got):\n%s", err, tt.fails, diff)
			}
		})
	}
}

// TestChildrenBothWays compares the kernel's list with a look at all processes.
func TestChildrenBothWays(t *testing.T) {
	s := newShepherd(t)
	p := shell(t, s, unruly[0].script)
	grown(t, p.PID(), unruly[0].processes)
	for _, pid := range []int{p.PID(), s.cmd.Process.Pid, os.Getpid()} {
		listed, err := childrenOf(pid)
		if err != nil {
			t.Fatal(err)
		}
		scanned, err := scanChildren(pid)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(listed)
		slices.Sort(scanned)
		if diff := cmp.Diff(scanned, listed); diff != "" || len(listed) == 0 {
			t.Errorf("children of %d (-scanned +listed):\n%s", pid, diff)
		}
	}
}

func FuzzProcParsers(f *testing.F) {
	f.Add([]byte("12 (a) R 9 (b c)) Z 3 12 4 0"))
	f.Add([]byte("123 456 "))
	f.Add([]byte("socket:[123]"))
	f.Add([]byte("32768\t60999\n"))
	f.Add([]byte(procNetSample))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = parseStat(data)
		if pids, err := parseChildren(data); err == nil && slices.ContainsFunc(pids, func(pid int) bool { return pid <= 0 }) {
			t.Errorf("children %v", pids)
		}
		_, _ = parseSocketLink(string(data))
		if low, high, err := parsePortRange(string(data)); err == nil && (low < 1 || high > 65535 || low > high) {
			t.Errorf("ports %d to %d", low, high)
		}
		checkListeners(t, func() ([]Listener, error) { return parseProcNet(data) })
	})
}

func checkListeners(t *testing.T, parse func() ([]Listener, error)) {
	all, err := parse()
	for _, l := range all {
		if err == nil && (!l.Addr.IsValid() || l.Addr.Is4In6() || l.Port < 0 || l.Port > 65535) {
			t.Errorf("listener %+v", l)
		}
	}
}
