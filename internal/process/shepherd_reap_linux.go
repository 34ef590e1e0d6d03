package process

import (
	"os"
	"slices"
	"syscall"
	"time"
)

// reap takes the status of all dead children. It reports whether no child, dead or alive, is left.
func (s *server) reap() (childless bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 {
			return err == syscall.ECHILD
		}
		delete(s.reported, pid)
		c := s.byPID[pid]
		if c == nil {
			continue // an orphan
		}
		delete(s.byPID, pid)
		c.reaped, c.status, c.exitedAt = true, status, monotonic()
		if c.state == failed {
			delete(s.children, c.id)
		}
	}
}

// reportExits kills the orphans of processes that have ended, and reports the exit of a process
// once none is left. It returns false if it has to be called again.
func (s *server) reportExits() (complete bool) {
	var ended []*child
	for _, c := range s.children {
		if c.reaped && c.state == running {
			ended = append(ended, c)
		}
	}
	if len(ended) == 0 {
		return true
	}
	orphans, err := s.orphans()
	for _, pid := range orphans {
		killTree(pid)
	}
	complete = err == nil && len(orphans) == 0
	now := time.Now()
	for _, c := range ended {
		if c.giveUpAt.IsZero() {
			c.giveUpAt = now.Add(KillBound)
		}
		switch {
		case complete:
			s.reportExit(c, nil)
		case now.After(c.giveUpAt):
			s.reportExit(c, orphans)
		}
	}
	return complete
}

// orphans lists the children that the shepherd did not start: the descendants of a process that has
// ended, which was their reaper while it lived. The list is exact since only the shepherd reaps its
// children.
func (s *server) orphans() ([]int, error) {
	children, err := childrenOf(os.Getpid())
	return slices.DeleteFunc(children, func(pid int) bool { return s.byPID[pid] != nil || s.reported[pid] }), err
}

func (s *server) reportExit(c *child, survivors []int) {
	m := message{verb: verbExited, process: c.id, status: uint64(c.status), at: c.exitedAt}
	for _, pid := range survivors {
		s.reported[pid] = true
		m.survivors = append(m.survivors, uint64(pid))
	}
	if c.outOfMemory {
		m.outOfMemory = 1
	}
	delete(s.children, c.id)
	s.send(m)
}

func killDescendants(pid int) {
	children, _ := childrenOf(pid) // on an error: again at the next period
	for _, child := range children {
		killTree(child)
	}
}
