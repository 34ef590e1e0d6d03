package process

import (
	"os"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// namespaceFiles are what is needed to join a namespace: descriptors of its parts, 0 for a part
// that is shared with the shepherd.
type namespaceFiles struct{ user, mount, uts uintptr }

// namespacePlan is all that a process needs that makes a namespace, see forkPlan.
type namespacePlan struct {
	flags    uintptr
	users    []userFile // that keep the numbers of user and group; none for root
	binds    [][2]*byte // source, target
	disks    [][2]*byte // target, options
	diskType *byte
	hostname []byte
	root     *byte
	ownMount *byte
	before   unix.Statx_t
	after    unix.Statx_t
}

// userFile is what is written to a file of /proc/self.
type userFile struct {
	path *byte
	text []byte
}

// tryNamespace starts a child that makes a namespace and ends. The rules of fork hold.
func tryNamespace(n Namespace) (pid int, reports *os.File, err error) {
	plan := &forkPlan{parent: uintptr(os.Getpid()), allSignals: ^uint64(0)}
	if plan.make, err = newNamespacePlan(n, os.Geteuid(), os.Getegid()); err != nil {
		return 0, nil, err
	}
	return plan.fork()
}

func newNamespacePlan(n Namespace, uid, gid int) (*namespacePlan, error) {
	p := &namespacePlan{flags: unix.CLONE_NEWNS | unix.CLONE_NEWUTS, hostname: []byte(n.Hostname)}
	var failed error
	path := func(s string) *byte {
		b, err := syscall.BytePtrFromString(s)
		if err != nil {
			failed = err
		}
		return b
	}
	p.root, p.ownMount = path("/"), path("/proc/self/ns/mnt")
	if uid != 0 {
		p.flags |= unix.CLONE_NEWUSER
		itself := func(id int) []byte { s := strconv.Itoa(id); return []byte(s + " " + s + " 1\n") }
		p.users = []userFile{
			// The kernel takes a gid_map of a plain user only after this.
			{path("/proc/self/setgroups"), []byte("deny")},
			{path("/proc/self/uid_map"), itself(uid)},
			{path("/proc/self/gid_map"), itself(gid)},
		}
	}
	for _, bind := range n.Binds {
		p.binds = append(p.binds, [2]*byte{path(bind.Source), path(bind.Target)})
	}
	p.diskType = path("tmpfs")
	for _, disk := range n.Disks {
		p.disks = append(p.disks, [2]*byte{path(disk.Target), path("mode=0700,size=" + strconv.FormatInt(disk.Size, 10))})
	}
	return p, failed
}

// makeNamespace gives the calling process the namespaces of a plan. The same rules as for
// forkAndExec hold.
//
//go:norace
//go:nosplit
//go:noinline
func makeNamespace(p *forkPlan) (startStep, syscall.Errno) {
	n := p.make
	if _, _, errno := syscall.RawSyscall(unix.SYS_UNSHARE, n.flags, 0, 0); errno != 0 {
		return stepUnshare, errno
	}
	for i := range n.users {
		if errno := writeInChild(n.users[i].path, n.users[i].text); errno != 0 {
			return stepMaps, errno
		}
	}
	if errno := dieWithParent(p); errno != 0 {
		return stepKeep, errno
	}
	// What is mounted here is not seen outside.
	if _, _, errno := syscall.RawSyscall6(unix.SYS_MOUNT, 0, uintptr(unsafe.Pointer(n.root)), 0, unix.MS_REC|unix.MS_SLAVE, 0, 0); errno != 0 {
		return stepSlave, errno
	}
	for i := range n.binds {
		source, target := uintptr(unsafe.Pointer(n.binds[i][0])), uintptr(unsafe.Pointer(n.binds[i][1]))
		if _, _, errno := syscall.RawSyscall6(unix.SYS_MOUNT, source, target, 0, unix.MS_BIND, 0, 0); errno != 0 {
			p.report[2] = uint32(i)
			return stepBind, errno
		}
	}
	for i := range n.disks {
		kind, target, options := uintptr(unsafe.Pointer(n.diskType)), uintptr(unsafe.Pointer(n.disks[i][0])), uintptr(unsafe.Pointer(n.disks[i][1]))
		if _, _, errno := syscall.RawSyscall6(unix.SYS_MOUNT, kind, target, kind, unix.MS_NOSUID|unix.MS_NODEV, options, 0); errno != 0 {
			p.report[2] = uint32(i)
			return stepDisk, errno
		}
	}
	if errno := checkRoot(n); errno != 0 {
		return stepRoot, errno
	}
	if len(n.hostname) > 0 {
		if _, _, errno := syscall.RawSyscall(unix.SYS_SETHOSTNAME, uintptr(unsafe.Pointer(&n.hostname[0])), uintptr(len(n.hostname)), 0); errno != 0 {
			return stepHostname, errno
		}
	}
	return 0, 0
}

// What a child is told that has made a namespace. The end of the socket would tell it nothing, as
// the child has a copy of the shepherd's side of it.
const (
	stopHere = 0
	goOn     = 1
)

// waitToGoOn reports that the namespace is there and waits until the shepherd has opened what
// others join it by. A child of tryNamespace is told to stop.
//
//go:norace
//go:nosplit
//go:noinline
func waitToGoOn(p *forkPlan) (startStep, syscall.Errno) {
	report(p, stepKeep, 0)
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, p.reports, uintptr(unsafe.Pointer(&p.told)), 1)
	if errno == 0 && (n != 1 || p.told[0] != goOn) {
		errno = unix.ECANCELED
	}
	return stepKeep, errno
}

// checkRoot refuses a chroot: a process that joins a mount namespace gets the root of that.
//
//go:norace
//go:nosplit
//go:noinline
func checkRoot(n *namespacePlan) syscall.Errno {
	at := unix.AT_FDCWD
	if _, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(at), uintptr(unsafe.Pointer(n.root)), 0, unix.STATX_INO|unix.STATX_MNT_ID, uintptr(unsafe.Pointer(&n.before)), 0); errno != 0 {
		return errno
	}
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(n.ownMount)), unix.O_RDONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_SETNS, fd, unix.CLONE_NEWNS, 0); errno != 0 {
		return errno
	}
	syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	if _, _, errno := syscall.RawSyscall6(unix.SYS_STATX, uintptr(at), uintptr(unsafe.Pointer(n.root)), 0, unix.STATX_INO|unix.STATX_MNT_ID, uintptr(unsafe.Pointer(&n.after)), 0); errno != 0 {
		return errno
	}
	if n.before.Mnt_id != n.after.Mnt_id || n.before.Ino != n.after.Ino || n.before.Dev_major != n.after.Dev_major || n.before.Dev_minor != n.after.Dev_minor {
		return unix.EXDEV
	}
	return 0
}

// joinNamespaces moves the calling process into namespaces: the user namespace first, as it gives
// the right to enter the others. The same rules as for forkAndExec hold.
//
//go:norace
//go:nosplit
//go:noinline
func joinNamespaces(n *namespaceFiles) syscall.Errno {
	if n.user != 0 {
		if _, _, errno := syscall.RawSyscall(unix.SYS_SETNS, n.user, unix.CLONE_NEWUSER, 0); errno != 0 {
			return errno
		}
	}
	if n.mount != 0 {
		if _, _, errno := syscall.RawSyscall(unix.SYS_SETNS, n.mount, unix.CLONE_NEWNS, 0); errno != 0 {
			return errno
		}
	}
	if n.uts != 0 {
		if _, _, errno := syscall.RawSyscall(unix.SYS_SETNS, n.uts, unix.CLONE_NEWUTS, 0); errno != 0 {
			return errno
		}
	}
	return 0
}
