package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cgroups is the tree of control groups, version 2, as far as it can be seen here.
type cgroups struct {
	tree *os.Root
	// own is the group of this process, as a path in the tree; "." for the top.
	own string
}

// openCgroups opens the tree where it is mounted.
func openCgroups() (*cgroups, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	folder := cgroupMount(mounts)
	own, err := cgroupOf(os.Getpid())
	switch {
	case folder == "":
		return nil, errors.New("no control groups of version 2 are mounted")
	case err != nil:
		return nil, err
	}
	tree, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	return &cgroups{tree, own}, nil
}

// cgroupMount finds where control groups of version 2 are mounted as a whole, in the text of
// /proc/PID/mountinfo; "" if they are not. Parts of a line follow a lone "-".
func cgroupMount(mounts []byte) string {
	for line := range strings.Lines(string(mounts)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if strings.HasPrefix(after, "cgroup2 ") && len(fields) > 4 && fields[3] == "/" {
			return fields[4]
		}
	}
	return ""
}

// cgroupOf is the group of a process, as a path in the tree.
func cgroupOf(pid int) (string, error) {
	text, err := os.ReadFile(procPath(pid, "cgroup"))
	if err != nil {
		return "", err
	}
	return parseCgroup(text)
}

// parseCgroup reads /proc/PID/cgroup. The line of version 2 has no number and no controllers.
func parseCgroup(text []byte) (string, error) {
	for line := range bytes.Lines(text) {
		if name, ok := bytes.CutPrefix(line, []byte("0::/")); ok {
			group := path.Clean(strings.TrimSuffix(string(name), "\n"))
			if strings.HasPrefix(group, "..") {
				break // above what can be seen here
			}
			return group, nil
		}
	}
	return "", errors.New("it has no control group of version 2")
}

// place is the nearest group, from our own upwards, below which others may get a controller: one
// that was delegated to us has no processes of its own.
func (c *cgroups) place(controller string) (string, error) {
	for group := c.own; ; group = path.Dir(group) {
		enabled, err := c.tree.ReadFile(path.Join(group, "cgroup.subtree_control"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if slices.Contains(strings.Fields(string(enabled)), controller) {
			return group, nil
		}
		if group == "." {
			return "", fmt.Errorf("no control group above has the controller %s for those below it", controller)
		}
	}
}

// cgroupPrefix begins the names of groups of ours; the number of the process follows that has made
// them.
const cgroupPrefix = "probity-"

// make makes a group below another one. Those that a process has left which was killed are removed.
func (c *cgroups) make(below string) (*cgroup, error) {
	entries, err := fs.ReadDir(c.tree.FS(), below)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		maker, _, _ := strings.Cut(strings.TrimPrefix(e.Name(), cgroupPrefix), "-")
		if pid, err := strconv.Atoi(maker); err == nil && strings.HasPrefix(e.Name(), cgroupPrefix) && Dead(pid) {
			_ = c.tree.Remove(path.Join(below, e.Name())) // one with processes stays
		}
	}
	name := fmt.Sprintf("%s%d-%d", cgroupPrefix, os.Getpid(), time.Now().UnixNano())
	g := &cgroup{tree: c.tree, path: path.Join(below, name), before: map[int]string{}}
	return g, c.tree.Mkdir(g.path, 0o755)
}

// cgroup is a group of ours.
type cgroup struct {
	tree *os.Root
	path string
	// before are the groups that its processes were in.
	before map[int]string
}

// set writes a setting.
func (g *cgroup) set(name, value string) error {
	return g.tree.WriteFile(path.Join(g.path, name), []byte(value), 0)
}

// take moves a process into the group, with all its threads. What it forks later is in it, too.
func (g *cgroup) take(pid int) (isNew bool, err error) {
	if _, known := g.before[pid]; known {
		return false, nil
	}
	was, err := cgroupOf(pid)
	if err != nil || was == g.path {
		return false, err
	}
	g.before[pid] = was
	return true, g.set("cgroup.procs", strconv.Itoa(pid))
}

// remove moves all processes back, those that were forked meanwhile to where root was, and removes
// the group.
func (g *cgroup) remove(root int) error {
	for range treePasses {
		inside, err := g.tree.ReadFile(path.Join(g.path, "cgroup.procs"))
		if err != nil || len(inside) == 0 {
			break // it is gone, or empty
		}
		for word := range strings.FieldsSeq(string(inside)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				return err
			}
			home, known := g.before[pid]
			if !known {
				home = g.before[root]
			}
			if err := g.tree.WriteFile(path.Join(home, "cgroup.procs"), []byte(word), 0); err != nil && !gone(err) {
				return err
			}
		}
	}
	if err := g.tree.Remove(g.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return g.tree.Close()
}

// HasQuota reports whether a fault limits the processor time of a process by a control group, and
// not by signals.
func HasQuota(pid int) bool {
	group, err := cgroupOf(pid)
	return err == nil && strings.HasPrefix(path.Base(group), cgroupPrefix)
}

// CannotQuota is why faults cannot limit processor time by a control group on this machine; nil if
// they can, as far as can be seen without doing it.
func CannotQuota() error {
	c, err := openCgroups()
	if err != nil {
		return err
	}
	defer c.tree.Close()
	_, err = c.place("cpu")
	return err
}
