package process

import (
	"fmt"
	"testing"
)

func alive(pid int) bool {
	stat, err := readStat(pid)
	return err == nil && !stat.dead()
}

func living(pids []int) []int {
	var some []int
	for _, pid := range pids {
		if alive(pid) {
			some = append(some, pid)
		}
	}
	return some
}

// grown waits until the tree has n processes, all of them executed, and returns them.
func grown(t *testing.T, root, n int) (tree []int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d processes below %d", n, root), func() bool {
		var err error
		if tree, err = descendants(root); err != nil {
			t.Fatal(err)
		}
		settled := 0
		for _, pid := range tree {
			if stat, err := readStat(pid); err == nil && !stat.dead() && !transient(stat) {
				settled++
			}
		}
		return settled == n && len(tree) == n
	})
	return tree
}

// transient reports whether a process of a script is on its way: what another is executed in, or
// the copy of a shell that is forked first. A copy that is stopped stays.
func transient(stat procStat) bool {
	if stat.command != "sh" || stat.state == 'T' {
		return stat.command == "setsid" || stat.command == "env"
	}
	parent, err := readStat(stat.parent)
	return err == nil && (parent.command == "sh" || parent.command == "sleep")
}
