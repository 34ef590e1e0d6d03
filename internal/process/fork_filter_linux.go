package process

import (
	"cmp"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filterPlan is all that a process needs to have its connects reported, see forkPlan.
type filterPlan struct {
	program unix.SockFprog
	code    []unix.SockFilter
}

// The fields of seccomp_data that the filter reads, as offsets.
const (
	dataNumber       = 0
	dataArchitecture = 4
	dataFifth        = 48 // an argument of 64 bits
)

// x32Bit marks the calls of another table, which programs for x32 use.
const x32Bit = 0x4000_0000

// newFilterPlan makes a filter that reports connect(2), and what may send a datagram without it:
// sendto(2) to an address, sendmsg(2) and sendmmsg(2), whose addresses a filter cannot see. It lets
// everything else be. What another architecture calls, such as a 32-bit program, has other numbers:
// it is let be as well.
func newFilterPlan() (*filterPlan, error) {
	var architecture uint32
	switch runtime.GOARCH {
	case "amd64":
		architecture = unix.AUDIT_ARCH_X86_64
	case "arm64":
		architecture = unix.AUDIT_ARCH_AARCH64
	default:
		return nil, fmt.Errorf("no filter of system calls for %s: %w", runtime.GOARCH, syscall.ENOSYS)
	}
	load := func(field uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: field}
	}
	// the numbers of lines to skip, if it is so and if not
	ifEqual := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	result := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	p := &filterPlan{code: []unix.SockFilter{
		load(dataArchitecture),
		ifEqual(architecture, 0, 11),
		load(dataNumber),
		{Code: unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K, Jt: 9, K: x32Bit},
		ifEqual(unix.SYS_CONNECT, 7, 0),
		ifEqual(unix.SYS_SENDMSG, 6, 0),
		ifEqual(unix.SYS_SENDMMSG, 5, 0),
		ifEqual(unix.SYS_SENDTO, 0, 5),
		load(dataFifth), // the address, in halves
		ifEqual(0, 0, 2),
		load(dataFifth + 4),
		ifEqual(0, 1, 0),
		result(unix.SECCOMP_RET_USER_NOTIF),
		result(unix.SECCOMP_RET_ALLOW),
	}}
	p.program = unix.SockFprog{Len: uint16(len(p.code)), Filter: &p.code[0]}
	return p, nil
}

// installFilter has the connects of the calling process, and of what becomes of it, reported. It
// waits until the shepherd has taken the descriptor by which they are. The same rules as for
// forkAndExec hold.
//
//go:norace
//go:nosplit
//go:noinline
func installFilter(p *forkPlan) (startStep, syscall.Errno) {
	// Without it only root may have a filter.
	if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return stepWatch, errno
	}
	listener, _, errno := syscall.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&p.filter.program)))
	if errno != 0 {
		return stepWatch, errno
	}
	p.report[2] = uint32(listener)
	report(p, stepWatch, 0)
	n, _, errno := syscall.RawSyscall(unix.SYS_READ, p.reports, uintptr(unsafe.Pointer(&p.told)), 1)
	if errno == 0 && (n != 1 || p.told[0] != goOn) {
		errno = unix.ECANCELED
	}
	return stepWatch, errno
}

// tryToInstall is all that a child of tryFilter does. The same rules as for forkAndExec hold.
//
//go:norace
//go:nosplit
//go:noinline
func tryToInstall(p *forkPlan) (startStep, syscall.Errno) {
	if errno := dieWithParent(p); errno != 0 {
		return stepWatch, errno
	}
	return installFilter(p)
}

// takeListener fetches the descriptor by which the connects of a child are reported, and lets the
// child go on. It is 0 if the child has failed, which the report says, or has died.
func takeListener(pid int, reports *os.File) (listener int, report stepReport) {
	report, ok := readReport(reports)
	if !ok || report.errno != 0 {
		return 0, report
	}
	next := byte(goOn)
	listener, err := fetchDescriptor(pid, 0, int(report.item))
	if err != nil {
		listener, next = 0, stopHere
		report.errno = syscall.Errno(errnoOf(err))
	}
	_, _ = reports.Write([]byte{next}) // an error means that it has ended
	return listener, report
}

// fetchDescriptor is a copy of a descriptor of another process; flags are those of pidfd_open.
func fetchDescriptor(pid, flags, fd int) (int, error) {
	process, err := unix.PidfdOpen(pid, flags)
	if err != nil {
		return 0, err
	}
	defer unix.Close(process)
	return unix.PidfdGetfd(process, fd, 0)
}

// tryFilter has a child install the filter, and answers what became of it.
func (s *server) tryFilter(m message) {
	plan := &forkPlan{parent: uintptr(os.Getpid()), allSignals: ^uint64(0)}
	var pid int
	var reports *os.File
	var err error
	if plan.filter, err = newFilterPlan(); err == nil {
		pid, reports, err = plan.fork()
	}
	if err != nil {
		s.send(message{verb: verbFailed, call: m.call, step: stepWatch, errno: errnoOf(err)})
		return
	}
	s.byPID[pid] = &child{pid: pid, state: trying} // as in try
	go func() {
		defer reports.Close()
		listener, r := takeListener(pid, reports)
		if listener == 0 {
			s.send(message{verb: verbFailed, call: m.call, step: stepWatch, errno: uint64(cmp.Or(r.errno, unix.ECHILD))})
			return
		}
		unix.Close(listener)
		s.send(message{verb: verbAnswered, call: m.call})
	}()
}
