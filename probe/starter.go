package probe

import "os"

// Command is what a [Starter] starts.
type Command struct {
	// Argv is the program and its arguments; never empty.
	Argv []string
	// Env is the environment, as "NAME=value"; nil means the one of this process.
	Env []string
	// Dir is the working directory; empty means the one of this process.
	Dir string
	// Stdout and Stderr are the write ends of pipes. Start must have handed copies to the command
	// when it returns, in blocking mode (which [os.File.Fd] sees to): the attempt closes these
	// then. Standard input is empty.
	Stdout, Stderr *os.File
}

// Starter starts the command of an [Exec] attempt. A supervisor implements it to start probes where
// it starts services.
type Starter interface {
	// Start starts the command as the leader of a new process group. An error means that nothing
	// runs, and names what could not be started.
	Start(command Command) (Running, error)
}

// Running is a started command. Its two methods are called concurrently, Wait exactly once.
type Running interface {
	// Wait returns when the command has ended, after killing what is left of its group. The code is
	// the exit code, or 128 plus the number of the signal that killed the command. An error means
	// that neither is known.
	Wait() (code int, err error)
	// Kill sends SIGKILL to the whole group. It is no error if the command has ended already.
	Kill() error
}
