package apiserver

import (
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
)

// attach sends what a container prints from now on.
func (c *call) attach() error {
	o, err := parseStreamOptions(c.r.URL.Query())
	if err != nil {
		return err
	}
	pod, container, err := c.runningContainer(o.container)
	if err != nil {
		return err
	}
	if o.Stdin {
		return badRequest(fmt.Sprintf("container %q in pod %q reads /dev/null: nothing can be typed to a program that runs here; attach without -i, or use exec", container, pod.Name))
	}
	return c.session(o.Wants, func(s *stream.Session) *metav1.Status {
		stdout, stderr := s.Stdout, s.Stderr
		if o.Terminal && stdout != nil { // the client's terminal takes the text as it is
			stdout = carriageReturns{stdout}
			stderr = stdout
		}
		if err := c.server.opts.Runner.Attach(s.Context(), pod.UID, container, stdout, stderr); err != nil {
			return sessionFailed(err)
		}
		return exited(0)
	})
}

// carriageReturns writes to a terminal that does not translate the ends of lines.
type carriageReturns struct{ to io.Writer }

// Write implements [io.Writer]. It gets a line at a time.
func (w carriageReturns) Write(line []byte) (int, error) {
	text := line
	if n := len(line); n > 0 && line[n-1] == '\n' {
		text = append(line[:n-1:n-1], '\r', '\n')
	}
	if _, err := w.to.Write(text); err != nil {
		return 0, err
	}
	return len(line), nil
}
