package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
	"time"
)

const asSuspended = "PROBITY_TEST_SUSPENDED"

// TestSuspend: what is stopped goes on when it is continued. Where nobody could continue it,
// that is said.
func TestSuspend(t *testing.T) {
	if os.Getenv(asSuspended) != "" {
		fmt.Print(Suspend())
		os.Exit(0)
	}
	for name, test := range map[string]struct {
		attributes syscall.SysProcAttr
		stops      bool
		want       string
	}{
		"a job of a shell":       {syscall.SysProcAttr{Setpgid: true}, true, "<nil>"},
		"a session without jobs": {syscall.SysProcAttr{Setsid: true}, false, ErrNoJobControl.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			process, err := os.StartProcess(os.Args[0], []string{os.Args[0], "-test.run=^TestSuspend$"}, &os.ProcAttr{
				Env: append(os.Environ(), asSuspended+"=1"), Files: []*os.File{nil, in, os.Stderr}, Sys: &test.attributes,
			})
			in.Close()
			if err != nil {
				t.Fatal(err)
			}
			for {
				var status syscall.WaitStatus
				_, err := syscall.Wait4(process.Pid, &status, syscall.WUNTRACED, nil)
				if errors.Is(err, syscall.EINTR) {
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				if !status.Stopped() {
					break
				}
				if !test.stops {
					t.Error("it was stopped")
				}
				time.Sleep(2 * stopBound) // a stop that is longer than what it waits
				if err := syscall.Kill(process.Pid, syscall.SIGCONT); err != nil {
					t.Fatal(err)
				}
			}
			var got bytes.Buffer
			if _, err := got.ReadFrom(out); err != nil || got.String() != test.want {
				t.Errorf("%q, %v; want %q", got.String(), err, test.want)
			}
		})
	}
}
