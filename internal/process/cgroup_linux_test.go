package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fakeCgroups is a tree of folders and files that look like control groups. Ours is user/app/web;
// user has delegated the controllers to those below it, and app to those below it as well.
func fakeCgroups(t *testing.T, own string) (c *cgroups, folder string) {
	t.Helper()
	folder = t.TempDir()
	for file, text := range map[string]string{
		"cgroup.subtree_control": "memory pids", "user/cgroup.subtree_control": "cpu memory\n", "user/app/cgroup.subtree_control": "cpu pids\n",
		"user/app/web/cgroup.subtree_control": "", "user/app/web/cgroup.procs": "", "other/cgroup.subtree_control": "",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, file)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tree.Close() })
	return &cgroups{tree, own}, folder
}

// TestCgroupPlace: a group of ours is made below the nearest one that has the controller for it.
func TestCgroupPlace(t *testing.T) {
	for own, want := range map[string]string{"user/app/web": "user/app", "user": "user", "other": "", ".": ""} {
		c, _ := fakeCgroups(t, own)
		if got, err := c.place("cpu"); got != want || (err == nil) != (want != "") {
			t.Errorf("from %s: %q, %v; want %q", own, got, err, want)
		}
	}
}

// TestQuotaFault: what is written into the files of a group, and by undo.
func TestQuotaFault(t *testing.T) {
	c, folder := fakeCgroups(t, "user/app/web")
	f := &quotaFault{root: os.Getpid(), share: 0.05}
	if _, err := cgroupOf(f.root); err != nil {
		t.Skip("processes have no control groups of version 2 here: ", err)
	}
	if err := f.beginIn(c); err != nil {
		t.Fatal(err)
	}
	read := func(file string) string {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	if got := read(f.group.path + "/cpu.max"); got != "5000 100000" {
		t.Errorf("the quota is %q", got)
	}
	if _, moved := f.group.before[f.root]; !moved || read(f.group.path+"/cgroup.procs") == "" {
		t.Errorf("moved are %v", f.group.before)
	}
	if !strings.HasPrefix(f.group.path, "user/app/"+cgroupPrefix+strconv.Itoa(os.Getpid())+"-") {
		t.Errorf("the group is %s", f.group.path)
	}
	// A folder with files is not empty, where the kernel's would be when its processes have gone.
	f.group.before[f.root] = "user/app/web"
	if err := os.WriteFile(filepath.Join(folder, f.group.path, "cgroup.procs"), []byte("4711\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.undo(); err == nil {
		t.Error("a group is gone that is not empty")
	}
	if home, quota := read("user/app/web/cgroup.procs"), read(f.group.path+"/cpu.max"); home != "4711" || quota != "max" {
		t.Errorf("one that was forked meanwhile is back home: %q; the quota is %q", home, quota)
	}
	if err := os.RemoveAll(filepath.Join(folder, f.group.path)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.undo(), f.undo()); err != nil {
		t.Error(err)
	}
}

// TestCgroupLeft: a group is removed that a process has left which is dead, and no other.
func TestCgroupLeft(t *testing.T) {
	c, folder := fakeCgroups(t, "user/app/web")
	dead := 1 << 22 // beyond what the kernel gives
	for _, name := range []string{cgroupPrefix + strconv.Itoa(dead) + "-1", cgroupPrefix + strconv.Itoa(os.Getpid()) + "-1", cgroupPrefix + "x", "web-1"} {
		if err := os.Mkdir(filepath.Join(folder, "user/app", name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	g, err := c.make("user/app")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := fs.Glob(os.DirFS(folder), "user/app/*-*")
	if err != nil || len(entries) != 4 {
		t.Errorf("there are %v, %v; want three and %s", entries, err, g.path)
	}
}

// TestCgroupReal moves a tree of processes into a group of ours and back.
func TestCgroupReal(t *testing.T) {
	c, err := openCgroups()
	if err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	g, err := c.make(c.own)
	if err != nil {
		t.Skip("NOT TESTED: no group can be made: ", err)
	}
	p := shell(t, newShepherd(t), "sleep 1000 & (setsid sleep 1000 &); wait")
	tree := sleeping(t, p.PID(), 3)
	if err := visitTree(p.PID(), g.take); err != nil {
		_ = g.remove(p.PID())
		t.Skip("NOT TESTED: no process can be moved: ", err)
	}
	for _, pid := range tree {
		if !HasQuota(pid) {
			t.Errorf("process %d was not moved", pid)
		}
	}
	if err := g.remove(p.PID()); err != nil {
		t.Error(err)
	}
	for _, pid := range tree {
		if now, err := cgroupOf(pid); now != c.own || err != nil {
			t.Errorf("process %d is in %s, %v, and was in %s", pid, now, err, c.own)
		}
	}
	if left, _ := filepath.Glob("/sys/fs/cgroup/*/" + cgroupPrefix + strconv.Itoa(os.Getpid()) + "-*"); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

// TestQuotaReal throttles a program by its control group.
func TestQuotaReal(t *testing.T) {
	if err := CannotQuota(); err != nil {
		t.Skip("NOT TESTED: ", err)
	}
	s := newShepherd(t)
	p := shell(t, s, "while :; do :; done")
	undo := inject(t, p, Fault{Kind: FaultThrottle, Share: 0.1})
	if !HasQuota(p.PID()) {
		t.Skip("NOT TESTED: no group can be made, or no process be moved")
	}
	begun := time.Now()
	before, _ := processorTime(p.PID())
	time.Sleep(2 * time.Second)
	after, _ := processorTime(p.PID())
	if used, took := after-before, time.Since(begun); used > took/5 {
		t.Errorf("it used %v in %v, want a tenth", used, took)
	}
	if err := undo(); err != nil {
		t.Error(err)
	}
	if HasQuota(p.PID()) {
		t.Error("it has a quota still")
	}
	inject(t, p, Fault{Kind: FaultThrottle, Share: 0.1})
	p.Kill()
	waitDone(t, p)
	eventually(t, "nothing is left of its group", func() bool {
		c, err := openCgroups()
		if err != nil {
			t.Fatal(err)
		}
		defer c.tree.Close()
		below, err := c.place("cpu")
		if err != nil {
			t.Fatal(err)
		}
		left, err := fs.Glob(c.tree.FS(), below+"/"+cgroupPrefix+strconv.Itoa(os.Getpid())+"-*")
		return err == nil && len(left) == 0
	})
}

// TestParseCgroup reads what the kernel says of groups and mounts.
func TestParseCgroup(t *testing.T) {
	for text, want := range map[string]string{
		"0::/\n": ".", "9:name=systemd:/x\n1:cpu:/y\n0::/user.slice/a b\n": "user.slice/a b", "0::/../up\n": "", "1:cpu:/y\n": "", "": "",
	} {
		if got, err := parseCgroup([]byte(text)); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	const mount = "36 25 0:31 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw\n"
	for text, want := range map[string]string{
		"25 1 0:20 / /sys rw - sysfs sysfs rw\n" + mount: "/sys/fs/cgroup/unified", "36 25 0:31 /part /mnt rw - cgroup2 cgroup2 rw\n": "", "x\n": "",
		"36 25 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n": "",
	} {
		if got := cgroupMount([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
