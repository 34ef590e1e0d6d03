package apiserver

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
	"github.com/probity-run/probity/internal/process"
)

// sizeTime is how long a command waits for the size of its user's window, which comes at once if it
// comes at all.
const sizeTime = 200 * time.Millisecond

// exec runs a command beside the program of a container.
func (c *call) exec() error {
	o, err := parseStreamOptions(c.r.URL.Query())
	if err != nil {
		return err
	}
	if len(o.command) == 0 {
		return badRequest("you must specify a command")
	}
	pod, container, err := c.runningContainer(o.container)
	if err != nil {
		return err
	}
	return c.session(o.Wants, func(s *stream.Session) *metav1.Status {
		streams := process.Streams{Stdin: s.Stdin, Stdout: s.Stdout, Stderr: s.Stderr, Terminal: o.Terminal, Sizes: s.Sizes}
		if o.Terminal {
			select {
			case streams.Size = <-s.Sizes:
			case <-time.After(sizeTime):
			case <-s.Context().Done():
			}
		}
		code, err := c.server.opts.Runner.Exec(s.Context(), pod.UID, container, o.command, streams)
		if err != nil {
			return sessionFailed(err)
		}
		return exited(code)
	})
}
