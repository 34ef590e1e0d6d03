package process

import (
	"os"
	"syscall"
)

// killWithParent has the kernel kill a process when the thread that starts it ends, as it does when
// this process is killed.
func killWithParent(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGKILL }

// reapOrphans reaps the children of this process that have ended, but for a command and for
// shepherds, which somebody waits for by their numbers. They are what the command has left, and
// come here since [BecomeSubreaper].
func reapOrphans(command int) {
	children, err := childrenOf(os.Getpid())
	if err != nil {
		return // again with the next death
	}
	for _, pid := range children {
		stat, err := readStat(pid)
		if err != nil || !stat.dead() || pid == command || isDeadShepherd(pid, stat) {
			continue
		}
		_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil) // killOrphans may have been faster
	}
}

// shepherdFile is the name of a shepherd process that has not given itself another one yet: that of
// the file it runs.
const shepherdFile = "exe"

func isDeadShepherd(pid int, stat procStat) bool {
	return stat.session == pid && (stat.command == shepherdName || stat.command == shepherdFile)
}
