package process

import (
	"os"
	"syscall"
	"time"
)

// ContainerVariable is the environment variable that Start adds with [Spec.Container] as value, so
// that a user can tell from a process list what belongs to whom. Nothing here depends on it.
const ContainerVariable = "PROBITY_CONTAINER"

// Spec is what to start.
type Spec struct {
	// Argv is the command with its arguments, at least one word. A first word with a slash is a
	// path, relative to Dir; one without is looked up in the directories of the variable PATH in
	// Env.
	Argv []string

	// Env is the whole environment, as KEY=value. Of several values of one key the last one counts.
	// Nothing is inherited.
	Env []string

	// Dir is the working directory. Empty means that of the caller.
	Dir string

	// Stdin, Stdout and Stderr become the descriptors 0, 1 and 2; nil means /dev/null. Start does
	// not close them. [Log.Stdout] and [Log.Stderr] fit here, and so does a [Console].
	Stdin, Stdout, Stderr *os.File

	// Terminal makes Stdin, which is a terminal, the controlling one of the process, so that keys
	// such as Ctrl-C signal what runs there. The process leads a session of its own then.
	Terminal bool

	// Container names the container, for people; see [ContainerVariable]. Empty means no such
	// variable.
	Container string

	// OOMScore is how much sooner than Probity the kernel ends the process when memory runs out,
	// from 0, which means just as soon, to 1000 (oom_score_adj of proc(5)). Its children inherit
	// it. Other systems ignore it.
	OOMScore int

	// Connects, if not nil, is asked where each connection leads that the process, or what it
	// forks, makes by connect(2), and about each datagram that is sent without one: see [Connect].
	// It is called from any goroutine, and the program
	// waits for it. The process cannot gain privileges then: a set-uid program runs without them.
	// Other systems than Linux ignore it; see [Shepherd.TryConnects].
	Connects func(Connect) Route

	// Namespace, if not nil, is where the process and all that it forks live. The first process of
	// its Key makes it, later ones join it; see [Shepherd.ForgetNamespace]. Other systems than
	// Linux ignore it.
	Namespace *Namespace
}

// Exit is how a process ended.
type Exit struct {
	// Code is the exit code, or 128 + n after death by signal n, as container runtimes report it
	// (R139).
	Code int

	// Signal is the signal that ended the process, 0 if it exited by itself.
	Signal syscall.Signal

	// At is when it ended. The rest of its tree ends a little later.
	At time.Time

	// Survivors are processes of its tree that did not die of SIGKILL within [KillBound]: they hang
	// in the kernel, or belong to another user. Normally empty.
	Survivors []int

	// OutOfMemory is set if it was killed because it had more memory than its [FaultMemory] allows.
	OutOfMemory bool
}

// KillBound is how long an exit report waits for the rest of a process tree to die after SIGKILL.
const KillBound = 5 * time.Second

// Starter starts processes. Implementations are safe for concurrent use.
type Starter interface {
	// Start returns once the program runs, or could not be started: then the error is a
	// *[StartError].
	Start(Spec) (Process, error)
}

// Process is a started process and everything that it forks. Methods are safe for concurrent use.
type Process interface {
	// PID is the process id, and the id of the process group that it was born in.
	PID() int

	// StartedAt is when the program began to run.
	StartedAt() time.Time

	// Signal sends sig to the process and its group. After the end of the process the error is
	// [os.ErrProcessDone].
	Signal(sig syscall.Signal) error

	// Kill sends SIGKILL to the process and its whole tree. It does not wait: see Done. After the
	// end of the process the error is [os.ErrProcessDone].
	Kill() error

	// Done is closed when the process has ended and nothing is left of its tree.
	Done() <-chan struct{}

	// Exit is how it ended. It is the zero value until Done is closed.
	Exit() Exit
}

func exitOf(status syscall.WaitStatus, at time.Time, survivors []int) Exit {
	exit := Exit{Code: status.ExitStatus(), At: at, Survivors: survivors}
	if status.Signaled() {
		exit.Signal = status.Signal()
		exit.Code = 128 + int(exit.Signal)
	}
	return exit
}
