package process

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The reaper is a process between Probity and the shepherd, see [ShepherdOptions.Reaper]. It has
// nothing to do but to wait for the shepherd: as the sub-reaper above that, it becomes the parent
// of whatever the shepherd leaves when it is killed, also if Probity was killed with it, and ends
// that.
const reaperName = "reaper"

func reaperArgs(pid int) []string { return []string{reaperName, shepherdVerb, strconv.Itoa(pid)} }

// reaperMain is all that the reaper does; its result is the exit code. Its caller has locked the
// thread: the shepherd dies with it.
func reaperMain(remove []string) int {
	_ = os.WriteFile("/proc/self/comm", []byte(reaperName), 0) // only a name for process lists
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	probity := os.Getppid()
	shepherd, err := syscall.ForkExec("/proc/self/exe", append(shepherdArgs(os.Getpid()), remove...), &syscall.ProcAttr{
		Env: os.Environ(), Files: []uintptr{0, 1, 2, shepherdFD}, Sys: &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL},
	})
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	// Probity waits for the end of the shepherd's descriptor.
	unix.Close(shepherdFD)
	status := awaitShepherd(shepherd)
	endChildren()
	if status.ExitStatus() == 0 {
		return 0
	}
	if os.Getppid() != probity { // nobody is left to remove anything
		for _, dir := range remove {
			_ = os.RemoveAll(dir) // nobody is left to hear of it
		}
	}
	if status.Signaled() { // Probity shall see what it would see of the shepherd
		_ = syscall.Kill(os.Getpid(), status.Signal())
		select {}
	}
	return status.ExitStatus()
}

// awaitShepherd waits for the end of the shepherd. One that is stopped is told to go on: it would
// undo no fault, and Probity does not hear of it.
func awaitShepherd(shepherd int) syscall.WaitStatus {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WUNTRACED, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return status // there is no child: it cannot be told how the shepherd ended
		case pid != shepherd:
		case status.Stopped():
			_ = syscall.Kill(shepherd, unix.SIGCONT) // an error means that it has ended
		default:
			return status
		}
	}
}

// endChildren kills and reaps what the shepherd has left. It gives up after KillBound.
func endChildren() {
	deadline := time.Now().Add(KillBound)
	for time.Now().Before(deadline) {
		killDescendants(os.Getpid())
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			if err == syscall.ECHILD {
				return
			}
			if pid <= 0 && err != syscall.EINTR {
				break
			}
		}
		time.Sleep(orphanPeriod)
	}
}
