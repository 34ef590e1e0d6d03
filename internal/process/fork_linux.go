package process

import (
	"math"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forkPlan is all that the new process needs, made before the fork, because nothing may be
// allocated between fork and execve.
type forkPlan struct {
	path, dir    *byte
	argv, env    []*byte // each ends with nil
	terminal     bool    // stdin becomes the controlling terminal
	stdin        uintptr
	stdout       uintptr
	stderr       uintptr
	reports      uintptr // where a failure is written; closed by a successful execve
	parent       uintptr
	allSignals   uint64
	noSignals    uint64
	previous     uint64
	defaultTaken sigaction
	oomFile      *byte
	oomScore     []byte // empty: it stays as it is
	join         namespaceFiles
	make         *namespacePlan // not nil: the child makes a namespace before all else
	filter       *filterPlan    // not nil: the child's connects are reported
	told         [1]byte
	report       [3]uint32 // startStep, errno, which of several
}

// sigaction is the kernel's struct of that name; all zero means SIG_DFL.
type sigaction struct{ handler, flags, restorer, mask uint64 }

const signalSetSize = 8

// fork starts c as a child of the calling thread, which must live as long as the child: the kernel
// ties the parent death signal to it. The descriptors in files are stdin, stdout and stderr. What
// becomes of execve is read from the returned pipe by readErrorPipe. The child joins the namespaces
// of join; or it makes that of c, and waits in between: see [makingChild].
//
// The standard library cannot do this: it has no way to make the child a sub-reaper, and the
// program that is executed would have to do it itself; nor has it one to enter namespaces.
func fork(c command, files [3]int, join namespaceFiles, make bool) (pid int, reports *os.File, err error) {
	plan, err := newForkPlan(c, files)
	if err != nil {
		return 0, nil, err
	}
	plan.join = join
	if make {
		if plan.make, err = newNamespacePlan(c.namespace, os.Geteuid(), os.Getegid()); err != nil {
			return 0, nil, err
		}
	}
	if c.watched {
		if plan.filter, err = newFilterPlan(); err != nil {
			return 0, nil, err
		}
	}
	return plan.fork()
}

// fork makes the child that carries out the plan, and the pipe for its reports.
func (p *forkPlan) fork() (pid int, reports *os.File, err error) {
	// Two ways, because a child that makes a namespace is told to go on. Ours is non-blocking, so
	// that waiting for it costs no thread.
	pipe, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	defer unix.Close(pipe[1])
	if err := unix.SetNonblock(pipe[0], true); err != nil {
		unix.Close(pipe[0])
		return 0, nil, err
	}
	p.reports = uintptr(pipe[1])
	child, errno := forkAndExec(p)
	runtime.KeepAlive(p)
	if errno != 0 {
		unix.Close(pipe[0])
		return 0, nil, errno
	}
	return int(child), os.NewFile(uintptr(pipe[0]), "execve"), nil
}

func newForkPlan(c command, files [3]int) (*forkPlan, error) {
	plan := &forkPlan{
		terminal: c.terminal, stdin: uintptr(files[0]), stdout: uintptr(files[1]), stderr: uintptr(files[2]),
		parent: uintptr(os.Getpid()), allSignals: ^uint64(0),
	}
	var err error
	if plan.path, err = syscall.BytePtrFromString(c.path); err != nil {
		return nil, err
	}
	if plan.oomFile, err = syscall.BytePtrFromString("/proc/self/oom_score_adj"); err != nil {
		return nil, err
	}
	if c.oomScore > 0 {
		plan.oomScore = strconv.AppendUint(nil, c.oomScore, 10)
	}
	if plan.dir, err = syscall.BytePtrFromString(c.dir); err != nil {
		return nil, err
	}
	if plan.argv, err = syscall.SlicePtrFromStrings(c.argv); err != nil {
		return nil, err
	}
	plan.env, err = syscall.SlicePtrFromStrings(c.env)
	return plan, err
}

// forkAndExec clones the process and, in the copy, becomes the program. In the copy no other thread
// exists and the Go runtime is dead: there it makes plain system calls only, and never returns.
// Signals are blocked meanwhile so that no Go handler runs there either.
//
//go:norace
//go:nosplit
//go:noinline
func forkAndExec(p *forkPlan) (child uintptr, errno syscall.Errno) {
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(&p.allSignals)), uintptr(unsafe.Pointer(&p.previous)), signalSetSize, 0, 0)
	child, _, errno = syscall.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 || child != 0 {
		syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
			uintptr(unsafe.Pointer(&p.previous)), 0, signalSetSize, 0, 0)
		return child, errno
	}
	var at startStep
	if p.make != nil {
		if at, errno = makeNamespace(p); errno == 0 {
			at, errno = waitToGoOn(p)
		}
	}
	switch {
	case errno != 0:
	case p.path != nil:
		at, errno = becomeProgram(p)
	case p.filter != nil:
		at, errno = tryToInstall(p)
	}
	report(p, at, errno)
	for {
		syscall.RawSyscall(unix.SYS_EXIT_GROUP, 127, 0, 0)
	}
}

// report tells the parent what has become of a step.
//
//go:norace
//go:nosplit
//go:noinline
func report(p *forkPlan, at startStep, errno syscall.Errno) {
	p.report[0], p.report[1] = uint32(at), uint32(errno)
	syscall.RawSyscall(unix.SYS_WRITE, p.reports, uintptr(unsafe.Pointer(&p.report)), unsafe.Sizeof(p.report))
}

// becomeProgram sets the new process up and executes the program. It returns only on failure. The
// same rules as for forkAndExec hold.
//
//go:norace
//go:nosplit
//go:noinline
func becomeProgram(p *forkPlan) (startStep, syscall.Errno) {
	for sig := uintptr(1); sig <= 64; sig++ {
		// SIGKILL, SIGSTOP and numbers that do not exist refuse.
		syscall.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&p.defaultTaken)), 0, signalSetSize, 0, 0)
	}
	// First, because the kernel may forget the parent death signal when credentials change. It also
	// makes / the current folder.
	if errno := joinNamespaces(&p.join); errno != 0 {
		return stepJoin, errno
	}
	group := uintptr(unix.SYS_SETPGID)
	if p.terminal {
		group = unix.SYS_SETSID // which makes a group as well
	}
	if _, _, errno := syscall.RawSyscall(group, 0, 0, 0); errno != 0 {
		return stepGroup, errno
	}
	if errno := dieWithParent(p); errno != 0 {
		return stepParent, errno
	}
	if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0); errno != 0 {
		return stepParent, errno
	}
	setOOMScore(p)
	if errno := setFiles(p); errno != 0 {
		return stepFiles, errno
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_CHDIR, uintptr(unsafe.Pointer(p.dir)), 0, 0); errno != 0 {
		return stepDir, errno
	}
	// Last, as nothing of the above is to be reported.
	if p.filter != nil {
		if at, errno := installFilter(p); errno != 0 {
			return at, errno
		}
	}
	syscall.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&p.noSignals)), 0, signalSetSize, 0, 0)
	_, _, errno := syscall.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(p.path)),
		uintptr(unsafe.Pointer(&p.argv[0])), uintptr(unsafe.Pointer(&p.env[0])))
	return stepExec, errno
}

// dieWithParent has the kernel kill this process when the thread that forked it ends.
//
//go:norace
//go:nosplit
//go:noinline
func dieWithParent(p *forkPlan) syscall.Errno {
	if _, _, errno := syscall.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0, 0); errno != 0 {
		return errno
	}
	// The shepherd may have died before the line above.
	if parent, _, _ := syscall.RawSyscall(unix.SYS_GETPPID, 0, 0, 0); parent != p.parent {
		return unix.ECHILD
	}
	return 0
}

// setOOMScore makes the kernel end this process rather than Probity when memory runs out. On an
// error the score stays as it is.
//
//go:norace
//go:nosplit
//go:noinline
func setOOMScore(p *forkPlan) {
	if len(p.oomScore) == 0 {
		return
	}
	writeInChild(p.oomFile, p.oomScore)
}

// writeInChild writes data, which is not empty, to a file that exists.
//
//go:norace
//go:nosplit
//go:noinline
func writeInChild(file *byte, data []byte) syscall.Errno {
	at := unix.AT_FDCWD
	fd, _, errno := syscall.RawSyscall6(unix.SYS_OPENAT, uintptr(at), uintptr(unsafe.Pointer(file)), unix.O_WRONLY|unix.O_CLOEXEC, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	_, _, errno = syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	return errno
}

// setFiles puts the standard descriptors in place and lets execve close all others, also those that
// Probity's own parent forgot to close.
//
//go:norace
//go:nosplit
//go:noinline
func setFiles(p *forkPlan) syscall.Errno {
	if _, _, errno := syscall.RawSyscall(unix.SYS_DUP3, p.stdin, 0, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_DUP3, p.stdout, 1, 0); errno != 0 {
		return errno
	}
	if _, _, errno := syscall.RawSyscall(unix.SYS_DUP3, p.stderr, 2, 0); errno != 0 {
		return errno
	}
	if p.terminal {
		if _, _, errno := syscall.RawSyscall(unix.SYS_IOCTL, 0, unix.TIOCSCTTY, 0); errno != 0 {
			return errno
		}
	}
	// Linux before 5.11 refuses; our own descriptors are marked one by one anyway.
	syscall.RawSyscall(unix.SYS_CLOSE_RANGE, 3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	return 0
}

// readErrorPipe waits for execve and closes the pipe. It returns errno 0 when the program runs, or
// died before it could say anything.
func readErrorPipe(pipe *os.File) (startStep, syscall.Errno) {
	defer pipe.Close()
	r, _ := readReport(pipe)
	return r.step, r.errno
}

// stepReport is what a child says of a step; errno is 0 if it succeeded.
type stepReport struct {
	step  startStep
	errno syscall.Errno
	item  uint64
}

// readReport waits for the next report of a child. There is none if it died, or has executed its
// program.
func readReport(pipe *os.File) (r stepReport, ok bool) {
	var words [3]uint32
	n, err := pipe.Read(unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words)))
	if err != nil || n != int(unsafe.Sizeof(words)) {
		return stepReport{}, false
	}
	return stepReport{startStep(words[0]), syscall.Errno(words[1]), uint64(words[2])}, true
}
