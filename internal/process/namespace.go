package process

import (
	"fmt"
	"syscall"
)

// Namespace is a view of this machine that some processes share: a host name of their own, and
// files that stand in place of others. Nobody outside sees it; mounts and unmounts outside are seen
// inside. A plain user gets a user namespace as well, in which the user and the group keep their
// numbers and all others are nobody.
type Namespace struct {
	// Key tells it from others of the same [Starter]. Not empty.
	Key string
	// Hostname is the kernel's host name inside, at most 64 bytes. Empty: that of outside.
	Hostname string
	// Binds are mounted in this order.
	Binds []Bind
	// Disks are file systems of their own, which are empty at first.
	Disks []Disk
}

// Disk is a file system in memory that is seen in place of a folder. It goes away with its
// namespace.
type Disk struct {
	Target string
	// Size is how many bytes it takes, from 1 to MaxDisk.
	Size int64
}

// MaxDisk bounds a [Disk], as it can be filled on purpose: 256 MiB.
const MaxDisk = 256 << 20

// Bind is a file or folder that is seen at the place of another of its sort. Both exist.
type Bind struct{ Source, Target string }

// NamespaceStep is what the kernel refused when a [Namespace] was made.
type NamespaceStep string

// The steps in their order.
const (
	// StepUnshare asks for the namespaces: seccomp, a sysctl, the limits of namespaces, or the lack
	// of CAP_SYS_ADMIN for root may refuse it.
	StepUnshare NamespaceStep = "unshare"
	// StepMaps keeps the numbers of the user and the group: AppArmor may refuse it.
	StepMaps NamespaceStep = "uid_map"
	// StepMount mounts: AppArmor may refuse it, and a root that is no mount.
	StepMount NamespaceStep = "mount"
	// StepRoot finds that processes that join would leave a chroot.
	StepRoot NamespaceStep = "root"
	// StepHostname sets the host name.
	StepHostname NamespaceStep = "sethostname"
	// StepKeep keeps what was made for those that join: it lacks processes or descriptors.
	StepKeep NamespaceStep = "keep"
)

// NamespaceError says why a [Namespace] could not be made. It unwraps to the system's error and
// matches [ErrShortage] if that is one.
type NamespaceError struct {
	Step NamespaceStep
	// Path is what was to be mounted over, with StepMount.
	Path string
	Err  syscall.Errno
}

// Error gives the step, the path and the cause: "mount /etc/hosts: permission denied".
func (e *NamespaceError) Error() string {
	if e.Path != "" {
		return fmt.Sprintf("%s %s: %v", e.Step, e.Path, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.Step, e.Err)
}

// Unwrap returns the cause.
func (e *NamespaceError) Unwrap() error { return e.Err }

// Is reports whether target is ErrShortage and the cause a shortage.
func (e *NamespaceError) Is(target error) bool {
	return target == ErrShortage && (short(e.Err) || e.Err == syscall.EAGAIN)
}

// namespaceError words the failure of a step of making a namespace.
func namespaceError(n Namespace, at startStep, item uint64, errno syscall.Errno) *NamespaceError {
	e := &NamespaceError{Err: errno}
	switch at {
	case stepUnshare:
		e.Step = StepUnshare
	case stepMaps:
		e.Step = StepMaps
	case stepSlave:
		e.Step, e.Path = StepMount, "/"
	case stepBind:
		e.Step = StepMount
		if item < uint64(len(n.Binds)) {
			e.Path = n.Binds[item].Target
		}
	case stepDisk:
		e.Step = StepMount
		if item < uint64(len(n.Disks)) {
			e.Path = n.Disks[item].Target
		}
	case stepRoot:
		e.Step = StepRoot
	case stepHostname:
		e.Step = StepHostname
	default:
		e.Step = StepKeep
	}
	return e
}
