package process

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// BecomeSubreaper makes the orphans of a killed shepherd children of this process, where the
// [Shepherd] finds and kills them. To be called once, before the first [NewShepherd].
//
// From then on, descendants that the caller's own children leave arrive here as well, and nobody
// reaps them but a [Foreground]: run everything through a Starter, probes too. A child that the
// caller starts otherwise must stay in the caller's session, or it is taken for an orphan when a
// shepherd dies.
func BecomeSubreaper() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("cannot become the reaper of orphans: %w", err)
	}
	return nil
}

// killOrphans kills and reaps the orphans of a shepherd that has ended: the processes that it had
// started, and all others that have become children of this one. It gives up after KillBound.
func killOrphans(started map[uint64]*shepherdProcess) {
	known := make(map[int]bool, len(started))
	for _, p := range started {
		known[p.pid] = true
	}
	deadline := time.Now().Add(KillBound)
	for time.Now().Before(deadline) {
		orphans, err := shepherdOrphans(known)
		if err == nil && len(orphans) == 0 {
			return
		}
		for _, pid := range orphans {
			killTree(pid)
			// Only this pid: the caller may wait for children of its own.
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
		time.Sleep(orphanPeriod)
	}
}

// shepherdOrphans lists the children of this process that a shepherd left: those that it had
// started itself, and those outside of this session. The shepherd has a session of its own, and a
// process cannot enter a session that exists.
func shepherdOrphans(known map[int]bool) ([]int, error) {
	self := os.Getpid()
	session, err := unix.Getsid(0)
	if err != nil {
		return nil, err
	}
	children, err := scanChildren(self)
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, pid := range children {
		stat, err := readStat(pid)
		if err != nil || stat.parent != self {
			continue
		}
		if known[pid] || stat.session != session && !isOurShepherd(pid, self, stat) {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// isOurShepherd reports whether a child is another shepherd of this process, or the reaper of one,
// and no orphan. A dead one has only its name left, and is reaped by its Shepherd.
func isOurShepherd(pid, self int, stat procStat) bool {
	if stat.dead() {
		return (stat.command == shepherdName || stat.command == reaperName) && stat.session == pid
	}
	line, err := os.ReadFile(procPath(pid, "cmdline"))
	if err != nil {
		return false
	}
	args := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if len(args) < shepherdArgCount {
		return false
	}
	args = args[:shepherdArgCount]
	return slices.Equal(args, shepherdArgs(self)) || slices.Equal(args, reaperArgs(self))
}
