package dependency

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/names"
	"github.com/probity-run/probity/internal/process"
)

// runningProcess is a process of a watched Pod.
type runningProcess struct {
	pod     string
	process process.Process
}

// Start implements [process.Starter].
func (w *Watcher) Start(spec process.Spec) (process.Process, error) {
	pod, container := w.whose(spec.Container)
	if pod == nil || w.opts.Watch == nil || !w.opts.Watch(pod.Namespace, pod.Name, container) {
		return w.host.Starter.Start(spec)
	}
	blind := w.CannotWatch() != nil
	spec.Env = w.readVariables(pod, spec.Env, blind)
	if !blind {
		spec.Connects = func(c process.Connect) process.Route { return w.route(pod, c) }
	}
	p, err := w.host.Starter.Start(spec)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running = append(w.livingLocked(), runningProcess{pod.Namespace + "/" + pod.Name, p})
	return p, nil
}

// livingLocked are the processes that run.
func (w *Watcher) livingLocked() []runningProcess {
	return slices.DeleteFunc(w.running, func(r runningProcess) bool {
		select {
		case <-r.process.Done():
			return true
		default:
			return false
		}
	})
}

// whose is the Pod of a process, and its container, by [process.Spec.Container]: the node names
// programs by namespace, Pod and container, and what runs beside them by the Pod's UID.
func (w *Watcher) whose(owner string) (pod *corev1.Pod, container string) {
	switch words := strings.Split(owner, "/"); len(words) {
	case 2:
		return w.host.Pod("", "", types.UID(words[0])), ""
	case 3:
		return w.host.Pod(words[0], words[1], ""), words[2]
	}
	return nil, ""
}

// lookupTime is how long the addresses of a host name are looked for.
const lookupTime = 2 * time.Second

// readVariables learns the names of dependencies from an environment. If rewrite is set, the
// variables that it returns lead to relays.
func (w *Watcher) readVariables(pod *corev1.Pod, env []string, rewrite bool) []string {
	changed := slices.Clone(env)
	for name, variable := range w.opts.Variables {
		for i, entry := range env {
			key, value, _ := strings.Cut(entry, "=")
			if key != variable {
				continue
			}
			found := false
			replaced, _ := names.ReplaceHosts(value, func(host string, port int) (string, int, bool) {
				addresses := w.addressesOf(pod, host, port)
				if len(addresses) == 0 {
					return "", 0, false
				}
				found = true
				to, ok := w.declare(name, pod, addresses, rewrite)
				return to.Addr().String(), int(to.Port()), ok
			})
			if !found {
				w.host.Notice(fmt.Sprintf("probity: dependency %s: %s of Pod %s/%s names no host and port that can be found", name, variable, pod.Namespace, pod.Name))
			}
			changed[i] = key + "=" + replaced
		}
	}
	return changed
}

// declare gives addresses a name. With rewrite it returns the relay to the first one that can have
// one.
func (w *Watcher) declare(name string, pod *corev1.Pod, addresses []netip.AddrPort, rewrite bool) (to netip.AddrPort, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range addresses {
		if w.carrierOfRelayLocked(a) != nil {
			return a, rewrite // it was rewritten before
		}
		w.declared[a] = name
	}
	if !rewrite || w.closed {
		return netip.AddrPort{}, false
	}
	for _, a := range addresses {
		d := destination{"tcp", a}
		c := w.carriers[d]
		if c == nil {
			c = w.carrierLocked(d, w.groupLocked(name, "variable "+name))
		}
		c.group.users[pod.Namespace+"/"+pod.Name] = true
		if c.relay != nil {
			return c.relay.Address(), true
		}
	}
	return netip.AddrPort{}, false
}

// addressesOf are the addresses of a host as a Pod means it, those of IPv4 first.
func (w *Watcher) addressesOf(pod *corev1.Pod, host string, port int) []netip.AddrPort {
	var found []netip.AddrPort
	if s, ok := names.Find(w.host.Services(), pod.Namespace, host); ok {
		host = s.Spec.ClusterIP
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return append(found, netip.AddrPortFrom(a.Unmap(), uint16(port)))
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookupTime)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil // a notice says so
	}
	for _, a := range all {
		found = append(found, netip.AddrPortFrom(a.Unmap(), uint16(port)))
	}
	slices.SortStableFunc(found, func(a, b netip.AddrPort) int { return a.Addr().BitLen() - b.Addr().BitLen() })
	return found
}
