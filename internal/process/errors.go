package process

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/probity-run/probity/internal/printable"
)

// ErrShortage is matched by start errors whose cause is this machine and not the program: no
// process, memory or descriptor could be had. Trying later may help.
var ErrShortage = errors.New("the machine is short of processes, memory or open files")

// ErrShepherdGone is matched by every error that follows from the end of the shepherd.
var ErrShepherdGone = errors.New("the shepherd process has ended")

// StartError says why a program could not be started. It unwraps to the system's error, so that
// errors.Is works with fs.ErrNotExist and fs.ErrPermission, and it matches [ErrShortage].
type StartError struct {
	// Name is the program as the caller wrote it.
	Name string
	// Path is what the error is about: the program's file, or the directory.
	Path string
	// Reason says in words what is wrong with Path, and what to do.
	Reason string
	// Err is the cause.
	Err error
}

// Error gives the program, the reason and the cause.
func (e *StartError) Error() string {
	return fmt.Sprintf("cannot start %s: %s: %v", printable.Quote(e.Name), e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }

// Is reports whether target is ErrShortage and the cause a shortage.
func (e *StartError) Is(target error) bool {
	if target != ErrShortage {
		return false
	}
	return errors.Is(e.Err, syscall.EAGAIN) || short(e.Err)
}

// short reports whether an error means that this process or the machine lacks something, and
// nothing about what was asked.
func short(err error) bool {
	for _, errno := range []syscall.Errno{syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// startStep is a step of starting a process, to say which one failed.
type startStep uint8

const (
	stepFork startStep = iota + 1
	stepGroup
	stepParent
	stepFiles
	stepDir
	stepExec
	stepJoin  // the namespaces of Spec.Namespace
	stepWatch // of Spec.Connects
	// Of making a Namespace.
	stepUnshare
	stepMaps
	stepSlave
	stepBind
	stepDisk
	stepRoot
	stepHostname
	stepKeep
)

// startError words the failure of a step of starting path in dir.
func startError(name, path, dir string, at startStep, cause error) *StartError {
	e := &StartError{Name: name, Path: path, Err: cause}
	switch at {
	case stepFork:
		e.Reason = forkReason(cause)
	case stepDir:
		e.Path = dir
		e.Reason = fmt.Sprintf("the working directory %s cannot be entered", dir)
	case stepExec:
		e.Reason = execReason(path, cause)
	case stepJoin:
		e.Reason = "the namespace of its Pod cannot be entered"
	case stepWatch:
		e.Reason = "its connections cannot be watched"
	case stepUnshare, stepMaps, stepSlave, stepBind, stepDisk, stepRoot, stepHostname, stepKeep:
		e.Reason = "the namespace of its Pod cannot be made"
	default:
		e.Reason = "the new process could not be set up"
	}
	return e
}

func forkReason(cause error) string {
	if errors.Is(cause, syscall.EMFILE) || errors.Is(cause, syscall.ENFILE) {
		return "no descriptor is left; see ulimit -n"
	}
	return "no process could be forked; see ulimit -u and the memory"
}

func execReason(path string, cause error) string {
	switch {
	case errors.Is(cause, fs.ErrNotExist):
		return fmt.Sprintf("%s or the interpreter in its first line does not exist", path)
	case errors.Is(cause, fs.ErrPermission):
		return fmt.Sprintf("%s is not executable; chmod +x may help", path)
	case errors.Is(cause, syscall.ENOEXEC):
		return fmt.Sprintf("%s is neither a program for this machine nor a script with #! in its first line", path)
	case errors.Is(cause, syscall.E2BIG):
		return "its arguments and environment are too large"
	case errors.Is(cause, syscall.ETXTBSY):
		return fmt.Sprintf("%s is being written", path)
	default:
		return fmt.Sprintf("%s cannot be executed", path)
	}
}
