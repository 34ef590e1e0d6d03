package node

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
)

// dialTime is how long a program may take to accept a connection.
const dialTime = 10 * time.Second

// DialPort opens a connection to a port of a Pod, as port-forward does. The number of a
// containerPort means the Pod's private port, where its program really listens; any other is
// dialled only if a process of the Pod listens there, as the loopback addresses are those of
// everybody. The error says what is wrong.
func (n *Node) DialPort(ctx context.Context, pod types.UID, port int32) (net.Conn, error) {
	r := n.runner(pod)
	if r == nil {
		return nil, errNotRunning
	}
	to, err := ask(r, func() (target, error) { return r.dialTarget(port) })
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: dialTime}
	return dialer.DialContext(ctx, "tcp", net.JoinHostPort(to.host, strconv.Itoa(to.port)))
}

// dialTarget is where a connection to a port of the Pod goes. It belongs to the loop's goroutine.
func (r *runner) dialTarget(port int32) (target, error) {
	ports := r.allocation.ports
	if ports == nil || len(r.running) == 0 {
		return target{}, errNotRunning
	}
	if private, ok := ports.private[port]; ok {
		to, verdict := r.containers.ports.find(target{port: private, declared: port}, r.running)
		return to, verdictError(verdict)
	}
	owner, err := r.containers.ports.owners.among(r.running.processes())(int(port))
	switch {
	case err != nil:
		return target{}, fmt.Errorf("cannot learn who listens on port %d: %w", port, err)
	case owner.Owner != process.Own:
		return target{}, fmt.Errorf("port %d is no containerPort of the Pod, and none of its processes is seen to listen there", port)
	}
	return target{host: owner.Addr.String(), port: int(port)}, nil
}
