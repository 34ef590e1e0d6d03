package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestHeartbeatAge gives a file exact ages, in virtual time.
func TestHeartbeatAge(t *testing.T) {
	const file = `heartbeat file "{addr}" `
	tests := map[string]struct {
		age, maxAge time.Duration
		want        expectation
	}{
		"just written":               {0, time.Minute, expectation{outcome: Success, output: file + "was last written 0s ago"}},
		"younger":                    {10 * time.Second, time.Minute, expectation{outcome: Success, output: file + "was last written 10s ago"}},
		"exactly as old as allowed":  {time.Minute, time.Minute, expectation{outcome: Success, output: file + "was last written 1m0s ago"}},
		"older":                      {61 * time.Second, time.Minute, expectation{outcome: Failure, output: file + "was last written 1m1s ago, more than 1m0s"}},
		"older by a little":          {time.Minute + time.Millisecond, time.Minute, expectation{outcome: Failure, output: file + "was last written 1m0.001s ago, more than 1m0s"}},
		"as old as the default":      {30 * time.Second, 0, expectation{outcome: Success, output: file + "was last written 30s ago"}},
		"older than the default":     {31 * time.Second, 0, expectation{outcome: Failure, output: file + "was last written 31s ago, more than 30s"}},
		"a little in the future":     {-2 * time.Second, time.Minute, expectation{outcome: Success, output: file + "was last written 0s ago"}},
		"too far in the future":      {-3 * time.Second, time.Minute, expectation{outcome: Failure, output: file + "is dated 3s in the future: check the clocks"}},
		"a year in the future":       {-8760 * time.Hour, time.Minute, expectation{outcome: Failure, output: file + "is dated 8760h0m0s in the future: check the clocks"}},
		"negative limit means unset": {time.Second, -time.Second, expectation{outcome: Success, output: file + "was last written 1s ago"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "beat")
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				written := time.Now().Add(-test.age)
				if err := os.Chtimes(path, written, written); err != nil {
					t.Fatal(err)
				}
				test.want.check(t, Heartbeat{File: path, MaxAge: test.maxAge}.Probe(t.Context()), path)
			})
		})
	}
}

func TestHeartbeatUnreadable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing")
	tests := map[string]struct {
		path string
		want expectation
	}{
		"missing":           {missing, expectation{outcome: Failure, output: fmt.Sprintf("heartbeat file %q does not exist: the service has not written it yet, or elsewhere", missing)}},
		"in no folder":      {filepath.Join(missing, "x"), expectation{outcome: Failure, contains: "does not exist"}},
		"directory":         {dir, expectation{outcome: Unknown, err: fmt.Sprintf("cannot read the heartbeat: %q is a directory, name a file", dir)}},
		"file as a folder":  {filepath.Join(file, "x"), expectation{outcome: Unknown, err: "cannot read the heartbeat: stat " + filepath.Join(file, "x") + ": not a directory"}},
		"no name of a file": {"", expectation{outcome: Unknown, err: "cannot read the heartbeat: no file is named"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.want.check(t, Heartbeat{File: test.path}.Probe(t.Context()), "")
		})
	}
}
