package process

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// TryNamespace finds out whether the kernel lets a namespace be made, by making it. Nothing is left
// of it. The error is a [*NamespaceError] if the kernel refuses.
func (s *Shepherd) TryNamespace(n Namespace) error {
	return s.call(message{verb: verbTry, command: command{namespace: n}}).err
}

// ForgetNamespace lets nobody join a namespace any more: it goes away with the last process in it,
// and the next process of that key makes another one. A key that nobody uses is no error.
func (s *Shepherd) ForgetNamespace(key string) error {
	return s.call(message{verb: verbForget, command: command{namespace: Namespace{Key: key}}}).err
}

// namespace is one that processes join, or wait for.
type namespace struct {
	made    bool
	files   namespaceFiles
	waiting []request // starts
}

// makingChild is a child that makes a namespace before it executes its program. It says so, and
// waits: with a program that ends soon, nothing would be left to join.
type makingChild struct {
	key       string
	namespace *namespace
	reports   *os.File
}

// madeResult is what became of the namespace of a start; errno is 0 if it is there.
type madeResult struct {
	making makingChild
	files  namespaceFiles
	errno  syscall.Errno
}

// startIn starts a process of a namespace, or has it wait until that is made.
func (s *server) startIn(r request) {
	key := r.command.namespace.Key
	switch n := s.namespaces[key]; {
	case n == nil:
		s.namespaces[key] = &namespace{}
		s.launch(r, namespaceFiles{}, s.namespaces[key])
	case n.made:
		s.launch(r, n.files, nil)
	default:
		n.waiting = append(n.waiting, r)
	}
}

// finishNamespace opens the namespace that a child makes, and lets the child go on. It returns why
// there is none.
func (s *server) finishNamespace(pid int, making makingChild) stepReport {
	report, ok := readReport(making.reports)
	var files namespaceFiles
	next := byte(stopHere)
	switch {
	case !ok:
		report = stepReport{step: stepKeep, errno: unix.ECHILD} // it was killed
	case report.errno == 0:
		if files, report.errno = openNamespaces(pid); report.errno == 0 {
			next = goOn
		}
	}
	s.made <- madeResult{making, files, report.errno}
	_, _ = making.reports.Write([]byte{next}) // an error means that it has ended
	return report
}

// namespaceMade lets those join that have waited for a namespace. If it could not be made, the next
// one tries.
func (s *server) namespaceMade(r madeResult) {
	n := r.making.namespace
	if s.namespaces[r.making.key] != n { // it was forgotten meanwhile
		r.files.close()
		return
	}
	n.files, n.made = r.files, r.errno == 0
	if !n.made {
		delete(s.namespaces, r.making.key)
	}
	for _, waiting := range n.waiting {
		s.startIn(waiting)
	}
	n.waiting = nil
}

// openNamespaces opens those namespaces of a process that are not those of this one.
func openNamespaces(pid int) (files namespaceFiles, errno syscall.Errno) {
	open := func(name string) uintptr {
		if errno != 0 {
			return 0
		}
		fd, err := unix.Open(procPath(pid, "ns/"+name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			errno = syscall.Errno(errnoOf(err))
			return 0
		}
		return uintptr(fd)
	}
	if os.Geteuid() != 0 {
		files.user = open("user")
	}
	files.mount, files.uts = open("mnt"), open("uts")
	if errno != 0 {
		files.close()
		return namespaceFiles{}, errno
	}
	return files, 0
}

func (f namespaceFiles) close() {
	for _, fd := range []uintptr{f.user, f.mount, f.uts} {
		if fd != 0 {
			unix.Close(int(fd))
		}
	}
}

// try has a child make a namespace, and answers what became of it.
func (s *server) try(m message) {
	if m.command.watched {
		s.tryFilter(m)
		return
	}
	pid, reports, err := tryNamespace(m.command.namespace)
	if err != nil {
		s.send(message{verb: verbFailed, call: m.call, step: stepKeep, errno: errnoOf(err)})
		return
	}
	// Not one of s.children, as no exit is to be reported; here so that nobody takes it for an
	// orphan.
	s.byPID[pid] = &child{pid: pid, state: trying}
	go func() { // a file may be on a slow disk: nobody else shall wait for it
		defer reports.Close()
		switch r, ok := readReport(reports); {
		case !ok:
			s.send(message{verb: verbFailed, call: m.call, step: stepKeep, errno: uint64(unix.ECHILD)})
		case r.errno != 0:
			s.send(message{verb: verbFailed, call: m.call, step: r.step, errno: uint64(r.errno), item: r.item})
		default:
			_, _ = reports.Write([]byte{stopHere}) // an error means that it has ended
			s.send(message{verb: verbAnswered, call: m.call})
		}
	}()
}

// forget closes what is needed to join a namespace.
func (s *server) forget(m message) {
	key := m.command.namespace.Key
	if n := s.namespaces[key]; n != nil {
		n.files.close()
		for _, waiting := range n.waiting {
			closeAll(waiting.files)
			s.send(message{verb: verbFailed, call: waiting.call, step: stepJoin, errno: uint64(unix.ENOENT)})
		}
		delete(s.namespaces, key)
	}
	s.send(message{verb: verbAnswered, call: m.call})
}
