package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// procStat is what this package needs of /proc/<pid>/stat.
type procStat struct {
	command string
	state   byte
	parent  int
	group   int
	session int
}

func (s procStat) dead() bool { return s.state == 'Z' || s.state == 'X' }

var errBadStat = errors.New("malformed /proc/<pid>/stat")

// parseStat reads /proc/<pid>/stat: "pid (command) state ppid pgrp session ...". The command may
// contain spaces and parentheses, so its end is the last one.
func parseStat(data []byte) (procStat, error) {
	open, end := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if open < 0 || end < open {
		return procStat{}, errBadStat
	}
	fields := bytes.Fields(data[end+1:])
	if len(fields) < 4 || len(fields[0]) != 1 {
		return procStat{}, errBadStat
	}
	s := procStat{command: string(data[open+1 : end]), state: fields[0][0]}
	for i, field := range []*int{&s.parent, &s.group, &s.session} {
		n, err := strconv.Atoi(string(fields[i+1]))
		if err != nil {
			return procStat{}, errBadStat
		}
		*field = n
	}
	return s, nil
}

// readStat returns an error that matches fs.ErrNotExist if there is no such process.
func readStat(pid int) (procStat, error) {
	data, err := os.ReadFile(procPath(pid, "stat"))
	if errors.Is(err, syscall.ESRCH) {
		err = fs.ErrNotExist // it ended between open and read
	}
	if err != nil {
		return procStat{}, err
	}
	return parseStat(data)
}

// Dead reports whether there is no process of that id any more, or only a zombie.
func Dead(pid int) bool {
	stat, err := readStat(pid)
	return err != nil && gone(err) || err == nil && stat.dead()
}

// Parent is the parent of a process; 0 if there is none, or if that cannot be found out.
func Parent(pid int) int {
	stat, err := readStat(pid)
	if err != nil {
		return 0
	}
	return stat.parent
}

func procPath(pid int, name string) string {
	return "/proc/" + strconv.Itoa(pid) + "/" + name
}

// parseChildren reads /proc/<pid>/task/<tid>/children: "123 456 ".
func parseChildren(data []byte) ([]int, error) {
	var pids []int
	for field := range bytes.FieldsSeq(data) {
		pid, err := strconv.Atoi(string(field))
		if err != nil || pid <= 0 {
			return nil, fmt.Errorf("malformed list of children %q", data)
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// childrenOf lists the living and dead children of pid. A process that reaps while it is being
// listed can make the kernel skip one; a process that lists its own children and is the only one to
// reap them sees all.
func childrenOf(pid int) ([]int, error) {
	tasks, err := readNumbers(procPath(pid, "task"))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, task := range tasks {
		data, err := os.ReadFile(procPath(pid, "task/"+strconv.Itoa(task)+"/children"))
		if gone(err) {
			if _, stat := os.Stat(procPath(pid, "task/"+strconv.Itoa(task))); stat != nil {
				continue // the thread ended meanwhile
			}
			return scanChildren(pid) // a kernel without CONFIG_PROC_CHILDREN
		}
		if err != nil {
			return nil, err
		}
		some, err := parseChildren(data)
		if err != nil {
			return nil, err
		}
		children = append(children, some...)
	}
	return children, nil
}

// scanChildren is childrenOf by way of all processes: slower, and exact also for other processes,
// because a process that lives throughout the scan is seen.
func scanChildren(parent int) ([]int, error) {
	pids, err := readNumbers("/proc")
	if err != nil {
		return nil, err
	}
	var children []int
	for _, pid := range pids {
		stat, err := readStat(pid)
		if short(err) {
			return nil, err
		}
		if err == nil && stat.parent == parent {
			children = append(children, pid)
		}
	}
	return children, nil
}

// descendants lists root and all below it, parents first. What ends meanwhile is left out; what is
// forked meanwhile may be left out too. The error is a shortage of this process, with which the
// list would be wrong.
func descendants(root int) ([]int, error) {
	tree := []int{root}
	for i := 0; i < len(tree); i++ {
		// A process whose children cannot be listed has ended, and its children become those of a
		// process above it.
		children, err := childrenOf(tree[i])
		if short(err) {
			return nil, err
		}
		tree = append(tree, children...)
	}
	return tree, nil
}

// killTree sends SIGKILL to root and all below it, parents first. A pid read a moment ago is not
// another process yet: the kernel hands numbers out in turn.
func killTree(root int) {
	for pending := []int{root}; len(pending) > 0; {
		pid := pending[0]
		// Errors mean that it has ended, or may not be signalled: the caller calls again until
		// nothing is left or its time is over.
		children, _ := childrenOf(pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
		pending = append(pending[1:], children...)
	}
}

// readNumbers lists the entries of a /proc folder that are numbers.
func readNumbers(folder string) ([]int, error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	numbers := make([]int, 0, len(names))
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}
