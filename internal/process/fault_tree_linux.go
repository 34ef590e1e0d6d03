package process

import "syscall"

// treePasses bounds how often a tree is read again because something new was in it: more than any
// tree needs of which every process that was visited can add nothing new.
const treePasses = 100

// visitTree visits root and all below it, each before its children are read, and reads the tree
// again until nothing new is in it: what a process forks after its visit is what the visit made of
// it, and what it forked before is found. visit reports whether the process was new to it. One that
// has ended meanwhile is left out.
func visitTree(root int, visit func(pid int) (isNew bool, err error)) error {
	for range treePasses {
		found, err := visitTreeOnce(root, visit)
		if err != nil || !found {
			return err
		}
	}
	return syscall.EAGAIN
}

func visitTreeOnce(root int, visit func(pid int) (isNew bool, err error)) (found bool, err error) {
	for pending := []int{root}; len(pending) > 0; pending = pending[1:] {
		isNew, err := visit(pending[0])
		if err != nil && !gone(err) {
			return found, err
		}
		found = found || isNew && err == nil
		// If they cannot be listed, it has ended: they are those of a process above it then, which
		// the next pass reads again.
		children, err := childrenOf(pending[0])
		if short(err) {
			return found, err
		}
		pending = append(pending, children...)
	}
	return found, nil
}

// stoppedTree is a tree that is being stopped, or was.
type stoppedTree struct {
	root    int
	stopped map[int]bool // by us: true; before, by somebody else: false
}

// stop sends SIGSTOP to all of the tree that has none yet. Once a process was sent it, it forks no
// more: the kernel breaks a fork off that finds a signal. It stops when it next leaves the kernel,
// and may reap until then, which can hide one of its children from whoever lists them: so what stop
// has reached is all of the tree only if it is called again after that has settled.
func (t *stoppedTree) stop() error {
	if t.stopped == nil {
		t.stopped = map[int]bool{}
	}
	return visitTree(t.root, func(pid int) (isNew bool, err error) {
		if _, known := t.stopped[pid]; known {
			return false, nil
		}
		stat, err := readStat(pid)
		if err != nil {
			return false, err
		}
		if stat.state == 'T' {
			t.stopped[pid] = false
			return true, nil
		}
		t.stopped[pid] = true
		return true, syscall.Kill(pid, syscall.SIGSTOP)
	})
}

// settled reports whether nothing of the tree runs any more. One that waits in the kernel, for a
// disk or for what it has forked by vfork, runs nothing either, and stops when that is over.
func (t *stoppedTree) settled() bool {
	for pid := range t.stopped {
		stat, err := readStat(pid)
		if err == nil && (stat.state == 'R' || stat.state == 'S') {
			return false
		}
	}
	return true
}

// resume lets those go on that stop has stopped.
func (t *stoppedTree) resume() (err error) {
	for pid, ours := range t.stopped {
		if !ours {
			continue
		}
		if failed := syscall.Kill(pid, syscall.SIGCONT); failed != nil && failed != syscall.ESRCH {
			err = failed
		}
	}
	t.stopped = nil
	return err
}
