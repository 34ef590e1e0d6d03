package node

import (
	"errors"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

const (
	// inspectionDelay is how long a container without a readiness or startup probe is left alone:
	// nothing tells when it has opened its ports and set its signal handlers.
	inspectionDelay = 10 * time.Second
	// inspectedFailures is how many failures of a probe in a row make its port suspicious.
	inspectedFailures = 3
)

// inspection looks at the processes of a Pod's containers for what works here and would not work on
// a cluster, and for why a probe finds nobody. It says so in an Event, once per workload.
type inspection struct {
	loop       *loop
	pod        *corev1.Pod
	machine    processInspector
	owners     portOwners
	holders    holders
	allocation *allocation
	object     *podObject
	advice     *advice
	log        *slog.Logger
	failures   map[probeKey]int // in a row, over all instances
}

// processInspector is what the inspection asks of this machine.
type processInspector struct {
	listeners     func(pids []int) ([]process.Listener, error)
	defaultAction func(pid int, sig syscall.Signal) (bool, error)
	command       func(pid int) string
}

// ready inspects an instance that became ready, once. It runs on the loop's goroutine.
func (i *inspection) ready(c *corev1.Container, inst *instance) {
	if inst.inspected {
		return
	}
	inst.inspected = true
	delay := inspectionDelay
	if c.ReadinessProbe != nil || c.StartupProbe != nil {
		delay = 0
	}
	i.loop.start(func() {
		if delay > 0 && interrupted(i.loop.ctx.Done(), inst.process.Done(), delay) {
			return
		}
		found, err := i.look(c, inst)
		if err != nil {
			i.complain(c, err)
			return
		}
		i.loop.post(func() { i.judge(c, found) })
	})
}

// findings are what the processes of an instance do.
type findings struct {
	listeners []process.Listener
	main      string   // the command of the main process, if its stop signal has the default action
	others    []string // the commands of the rest of its tree, then
}

func (i *inspection) look(c *corev1.Container, inst *instance) (findings, error) {
	tree, err := i.owners.tree(inst.process)
	if err != nil {
		return findings{}, err
	}
	var found findings
	if found.listeners, err = i.machine.listeners(tree); err != nil {
		return findings{}, err
	}
	if len(tree) == 0 || !firstOfNamespace(&i.pod.Spec) {
		return found, nil
	}
	byDefault, err := i.machine.defaultAction(tree[0], signalNumber(stopSignal(c)))
	if errors.Is(err, os.ErrNotExist) { // it has ended
		return found, nil
	}
	if err != nil || !byDefault {
		return found, err
	}
	found.main = i.machine.command(tree[0])
	for _, pid := range tree[1:] {
		if name := i.machine.command(pid); name != "" && !slices.Contains(found.others, name) {
			found.others = append(found.others, name)
		}
	}
	return found, nil
}

// judge says what a person has to learn of the findings. It runs on the loop's goroutine.
func (i *inspection) judge(c *corev1.Container, found findings) {
	for _, port := range i.allocation.ports.reachable(c) {
		if text := loopbackOnly(c, port, podAddress(i.pod), found.listeners); text != "" {
			i.say(c, "LoopbackOnly", strconv.Itoa(port.declared), text)
		}
	}
	if text := stopSignalIgnored(&i.pod.Spec, c, found.main, found.others); text != "" {
		i.say(c, "StopSignalIgnored", "", text)
	}
}

// attempted counts the failures of a probe over the network, and looks for the reason when there
// are many. It runs on the loop's goroutine.
func (i *inspection) attempted(a *attempt, outcome probe.Outcome, running instances) {
	key := a.key()
	if outcome != probe.Failure {
		delete(i.failures, key)
		return
	}
	i.failures[key]++
	host, port, ok := address(a.Probe)
	if !ok || host != "" || !suspicious(i.failures[key]) {
		return
	}
	c := containerNamed(&i.pod.Spec, a.Container)
	to, err := i.allocation.ports.resolve(c, "", port)
	if err != nil {
		return // the probe's own error says so
	}
	if err := i.lookForPort(c, a.Type, to, running.processes()); err != nil {
		i.complain(c, err)
	}
}

// suspicious reports whether to look once more after so many failures: ever more seldom, since most
// failures have other reasons.
func suspicious(failures int) bool {
	times := failures / inspectedFailures
	return failures%inspectedFailures == 0 && times&(times-1) == 0
}

// lookForPort finds out who listens instead where a probe finds nobody. It asks at once, as an
// attempt itself does: the failure may be what ends the processes.
func (i *inspection) lookForPort(c *corev1.Container, t lifecycle.ProbeType, to target, processes []process.Process) error {
	owns := i.owners.among(processes)
	private, err := owns(to.port)
	if err != nil {
		return err
	}
	if to.declared != 0 && private.Owner != process.Own { // else the program has what it needs
		owner, err := owns(int(to.declared))
		if err != nil {
			return err
		}
		if owner.Owner == process.Stranger {
			i.say(c, "PortInUse", "", portTaken(i.pod, c, to.declared, i.holders.describe(owner)))
			return nil
		}
	}
	pids, err := i.owners.treeOf(processes)()
	if err != nil {
		return err
	}
	listeners, err := i.machine.listeners(pids)
	if err != nil {
		return err
	}
	if text := loopbackOnly(c, to.asked(), podAddress(i.pod), listeners); text != "" {
		i.say(c, "LoopbackOnly", strconv.Itoa(to.asked().declared), text)
	}
	if text := portMismatch(c, t, to, listeners, i.allocation.ports); text != "" {
		i.say(c, "PortMismatch", string(t), text)
	}
	return nil
}

// say records a Warning, unless it was said about another Pod of the workload.
func (i *inspection) say(c *corev1.Container, reason, about, message string) {
	if i.advice.first(adviceKey{workloadOf(i.pod), c.Name, reason, about}) {
		i.object.explain(fieldPath(&i.pod.Spec, c.Name), corev1.EventTypeWarning, reason, message)
	}
}

// complain is about a shortage of this process, or of this system: the inspection is left out.
func (i *inspection) complain(c *corev1.Container, err error) {
	if !errors.Is(err, errors.ErrUnsupported) {
		i.log.Warn("Cannot inspect the container's processes", "container", c.Name, "error", err)
	}
}
