package node

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// launcher starts the processes of a Pod's containers together with the logs of their output. It
// has no state: any goroutine may use it.
type launcher struct {
	loop    *loop
	pod     *corev1.Pod
	starter process.Starter
	logs    *process.Logs
	dir     string // of the Pod
	follow  func(pod *corev1.Pod, container string, entry process.LogEntry)
	log     *slog.Logger
}

// launch opens the log and starts the process that writes to it.
func (l *launcher) launch(container string, spec process.Spec, restarts int) (process.Process, *process.Log, error) {
	output, err := l.logs.Open(process.LogOptions{Dir: filepath.Join(l.dir, container), Instance: restarts, OnError: func(err error) {
		l.log.Error("Cannot keep the output", "container", container, "error", err)
	}})
	if err != nil {
		return nil, nil, err
	}
	l.followOutput(container, output)
	spec.Stdout, spec.Stderr = output.Stdout(), output.Stderr()
	p, err := l.starter.Start(spec)
	output.CloseWriters()
	if err != nil {
		l.closeOutput(container, output)
		return nil, nil, err
	}
	return p, output, nil
}

// followOutput hands the lines of a log to whoever wants them live. The goroutine ends with the
// log.
func (l *launcher) followOutput(container string, output *process.Log) {
	if l.follow == nil {
		return
	}
	follower, err := output.Follow()
	if err != nil {
		l.log.Error("Cannot follow the output", "container", container, "error", err)
		return
	}
	l.loop.start(func() {
		defer follower.Close()
		for {
			entry, err := follower.Await(context.Background()) // the log is always closed
			if follower.Lost() {
				l.log.Warn("Lines were left out: they were not taken before their files were deleted", "container", container)
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					l.log.Error("Cannot follow the output", "container", container, "error", err)
				}
				return
			}
			l.follow(l.pod, container, entry)
		}
	})
}

// closeOutput waits for what is still written, and closes the log.
func (l *launcher) closeOutput(container string, output *process.Log) {
	if err := output.Close(); err != nil {
		l.log.Warn("Output is incomplete", "container", container, "dropped", output.Dropped(), "error", err)
	}
}

// keptLines is how many lines are kept of the end of an instance's output.
const keptLines = 3

// lastLines are the last lines that an instance has printed, for people; none if the log cannot be
// read, which is logged.
func (l *launcher) lastLines(container string, restarts int) []string {
	lines, err := lastLines(process.OpenLogReader(filepath.Join(l.dir, container), restarts), keptLines)
	if err != nil {
		l.log.Warn("Cannot read the last lines of the output", "container", container, "error", err)
	}
	return lines
}

// startFailure tells a program that cannot run from a machine that lacks something: the first is an
// instance that failed, the second is not (R26).
func startFailure(container, id string, err error) lifecycle.StartFailed {
	reason := "RunContainerError"
	_, noNamespace := errors.AsType[*process.NamespaceError](err)
	if noNamespace || errors.Is(err, process.ErrShortage) || errors.Is(err, process.ErrShepherdGone) {
		reason = "CreateContainerError"
	}
	return lifecycle.StartFailed{Container: container, Instance: id, Reason: reason, Message: err.Error()}
}
