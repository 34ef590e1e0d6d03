package node

import (
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
)

// The look-out for where a program listens, which a probe may not find out: first often, then every
// portWatchPeriod, and portWatchTries times in all.
const (
	firstPortWatch  = 50 * time.Millisecond
	portWatchPeriod = time.Second
	portWatchTries  = 60
)

// portIgnored posts that a declared port is the Pod's port after all: its program listens there and
// not on the private one.
func (r *runner) portIgnored(declared int32) {
	r.post(func() {
		private := r.ports.of(declared)
		if private == int(declared) {
			return // somebody else noticed first
		}
		r.ports.private[declared] = int(declared)
		delete(r.listening, declared)
		r.record("", corev1.EventTypeNormal, "PortIgnored", fmt.Sprintf("The program listens on containerPort %d although PORT told it %d, so %d is the "+
			"Pod's port; a second replica of it cannot run on this machine", declared, private, declared))
		r.writeStatus(time.Now())
	})
}

// noteListening notes that the program of a declared port listens on the private one, so that the
// declared number is free for a Service.
func (r *runner) noteListening(declared int32, port int) {
	if declared != 0 && int(declared) != port && !r.listening[declared] {
		r.listening[declared], r.statusDirty = true, true
	}
}

// watchPorts looks out for where the Pod's programs listen, until every port of the Pod is open.
func (r *runner) watchPorts(inst *instance) {
	pending := maps.Clone(r.ports.private)
	maps.DeleteFunc(pending, func(declared int32, private int) bool { return int(declared) == private })
	if len(pending) == 0 {
		return
	}
	tree := treeOf(r.processes())
	r.running.Go(func() {
		wait := firstPortWatch
		for range portWatchTries {
			if len(pending) == 0 || interrupted(r.ctx.Done(), inst.process.Done(), wait) {
				return
			}
			wait = min(2*wait, portWatchPeriod)
			maps.DeleteFunc(pending, func(declared int32, private int) bool { return r.settled(declared, private, tree) })
		}
	})
}

// settled says whether a port is open, private or declared.
func (r *runner) settled(declared int32, private int, tree func() ([]int, error)) bool {
	if r.owns(tree, private) {
		r.post(func() {
			if r.noteListening(declared, private); r.statusDirty {
				r.writeStatus(time.Now())
			}
		})
		return true
	}
	if !r.owns(tree, int(declared)) {
		return false
	}
	r.portIgnored(declared)
	return true
}

func (r *runner) owns(tree func() ([]int, error), port int) bool {
	owner, err := r.identity.Owns(tree, port)
	return err == nil && owner.Owner == process.Own
}

// interrupted sleeps and says whether it was cut short.
func interrupted(pod, process <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-pod:
	case <-process:
	}
	return true
}

// explainExit says in one sentence why a program that ignores PORT cannot run a second time on this
// machine.
func (r *runner) explainExit(c *corev1.Container, exit process.Exit) {
	if exit.Code == 0 || exit.Signal != 0 {
		return
	}
	tree := treeOf(r.processes())
	for _, p := range c.Ports {
		owner, err := r.identity.Owns(tree, int(p.ContainerPort))
		if err != nil || owner.Owner != process.Stranger {
			continue
		}
		r.record(r.fieldPath(c.Name), corev1.EventTypeWarning, "PortInUse", fmt.Sprintf("Container %s exited with code %d while %s holds port %d: if it "+
			"listens there whatever PORT says, let it read PORT, or run one replica", c.Name, exit.Code, describe(owner), p.ContainerPort))
		return
	}
}

// treeOf lists the process ids of some processes and their descendants.
func treeOf(processes []process.Process) func() ([]int, error) {
	return func() ([]int, error) {
		var pids []int
		for _, p := range processes {
			some, err := process.Tree(p)
			if err != nil {
				return nil, err
			}
			pids = append(pids, some...)
		}
		return pids, nil
	}
}
