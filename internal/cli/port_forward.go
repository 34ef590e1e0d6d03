package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/kube/tunnel"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/terminal"
)

const portForwardHelp = `Listen on this machine, and pass each connection on to a port of a Pod, until Ctrl-C. A port is REMOTE, LOCAL:REMOTE or :REMOTE, which takes a free
one; REMOTE is a number or a name, of a container's port, or of the Service's if NAME is one.

Of a Service or a workload it is the first Pod that is ready when a connection comes, so it goes on when Pods are replaced. A run serves its Services
on loopback anyhow: probity ps has their addresses.

` + whichRun + `

` + onCluster + `

Exit codes: 0 until Ctrl-C; 1 there is no such object or port, or nobody can listen there; 2 bad input, or no such run.`

// forwardFlags are the flags of port-forward.
type forwardFlags struct {
	target
	address string
}

func newPortForward(streams Streams) *cobra.Command {
	var flags forwardFlags
	cmd := &cobra.Command{
		Use:     "port-forward NAME [LOCAL:]REMOTE...",
		Short:   "Pass connections on to a port of a Pod",
		Long:    portForwardHelp,
		Example: "  probity port-forward web 8080\n  probity port-forward svc/web 9000:http",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return portForward(cmd.Context(), streams, flags, args[0], args[1:])
		},
	}
	flags.addCluster(cmd)
	cmd.Flags().StringVar(&flags.address, "address", "127.0.0.1", "IP address to listen at; another than loopback lets others in")
	flags.completeNames(cmd)
	return cmd
}

// forwardedPort is a port as it was asked for.
type forwardedPort struct {
	local  uint16 // 0 takes a free one
	remote intstr.IntOrString
}

// parseForwardedPort reads REMOTE, LOCAL:REMOTE or :REMOTE.
func parseForwardedPort(text string) (p forwardedPort, err error) {
	local, remote, both := strings.Cut(text, ":")
	if !both {
		remote = local
	}
	p.remote = intstr.Parse(remote)
	number, err := strconv.ParseUint(local, 10, 16)
	switch {
	case remote == "" || p.remote.Type == intstr.Int && (p.remote.IntVal < 1 || p.remote.IntVal > 65535):
		return p, fmt.Errorf("cannot forward %q: write REMOTE, LOCAL:REMOTE or :REMOTE, as in 8080:http", text)
	case both && local == "", !both && p.remote.Type == intstr.String:
		return p, nil
	case err != nil || number == 0:
		return p, fmt.Errorf("cannot forward %q: the local port is no number from 1 to 65535", text)
	}
	p.local = uint16(number)
	return p, nil
}

// forwarder passes on the connections to one listener.
type forwarder struct {
	streams Streams
	target  *target
	client  *kube.Client
	object  kube.Ref
	remote  intstr.IntOrString
}

// portForward listens and passes on until somebody interrupts it.
func portForward(ctx context.Context, streams Streams, flags forwardFlags, name string, ports []string) error {
	var parsed []forwardedPort
	for _, text := range ports {
		p, err := parseForwardedPort(text)
		if err != nil {
			return badInput(err)
		}
		parsed = append(parsed, p)
	}
	if net.ParseIP(flags.address) == nil {
		return badInput(fmt.Errorf("cannot use --address %q: it takes one IP address of this machine", flags.address))
	}
	s, objects, err := flags.openFor(ctx, streams, []string{name})
	if err != nil {
		return err
	}
	defer s.client.Close()
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var serving sync.WaitGroup
	defer serving.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, p := range parsed {
		f := &forwarder{streams, &flags.target, s.client, kube.RefTo(objects[0]), p.remote}
		_, port, err := f.remotePort(s, objects[0])
		if err != nil {
			return failed(err)
		}
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(flags.address, strconv.Itoa(int(p.local))))
		if err != nil {
			return failed(fmt.Errorf("cannot forward a port: %w", err))
		}
		serving.Go(func() { f.serve(ctx, listener) })
		if err := printLine(streams.Out, fmt.Sprintf("Forwarding from %s -> %d", listener.Addr(), port)); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

// serve takes connections until the context is done, and waits for their ends.
func (f *forwarder) serve(ctx context.Context, listener net.Listener) {
	var carrying sync.WaitGroup
	defer carrying.Wait()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() == nil {
				terminal.Print(f.streams.Err, "probity: no more connections are taken: "+err.Error())
			}
			return
		}
		carrying.Go(func() {
			if err := f.forward(ctx, conn); err != nil && ctx.Err() == nil {
				terminal.Print(f.streams.Err, "probity: "+err.Error())
			}
		})
	}
}

// forward passes one connection on to the Pod that is there now.
func (f *forwarder) forward(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	now, err := f.client.Snapshot(ctx, f.object.Namespace)
	if err != nil {
		return f.target.unasked(err)
	}
	s := &session{client: f.client, Snapshot: now}
	object, err := s.Find(f.object.String(), f.object.Kind)
	if err != nil {
		return err
	}
	pod, port, err := f.remotePort(s, object)
	if err != nil {
		return err
	}
	if err := tunnel.Forward(ctx, f.client, kube.RefTo(pod), port, conn); err != nil {
		return refused("forward to", pod, kube.AwayNode(pod, err))
	}
	return nil
}

// remotePort is the Pod that takes connections, and at which of its ports.
func (f *forwarder) remotePort(s *session, object metav1.Object) (*corev1.Pod, int32, error) {
	pod, err := s.servingPod(object)
	if err != nil {
		return nil, 0, err
	}
	wanted := f.remote
	if service, ok := object.(*corev1.Service); ok {
		if wanted, err = targetPort(service, wanted); err != nil {
			return nil, 0, err
		}
	}
	if wanted.Type == intstr.Int {
		return pod, wanted.IntVal, nil
	}
	var names []string
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, port := range c.Ports {
			if port.Name == wanted.StrVal {
				return pod, port.ContainerPort, nil
			}
			names = append(names, port.Name)
		}
	}
	return nil, 0, fmt.Errorf("%s has no port %q: there are %q", kube.RefTo(pod), wanted.StrVal, names)
}

// targetPort is the port of the Pods that a Service leads to by one of its own.
func targetPort(service *corev1.Service, wanted intstr.IntOrString) (intstr.IntOrString, error) {
	var known []string
	for _, port := range service.Spec.Ports {
		if wanted.Type == intstr.Int && port.Port == wanted.IntVal || wanted.Type == intstr.String && port.Name == wanted.StrVal {
			if port.TargetPort.IntValue() == 0 && port.TargetPort.StrVal == "" {
				return intstr.FromInt32(port.Port), nil
			}
			return port.TargetPort, nil
		}
		known = append(known, strings.TrimSpace(port.Name+" "+strconv.Itoa(int(port.Port))))
	}
	return wanted, errors.New(kube.RefTo(service).String() + " has no port " + wanted.String() + ": there are " + strings.Join(known, ", "))
}
