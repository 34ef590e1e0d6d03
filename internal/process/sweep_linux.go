package process

import (
	"os"
	"slices"
	"syscall"
	"time"
)

// reap takes the status of all dead children. It reports whether no child, dead or
// alive, is left.
func (h *herd) reap() (childless bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 {
			return err == syscall.ECHILD
		}
		delete(h.given, pid)
		s := h.byPID[pid]
		if s == nil {
			continue // a leaving
		}
		delete(h.byPID, pid)
		s.reaped, s.status, s.exitedAt = true, status, monotonic()
		if s.state == failed {
			delete(h.sheep, s.id)
		}
	}
}

// sweep kills what ended processes have left, and reports the exit of those of
// which nothing is left. It returns false if it has to be called again.
func (h *herd) sweep() (clean bool) {
	var ended []*sheep
	for _, s := range h.sheep {
		if s.reaped && s.state == running {
			ended = append(ended, s)
		}
	}
	if len(ended) == 0 {
		return true
	}
	leavings, err := h.leavings()
	for _, pid := range leavings {
		killTree(pid)
	}
	clean = err == nil && len(leavings) == 0
	now := time.Now()
	for _, s := range ended {
		if s.patience.IsZero() {
			s.patience = now.Add(KillBound)
		}
		switch {
		case clean:
			h.exited(s, nil)
		case now.After(s.patience):
			h.exited(s, leavings)
		}
	}
	return clean
}

// leavings are children that the shepherd did not start: what a process leaves
// when it ends, because while it lived it was the reaper of its descendants. The
// list is exact since only the shepherd reaps its children.
func (h *herd) leavings() ([]int, error) {
	children, err := childrenOf(os.Getpid())
	return slices.DeleteFunc(children, func(pid int) bool { return h.byPID[pid] != nil || h.given[pid] }), err
}

func (h *herd) exited(s *sheep, survivors []int) {
	m := message{verb: verbExited, sheep: s.id, status: uint64(s.status), at: s.exitedAt}
	for _, pid := range survivors {
		h.given[pid] = true
		m.survivors = append(m.survivors, uint64(pid))
	}
	delete(h.sheep, s.id)
	h.send(m)
}

func killTreeBelow(pid int) {
	children, _ := childrenOf(pid) // on an error: again at the next period
	for _, child := range children {
		killTree(child)
	}
}
