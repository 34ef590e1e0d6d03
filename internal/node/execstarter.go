package node

import (
	"errors"
	"os"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// execStarter starts the commands of exec probes and hooks where the services are started, so that
// they have the same owner.
type execStarter struct {
	starter process.Starter
	owner   string
	score   int // of its container
}

// Start implements [probe.Starter].
func (s execStarter) Start(c probe.Command) (probe.Running, error) {
	p, err := s.starter.Start(process.Spec{Argv: c.Argv, Env: c.Env, Dir: c.Dir, Stdout: c.Stdout, Stderr: c.Stderr, Container: s.owner, OOMScore: s.score})
	if err != nil {
		return nil, err
	}
	return runningExec{p}, nil
}

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
