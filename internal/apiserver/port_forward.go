package apiserver

import (
	"context"
	"fmt"
	"net"

	"github.com/probity-run/probity/internal/apiserver/stream"
)

// forward carries connections to the ports of a Pod.
func (c *call) forward() error {
	pod, err := c.runningPod()
	if err != nil {
		return err
	}
	if !stream.IsUpgrade(c.r) {
		return badRequest("Upgrade request required")
	}
	release, ok := c.acquireStream()
	if !ok {
		return nil // it was answered
	}
	defer release()
	return c.streamEnded(stream.Forward(c.w, c.r, func(ctx context.Context, port int32) (net.Conn, error) {
		conn, err := c.server.opts.Runner.DialPort(ctx, pod.UID, port)
		if err != nil {
			err = fmt.Errorf("error forwarding port %d to pod %s, uid %s: %w", port, pod.Name, pod.UID, err)
		}
		return conn, err
	}))
}
