package process

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// killWithParent has the kernel kill a process when the thread that starts it ends, as it does when
// this process is killed.
func killWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }

// reapOrphans reaps the children of this process that have ended, but for a command and for
// shepherds, which somebody waits for by their numbers. They are what the command has left, and
// come here since [BecomeSubreaper]. again reports that a dead child is left: the kernel's list of
// children can lack one while others come and go.
func reapOrphans(command int) (again bool) {
	children, _ := childrenOf(os.Getpid()) // on an error: again
	for _, pid := range children {
		stat, err := readStat(pid)
		if err != nil || !stat.dead() || pid == command || isDeadShepherd(pid, stat) {
			continue
		}
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // killOrphans may have been faster
	}
	var dead unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &dead, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	return errors.Is(err, unix.EINTR) || err == nil && dead.Signo != 0
}

// shepherdFile is the name of a shepherd process that has not given itself another one yet: that of
// the file it runs.
const shepherdFile = "exe"

func isDeadShepherd(pid int, stat procStat) bool {
	return stat.session == pid && (stat.command == shepherdName || stat.command == shepherdFile)
}
