package proxy

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
)

// placement is where a Service port is served, and what was decided and said about it. It belongs
// to whoever holds [Proxy].placing.
type placement struct {
	mu        sync.Mutex      // held, too, by who writes listeners
	listeners []*portListener // stopAccepting reads them with mu alone
	// main is the one whose address is the port's; nil if nobody of us listens
	main *portListener
	// straight is the address where the Pod itself answers; not valid if it does not
	straight netip.AddrPort
	// unnamed is why the Service's name must not lead there; "" if it may
	unnamed string
	said    string // the last Event, so that nothing is said twice
	// reserved: it was said once that the port is left to a Pod
	reserved bool
}

// place brings a port to where it is to be served, as far as Pods are known.
func (p *Proxy) place(sp *servicePort, service *corev1.Service, declared *corev1.ServicePort) {
	own, number := addressOf(service), int(declared.Port)
	sp.giveUp(p.neededByPods(number))
	view := workload.PortView{Claim: p.claims[declared.Port], Shared: own == loopback(), Straight: p.isStraight(service, declared)}
	refused := ""
	if view.Shared {
		if by := p.portOwner(sp.key, own)(number); by != "" {
			view.Claim.Use = max(view.Claim.Use, workload.PortOneAddress)
			refused = fmt.Sprintf("port %d belongs to %s", number, by)
		}
	} else if view.Claim.Use != workload.PortFree {
		refused = fmt.Sprintf("port %d belongs to %s", number, claimText(view.Claim))
	}
	decision := workload.DecideServicePort(view)
	if decision == workload.PortOpen && !sp.isAt(netip.AddrPortFrom(own, uint16(number))) {
		listener, err := listenOn(own, number)
		if err == nil {
			p.opened(sp, listener, view)
			return
		}
		view.Bind, refused = bindResult(err), refusalText(number, err)
		decision = workload.DecideServicePort(view)
	}
	switch decision {
	case workload.PortWait:
		sp.giveUp(isAtPort(number))
		sp.straight, sp.unnamed = netip.AddrPort{}, ""
		if !sp.reserved {
			sp.reserved = true
			p.say(sp, corev1.EventTypeNormal, "PortReserved", fmt.Sprintf("Nobody serves port %d yet: it is left to %s", number, claimText(view.Claim)))
		}
	case workload.PortStraight:
		sp.giveUp(isAtPort(number))
		sp.straight, sp.unnamed = netip.AddrPortFrom(own, uint16(number)), ""
		p.say(sp, corev1.EventTypeNormal, "Listening", fmt.Sprintf("%s:%d goes straight to Pod %s at %s, Ready or not, as it listens on every address; "+
			"let it listen where PORT says, and only ready Pods get requests", service.Name, number, view.Claim.Pod.Name, sp.straight))
	case workload.PortElsewhere, workload.PortUnprivileged:
		sp.giveUp(isAtPort(number))
		p.placeElsewhere(sp, service, view, refused)
	}
}

// isAtPort returns a function that reports whether an address has a port number.
func isAtPort(number int) func(netip.AddrPort) bool {
	return func(at netip.AddrPort) bool { return int(at.Port()) == number }
}

// neededByPods returns a function that reports whether a Service port has to leave an address to a
// Pod: a substitute for its own number that the Pod may need, or the address that everybody shares.
func (p *Proxy) neededByPods(number int) func(netip.AddrPort) bool {
	return func(at netip.AddrPort) bool {
		switch use := p.claims[int32(at.Port())].Use; use {
		case workload.PortUnseen, workload.PortEverywhere:
			return int(at.Port()) != number // else it is decided below
		default:
			return use == workload.PortOneAddress && at.Addr() == loopback()
		}
	}
}

// opened makes a listener at the declared number the address of a port.
func (p *Proxy) opened(sp *servicePort, listener *portListener, view workload.PortView) {
	before := sp.main
	p.serveAt(sp, listener)
	sp.straight, sp.unnamed = netip.AddrPort{}, ""
	text := fmt.Sprintf("Serving port %d at %s", sp.key.number, listener.address())
	switch {
	case before != nil:
		text += " now; " + before.address().String() + " stays open"
	case !view.Shared:
		text += p.serveLocally(sp, view.Claim)
	}
	if view.Claim.Use == workload.PortUnused {
		p.say(sp, corev1.EventTypeWarning, "PortUnused", text+fmt.Sprintf(": %s; if its program needs the number it may fail once and gets it at the next start: "+
			"write $(PORT) into its command, args or env, and nobody waits", claimText(view.Claim)))
		return
	}
	p.say(sp, corev1.EventTypeNormal, "Listening", text)
}

// serveLocally serves a port with an address of its own at the address that everybody knows, too,
// unless somebody has it or may want it. It returns a text about it.
func (p *Proxy) serveLocally(sp *servicePort, claim workload.PortClaim) string {
	number := int(sp.main.address().Port())
	if claim.Use != workload.PortFree || p.portOwner(sp.key, loopback())(number) != "" {
		return ""
	}
	listener, err := listenOn(loopback(), number)
	if err != nil {
		return ""
	}
	main := sp.main
	p.serveAt(sp, listener)
	sp.setMain(main)
	return " and " + listener.address().String()
}

// placeElsewhere serves a port at another number, because its own cannot be had.
func (p *Proxy) placeElsewhere(sp *servicePort, service *corev1.Service, view workload.PortView, refused string) {
	own, number := addressOf(service), int(sp.key.number)
	denied := view.Bind == workload.BindDenied
	sp.straight = netip.AddrPort{}
	if sp.main == nil {
		next := number + 1
		if denied {
			next = number + unprivilegedOffset
		}
		listener, err := listenNear(own, next, p.portOwner(sp.key, own))
		if err != nil {
			p.say(sp, corev1.EventTypeWarning, "ListenFailed", err.Error())
			return
		}
		p.serveAt(sp, listener)
		if !view.Shared {
			p.serveLocally(sp, workload.PortClaim{})
		}
	}
	at := sp.main.address()
	if denied && !view.Shared {
		sp.unnamed = ""
		if len(p.cache.pods) == 0 {
			return // whose variable it is will be known soon
		}
		p.say(sp, corev1.EventTypeWarning, "PortRefused", fmt.Sprintf("%s:%d is refused, as port %[2]d is for root only; %[1]s:%[3]d works, at %[4]s: %[5]s, or "+
			"`sudo sysctl -w net.ipv4.ip_unprivileged_port_start=%[2]d`", service.Name, number, at.Port(), at, p.setVariable(service, number)))
		return
	}
	sp.unnamed = refused
	text := fmt.Sprintf("%s; port %d of this Service is at %s instead", refused, number, at)
	if !view.Shared {
		text += fmt.Sprintf(", and the name %s is left out, as it would lead to that program: let that listen where PORT says", service.Name)
	}
	p.say(sp, corev1.EventTypeWarning, "PortTaken", text)
}

// setVariable says what a Pod of the run that asks for a port of a Service by name would have to be
// told instead.
func (p *Proxy) setVariable(service *corev1.Service, number int) string {
	for _, name := range slices.SortedFunc(maps.Keys(p.cache.pods), compareNames) {
		pod := p.cache.pods[name]
		for _, c := range pod.Spec.Containers {
			for _, v := range c.Env {
				if pod.Namespace == service.Namespace && names(v.Value, service, number) {
					return fmt.Sprintf("set %s of %s", v.Name, ownerName(pod))
				}
			}
		}
	}
	return "let its clients use that"
}

// ownerName is the name of a Pod without what was drawn for it: that of its Deployment.
func ownerName(pod *corev1.Pod) string {
	if pod.GenerateName == "" {
		return pod.Name
	}
	name := strings.TrimSuffix(pod.GenerateName, "-")
	return strings.TrimSuffix(name, "-"+pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey])
}

// names reports whether a value has the host and port of a Service, the port as it is the one that
// http takes by itself.
func names(value string, service *corev1.Service, number int) bool {
	for _, host := range []string{service.Name, service.Name + "." + service.Namespace, service.Name + "." + service.Namespace + ".svc.cluster.local"} {
		if value == fmt.Sprintf("%s:%d", host, number) || strings.Contains(value, fmt.Sprintf("//%s:%d", host, number)) ||
			number == 80 && (strings.HasSuffix(value, "//"+host) || strings.Contains(value, "//"+host+"/")) {
			return true
		}
	}
	return false
}

// isStraight reports whether the Pod that has the port at every address is the only one behind it,
// and its number is the target.
func (p *Proxy) isStraight(service *corev1.Service, declared *corev1.ServicePort) bool {
	claim := p.claims[declared.Port]
	if claim.Use != workload.PortEverywhere {
		return false
	}
	for _, pod := range p.cache.podsSelectedBy(service) {
		if nameOf(pod) != claim.Pod && !workload.IsFinished(pod) {
			return false
		}
	}
	pod := p.cache.pods[claim.Pod]
	if pod == nil || !selects(service, pod) {
		return false
	}
	ports, _ := workload.EndpointPorts([]corev1.ServicePort{*declared}, pod, nil)
	return len(ports) == 1 && *ports[0].Port == declared.Port
}

// serveAt serves a port at one more listener, whose address becomes the port's.
func (p *Proxy) serveAt(sp *servicePort, listener *portListener) {
	sp.placement.mu.Lock()
	sp.listeners = append(sp.listeners, listener)
	sp.placement.mu.Unlock()
	sp.setMain(listener)
	p.running.Go(func() { sp.serve(listener) })
}

// say records an Event about a port, unless it was the last one.
func (p *Proxy) say(sp *servicePort, eventType, reason, message string) {
	if sp.said != message {
		sp.said = message
		p.record(sp.service, eventType, reason, message)
	}
}

// servedAt is where clients find the port, be it at the Pod itself; "" if nowhere.
func (sp *servicePort) servedAt() string {
	if sp.straight.IsValid() {
		return sp.straight.String()
	}
	return sp.address()
}

// setMain makes one of the listeners the port's address, or none.
func (sp *servicePort) setMain(listener *portListener) {
	sp.main = listener
	at := ""
	if listener != nil {
		at = listener.address().String()
	}
	sp.mainAddress.Store(&at)
}

// isAt reports whether that is the port's address.
func (sp *servicePort) isAt(address netip.AddrPort) bool {
	return sp.main != nil && sp.main.address() == address
}

// listensOn reports whether one of the listeners is at an address.
func (sp *servicePort) listensOn(address netip.AddrPort) bool {
	for _, l := range sp.listeners {
		if l.address() == address {
			return true
		}
	}
	return false
}

// holds reports whether one of the listeners is at one of some addresses. Any goroutine may call
// it.
func (sp *servicePort) holds(which func(netip.AddrPort) bool) bool {
	sp.placement.mu.Lock()
	defer sp.placement.mu.Unlock()
	return slices.ContainsFunc(sp.listeners, func(l *portListener) bool { return which(l.address()) })
}

// giveUp closes the listeners at some addresses, so that a program can have them. What was accepted
// goes on.
func (sp *servicePort) giveUp(which func(netip.AddrPort) bool) {
	sp.placement.mu.Lock()
	defer sp.placement.mu.Unlock()
	kept := sp.listeners[:0]
	for _, l := range sp.listeners {
		if !which(l.address()) {
			kept = append(kept, l)
			continue
		}
		if l == sp.main {
			sp.setMain(nil)
		}
		if err := l.giveUp(); err != nil {
			sp.proxy.opts.Logger.Error("Cannot close a listener", "address", l.Addr(), "err", err)
		}
	}
	clear(sp.listeners[len(kept):])
	sp.listeners = kept
	if sp.main == nil && len(kept) > 0 {
		sp.setMain(kept[0])
	}
}
