package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// settings are the kernel's that every kubelet writes.
var settings = []string{
	"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/panic_on_oom", "/proc/sys/kernel/panic", "/proc/sys/kernel/panic_on_oops",
	"/proc/sys/kernel/keys/root_maxkeys", "/proc/sys/kernel/keys/root_maxbytes",
}

// RunInNamespaces runs this program again with other arguments, in namespaces of its own, and
// returns its exit code. Nothing of it is left afterwards; if something is, that is an error.
func RunInNamespaces(ctx context.Context, args ...string) (code int, err error) {
	groups, err := makeCgroups()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrImpossible, errors.Join(err, removeCgroups(groups)))
	}
	before, err := machineState()
	if err != nil {
		return 0, err
	}
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL, Setpgid: true,
	}
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() >= 0 {
		code, err = exit.ExitCode(), nil
	}
	err = errors.Join(err, removeCgroups(groups))
	after, stateErr := machineState()
	if err = errors.Join(err, stateErr); err != nil {
		return code, err
	}
	for what := range maps.Keys(after) {
		if before[what] != after[what] {
			err = errors.Join(err, fmt.Errorf("the cluster has changed this machine: %s was\n%s\nand is\n%s", what, before[what], after[what]))
		}
	}
	return code, err
}

// machineState is the state of what a cluster may change on a machine.
func machineState() (map[string]string, error) {
	seen := map[string]string{}
	for _, path := range append(slices.Clone(settings), "/proc/self/mounts", "/proc/sys/net/ipv4/ip_forward") {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		seen[path] = string(data)
	}
	links, err := os.ReadDir("/sys/class/net")
	if err != nil {
		return nil, err
	}
	for _, link := range links {
		seen["the network's links"] += link.Name() + "\n"
	}
	return seen, nil
}

// makeCgroups makes the Pods' root in every hierarchy.
func makeCgroups() (made []string, err error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(mounts)) {
		words := strings.Fields(line)
		if words[2] != "cgroup" && words[2] != "cgroup2" {
			continue
		}
		path := filepath.Join(words[1], cgroupRoot)
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return made, fmt.Errorf("cannot make a cgroup: %w", err)
		}
		made = append(made, path)
	}
	return made, inherit(made)
}

// inherit gives a cpuset what its parent has: an empty one takes no process.
func inherit(groups []string) error {
	for _, group := range groups {
		for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
			data, err := os.ReadFile(filepath.Join(filepath.Dir(group), name))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(group, name), data, 0o644)
			}
			if err != nil && !strings.Contains(group, "unified") {
				return err
			}
		}
	}
	return nil
}

// removeCgroups removes cgroups and all below them. The processes in them are gone, but the kernel
// may take a moment to notice.
func removeCgroups(groups []string) error {
	var err error
	for range 100 {
		err = nil
		for _, group := range groups {
			err = errors.Join(err, removeCgroup(group))
		}
		if err == nil {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("cannot remove the Pods' cgroups: %w", err)
}

func removeCgroup(group string) error {
	var below []string
	err := filepath.WalkDir(group, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			below = append(below, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, path := range slices.Backward(below) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// PrepareNamespaces makes the namespaces that [RunInNamespaces] gave this program a place for a
// cluster: dir becomes an empty folder in memory, and so do those where containers' programs write.
func PrepareNamespaces(ctx context.Context, dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("cannot part from the machine's mounts: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("cannot mount /proc: %w", err)
	}
	for _, path := range []string{dir, "/run", "/var/lib", "/var/log"} {
		if err := syscall.Mount("tmpfs", path, "tmpfs", 0, ""); err != nil {
			return fmt.Errorf("cannot mount a tmpfs on %s: %w", path, err)
		}
	}
	// volumes reach containers
	if err := syscall.Mount("", dir, "", syscall.MS_SHARED, ""); err != nil {
		return err
	}
	for i, path := range settings {
		if err := hide(path, filepath.Join(dir, fmt.Sprint("setting", i))); err != nil {
			return err
		}
	}
	return network(ctx)
}

// hide puts a copy in the place of a kernel setting.
func hide(path, copy string) error {
	data, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(copy, data, 0o644)
	}
	if err == nil {
		err = syscall.Mount(copy, path, "", syscall.MS_BIND, "")
	}
	if err != nil {
		return fmt.Errorf("cannot hide %s: %w", path, err)
	}
	return nil
}

// network makes the bridge of the Pods, which is also the node's address. Its hardware address is
// given: it would change as Pods come and go, and answers to probes would be lost.
func network(ctx context.Context) error {
	for _, line := range []string{
		"link set lo up",
		"link add " + bridge + " type bridge",
		"link set " + bridge + " address 02:00:00:00:00:01",
		"addr add " + nodeIP + "/24 dev " + bridge,
		"link set " + bridge + " up",
	} {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("cannot ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}
