package node

import (
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
)

// Attach writes what a running container prints from now on, line by line, until it ends or the
// context does. A nil writer gets nothing. The error is a [*NotRunningError], the context's cause,
// or that of a writer.
func (n *Node) Attach(ctx context.Context, pod types.UID, container string, stdout, stderr io.Writer) error {
	r := n.runner(pod)
	if r == nil {
		return &NotRunningError{container}
	}
	f, err := ask(r, func() (*process.Follower, error) {
		inst := r.running[container]
		if inst == nil || inst.ended() {
			return nil, &NotRunningError{container}
		}
		return inst.output.Follow()
	})
	if errors.Is(err, errNotRunning) {
		err = &NotRunningError{container}
	}
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	return copyEntries(ctx, f, stdout, stderr)
}

// copyEntries writes what is followed.
func copyEntries(ctx context.Context, f *process.Follower, stdout, stderr io.Writer) error {
	for {
		entry, err := f.Await(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("cannot read the output: %w", err)
		}
		w := stdout
		if entry.Stream == process.Stderr {
			w = stderr
		}
		if w == nil {
			continue
		}
		line := entry.Text
		if !entry.Partial {
			line = append(line[:len(line):len(line)], '\n')
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
}
