package proxy

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/workload"
)

// podPortKey identifies a port that a Pod declares.
type podPortKey struct {
	pod    types.UID
	number int32
}

// podPort makes a Pod of a headless Service reachable where a cluster would have it: at its own
// address and declared port, while its program listens at the private one, or at 127.0.0.1. It
// carries bytes only, whether the Pod is Ready or not, as nobody stands there on a cluster.
type podPort struct {
	proxy    *Proxy
	pod      types.UID
	target   netip.AddrPort // the Pod's address and the port where its program listens
	listener *portListener
	about    corev1.ObjectReference // the Pod
	slots    *portSlots             // of the ports of all Pods
	ctx      context.Context        // of everything in flight
	stop     context.CancelFunc
	serving  sync.WaitGroup
}

// placePods brings the ports of headless Services' Pods to what the cache says.
func (p *Proxy) placePods() {
	wanted := map[podPortKey]netip.AddrPort{}
	addresses := map[podPortKey]netip.Addr{}
	pods := map[types.UID]*corev1.Pod{}
	for _, service := range p.cache.services {
		if service.Spec.ClusterIP != corev1.ClusterIPNone || service.DeletionTimestamp != nil {
			continue
		}
		for _, pod := range p.cache.podsSelectedBy(service) {
			own, err := netip.ParseAddr(pod.Status.PodIP)
			if err != nil || own == loopback() || workload.IsFinished(pod) {
				continue
			}
			for number, port := range listensElsewhere(pod) {
				if p.claims[number].Use <= workload.PortOneAddress {
					key := podPortKey{pod.UID, number}
					pods[pod.UID] = pod
					wanted[key], addresses[key] = netip.AddrPortFrom(own, port), own
				}
			}
		}
	}
	p.closePodPorts(func(key podPortKey) bool { return p.podPorts[key].target != wanted[key] })
	for key, target := range wanted {
		if p.podPorts[key] != nil {
			continue
		}
		listener, err := listenOn(addresses[key], int(key.number))
		if err != nil {
			// the program has it itself, or it is for root only: as for a cluster's Pod that
			// refuses
			p.opts.Logger.Debug("Cannot listen for a Pod", "address", addresses[key], "port", key.number, "err", err)
			continue
		}
		if p.podSlots == nil {
			p.podSlots = p.slots.open()
		}
		port := newPodPort(p, pods[key.pod], target, listener)
		p.mu.Lock()
		p.podPorts[key] = port
		p.mu.Unlock()
	}
}

// closePodPorts ends some ports of Pods, and waits for what is in flight there, which it cuts.
func (p *Proxy) closePodPorts(which func(podPortKey) bool) {
	for key, port := range p.podPorts {
		if which(key) {
			port.close()
			p.mu.Lock()
			delete(p.podPorts, key)
			p.mu.Unlock()
		}
	}
	if len(p.podPorts) == 0 && p.podSlots != nil {
		p.podSlots.close()
		p.podSlots = nil
	}
}

// listensElsewhere are the declared ports of a Pod whose program was seen somewhere else than at
// the Pod's own address, and the number at which it listens.
func listensElsewhere(pod *corev1.Pod) map[int32]uint16 {
	ports := map[int32]uint16{}
	shown := strings.Split(pod.Annotations[manifest.AnnotationListening], ",")
	for name, pairs := range pod.Annotations {
		if !strings.HasPrefix(name, manifest.AnnotationPrivatePorts) {
			continue
		}
		for pair := range strings.SplitSeq(pairs, ",") {
			declared, private, _ := strings.Cut(pair, ":")
			number, err := strconv.ParseUint(declared, 10, 16)
			port, err2 := strconv.ParseUint(private, 10, 16)
			if err == nil && err2 == nil && slices.Contains(shown, declared) {
				ports[int32(number)] = uint16(port)
			}
		}
	}
	for number, to := range workload.BoundPorts(pod) {
		if to.IsLoopback() && to.String() != pod.Status.PodIP {
			ports[number] = uint16(number)
		}
	}
	return ports
}

// headlessUnnamed says why the names of a headless Service must be left out: a program outside of
// its Pods has a port of them at every address. "" if they may stay.
func (p *Proxy) headlessUnnamed(service *corev1.Service) string {
	if service.Spec.ClusterIP != corev1.ClusterIPNone {
		return ""
	}
	reason := ""
	for _, pod := range p.cache.podsSelectedBy(service) {
		for _, c := range pod.Spec.Containers {
			for _, port := range c.Ports {
				if claim := p.claims[port.ContainerPort]; claim.Use == workload.PortEverywhere && claim.Pod != nameOf(pod) {
					reason = max(reason, fmt.Sprintf("port %d belongs to %s", port.ContainerPort, claimText(claim)))
				}
			}
		}
	}
	return reason
}

func newPodPort(p *Proxy, pod *corev1.Pod, target netip.AddrPort, listener *portListener) *podPort {
	about := corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}
	port := &podPort{proxy: p, pod: pod.UID, target: target, listener: listener, about: about, slots: p.podSlots}
	port.ctx, port.stop = context.WithCancel(context.Background())
	port.serving.Go(port.serve)
	return port
}

// close ends the port and everything in flight.
func (p *podPort) close() {
	if err := p.listener.giveUp(); err != nil {
		p.proxy.opts.Logger.Error("Cannot close a listener", "address", p.listener.Addr(), "err", err)
	}
	p.stop()
	p.serving.Wait()
}

// serve accepts clients until the listener is closed.
func (p *podPort) serve() {
	for {
		client, err := p.listener.AcceptTCP()
		if err != nil {
			if !p.listener.givenUp.Load() {
				p.proxy.opts.Logger.Error("Cannot accept clients of a Pod any more", "address", p.listener.Addr(), "err", err)
			}
			return
		}
		// further clients wait in the kernel's queue meanwhile
		if !p.slots.acquire(p.ctx.Done(), p.reportFull) {
			reset(client)
			return
		}
		p.serving.Go(func() {
			defer p.slots.release()
			p.forward(client)
		})
	}
}

// reportFull records, now and then, that further clients of Pods have to wait.
func (p *podPort) reportFull() {
	if isTimeToSay(&p.proxy.podsFullSaid) {
		p.proxy.record(p.about, corev1.EventTypeWarning, "TooManyClients", fmt.Sprintf("the Pods of headless Services have %d clients at a time, which is their share; %s",
			p.slots.inUse(), fullAdvice))
	}
}

// forward carries the bytes of a client. If the Pod does not listen, it is refused.
func (p *podPort) forward(client *net.TCPConn) {
	defer client.Close()
	upstream, err := p.dial()
	if err != nil {
		reset(client)
		return
	}
	defer upstream.Close()
	relay{p.ctx, p.proxy, func() {}}.run(client, upstream) // nobody counts what a Pod cuts here
}

func (p *podPort) dial() (*net.TCPConn, error) {
	at := p.target
	if check := p.proxy.opts.CheckListener; check != nil {
		ctx, cancel := context.WithTimeout(p.ctx, maxCheckTime)
		defer cancel()
		var err error
		if at, err = check(ctx, p.pod, p.target); err != nil {
			return nil, err
		}
	}
	address := at.String()
	if redirect := p.proxy.opts.Redirect; redirect != nil {
		address = redirect(p.pod, address)
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(p.ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}
