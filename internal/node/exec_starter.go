package node

import (
	"errors"
	"os"
	"time"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/program"
	"github.com/probity-run/probity/probe"
)

// execStarter starts the commands of exec probes and hooks in the way that containers are started,
// so that they have the same owner.
type execStarter struct {
	starter process.Starter
	owner   string // for people; see process.Spec
}

// exec makes the command of a probe or hook of a container that runs a program. It sees the
// program's environment, folder and namespace. It is an error if the command is too long once
// $(NAME) is replaced in it.
func (s execStarter) exec(command []string, p *invocation, timeout time.Duration) (probe.Exec, error) {
	argv, err := program.Handler{Command: command, Field: "exec.command"}.Expand(p.env, program.NewRoom(0))
	if err != nil {
		return probe.Exec{}, err
	}
	return probe.Exec{
		Command: argv,
		Env:     p.env.List(),
		Dir:     p.dir,
		Timeout: timeout,
		Starter: placedStarter{s, p},
	}, nil
}

// placedStarter is an execStarter that starts beside the program of a container.
type placedStarter struct {
	execStarter
	beside *invocation
}

// Start implements [probe.Starter].
func (s placedStarter) Start(c probe.Command) (probe.Running, error) {
	p, err := s.starter.Start(process.Spec{
		Argv: c.Argv, Env: c.Env, Dir: c.Dir, Stdout: c.Stdout, Stderr: c.Stderr, Container: s.owner,
		OOMScore: s.beside.oomScore, Namespace: s.beside.namespace,
	})
	if err != nil {
		return nil, err
	}
	return runningExec{p}, nil
}

// runningExec is a command that was started.
type runningExec struct{ process process.Process }

// Wait implements [probe.Running].
func (r runningExec) Wait() (int, error) {
	<-r.process.Done()
	return r.process.Exit().Code, nil
}

// Kill implements [probe.Running].
func (r runningExec) Kill() error {
	if err := r.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}
