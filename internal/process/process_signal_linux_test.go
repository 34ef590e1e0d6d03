package process

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

func TestParseSignals(t *testing.T) {
	const head = "Name:\tserver\nSigPnd:\t0000000000004000\n"
	for name, test := range map[string]struct {
		status string
		want   uint64
		bad    bool
	}{
		"none":           {head + "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n", 0, false},
		"one of each":    {head + "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\nSigCgt:\t0000000000004000\n", 0x5001, false},
		"a line missing": {head + "SigBlk:\t0000000000000001\nSigIgn:\t0000000000001000\n", 0, true},
		"no number":      {head + "SigBlk:\tx\nSigIgn:\t0\nSigCgt:\t0\n", 0, true},
		"nothing":        {"", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseSignals([]byte(test.status))
			if got != test.want || (err != nil) != test.bad {
				t.Errorf("parseSignals = %x, %v, want %x, an error: %v", got, err, test.want, test.bad)
			}
		})
	}
}

// What this process does with a signal is seen in the kernel's list.
func TestDefaultActionOfThisProcess(t *testing.T) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGUSR1)
	defer signal.Stop(caught)
	if got, err := DefaultAction(os.Getpid(), syscall.SIGUSR1); got || err != nil {
		t.Errorf("a caught signal: %v, %v", got, err)
	}
	if got, err := DefaultAction(os.Getpid(), syscall.SIGSTOP); !got || err != nil {
		t.Errorf("a signal that nobody can catch: %v, %v", got, err)
	}
}

func TestDefaultActionOfOthers(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		want   bool
	}{
		"a program without a handler": {"exec sleep 60", true},
		"a trap":                      {"trap : TERM; while :; do sleep 0.1; done", false},
		"ignored":                     {"trap '' TERM; exec sleep 60", false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", test.script)
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() {
				_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
				_ = cmd.Wait() // it was killed
			}()
			var got bool
			var err error
			// the script needs a moment
			for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				if got, err = DefaultAction(cmd.Process.Pid, syscall.SIGTERM); err == nil && got == test.want && Command(cmd.Process.Pid) != "" {
					return
				}
			}
			t.Errorf("DefaultAction = %v, %v, want %v", got, err, test.want)
		})
	}
}
