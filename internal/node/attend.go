package node

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

// Restart restarts a container of a Pod, or all of them if it has no name, as somebody asked for it
// ([lifecycle.RestartAsked]). It does not wait for it.
func (n *Node) Restart(pod types.UID, container string) error {
	r := n.runner(pod)
	if r == nil {
		return errNotRunning
	}
	r.loop.post(func() { r.on(lifecycle.RestartAsked{Container: container}) })
	return nil
}

// Signal sends a signal to the process of a container that runs. It does not wait for what comes of
// it; that of a process which ended meanwhile is lost.
func (n *Node) Signal(pod types.UID, container string, sig syscall.Signal) error {
	r := n.runner(pod)
	if r == nil {
		return errNotRunning
	}
	sent := make(chan error, 1)
	r.loop.post(func() {
		inst := r.running[container]
		if inst == nil {
			sent <- fmt.Errorf("container %s does not run", container)
			return
		}
		sent <- inst.process.Signal(sig)
	})
	select {
	case err := <-sent:
		return err
	case <-r.gone:
		return errNotRunning
	}
}

func (n *Node) runner(pod types.UID) *runner {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.runners[pod]
}

// ask has the goroutine of a Pod answer a question. The error is the answer's, or [errNotRunning]
// if the Pod is gone.
func ask[T any](r *runner, question func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	r.loop.post(func() {
		value, err := question()
		answers <- answer{value, err}
	})
	select {
	case a := <-answers:
		return a.value, a.err
	case <-r.gone:
	}
	select {
	case a := <-answers: // it came just before the end
		return a.value, a.err
	default:
		var none T
		return none, errNotRunning
	}
}

// Listeners are the addresses at which the processes of a Pod's containers listen, by container. Of
// a container that does not run there are none.
func (n *Node) Listeners(ctx context.Context, pod types.UID) (map[string][]netip.AddrPort, error) {
	r := n.runner(pod)
	if r == nil {
		return nil, errNotRunning
	}
	processes := make(chan map[string]process.Process, 1)
	r.loop.post(func() {
		all := map[string]process.Process{}
		for name, inst := range r.running {
			all[name] = inst.process
		}
		processes <- all
	})
	select {
	case all := <-processes:
		return n.listenersOf(all)
	case <-r.gone:
		return nil, errNotRunning
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (n *Node) listenersOf(processes map[string]process.Process) (map[string][]netip.AddrPort, error) {
	found := map[string][]netip.AddrPort{}
	for name, p := range processes {
		pids, err := n.machine.tree(p)
		if err != nil {
			return nil, err
		}
		listeners, err := n.machine.inspector.listeners(pids)
		if err != nil {
			return nil, err
		}
		found[name] = []netip.AddrPort{}
		for _, l := range listeners {
			found[name] = append(found[name], netip.AddrPortFrom(l.Addr, uint16(l.Port)))
		}
	}
	return found, nil
}

// OpenLog opens what an instance of a container printed, at its beginning; instance counts those
// before it. Whoever reads it closes it.
func (n *Node) OpenLog(pod *corev1.Pod, container string, instance int) *process.LogReader {
	return process.OpenLogReader(filepath.Join(podDir(n.opts.Dir, pod), container), instance)
}
