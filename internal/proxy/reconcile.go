package proxy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// reconcile brings the ports of a Service to what the cache says: those that are gone stop, new
// ones open, and all get their table.
func (p *Proxy) reconcile(name types.NamespacedName) {
	service := p.cache.services[name]
	wanted := map[portKey]*corev1.ServicePort{}
	if service != nil && hasListener(service) {
		for i := range service.Spec.Ports {
			if declared := &service.Spec.Ports[i]; isTCP(declared) {
				wanted[portKey{name, declared.Port}] = declared
			}
		}
	}
	p.closeUnwanted(service, name, wanted)
	p.warnUnserved(name, service)
	for _, key := range slices.SortedFunc(maps.Keys(wanted), func(a, b portKey) int { return int(a.number - b.number) }) {
		sp := p.ports[key]
		if sp == nil {
			sp = newServicePort(p, key, serviceReference(service))
			p.mu.Lock()
			p.ports[key] = sp
			p.mu.Unlock()
		}
		sp.publish(p.routingTableFor(sp, service, wanted[key]))
		p.place(sp, service, wanted[key])
	}
	if service != nil {
		p.annotateAddresses(service)
	}
}

// hasListener reports whether clients reach a Service by an address of its own.
func hasListener(service *corev1.Service) bool {
	return service.DeletionTimestamp == nil && service.Spec.Type != corev1.ServiceTypeExternalName && service.Spec.ClusterIP != corev1.ClusterIPNone
}

func isTCP(declared *corev1.ServicePort) bool {
	return declared.Protocol == corev1.ProtocolTCP || declared.Protocol == ""
}

// warnUnserved says, once for as long as it is so, which ports of a Service nobody answers on here
// although a cluster would serve them.
func (p *Proxy) warnUnserved(name types.NamespacedName, service *corev1.Service) {
	var unserved []string
	if service != nil && hasListener(service) {
		for i := range service.Spec.Ports {
			if declared := &service.Spec.Ports[i]; !isTCP(declared) {
				unserved = append(unserved, fmt.Sprintf("%d/%s", declared.Port, declared.Protocol))
			}
		}
	}
	said := strings.Join(unserved, ", ")
	if said == "" {
		delete(p.unserved, name)
		return
	}
	if key := string(service.UID) + " " + said; p.unserved[name] != key {
		p.unserved[name] = key
		p.record(serviceReference(service), corev1.EventTypeWarning, "UnsupportedProtocol",
			fmt.Sprintf("Services carry TCP only here, so nobody answers on %s, which a cluster would serve: let clients on this machine ask the Pod itself", said))
	}
}

// serviceReference is what an Event about a Service refers to.
func serviceReference(service *corev1.Service) corev1.ObjectReference {
	return corev1.ObjectReference{APIVersion: "v1", Kind: "Service", Namespace: service.Namespace, Name: service.Name, UID: service.UID}
}

// closeUnwanted closes the listeners of ports that the Service does not have any more, or that
// belong to an earlier Service of the same name, and lets them drain.
func (p *Proxy) closeUnwanted(service *corev1.Service, name types.NamespacedName, wanted map[portKey]*corev1.ServicePort) {
	for key, sp := range p.ports {
		if key.service != name || wanted[key] != nil && sp.service.UID == service.UID {
			continue
		}
		sp.stopAccepting()
		p.mu.Lock()
		delete(p.ports, key)
		p.mu.Unlock()
		p.running.Go(func() { sp.drain(p.opts.DrainTimeout) })
	}
}

// routingTableFor makes the next table of a port.
func (p *Proxy) routingTableFor(sp *servicePort, service *corev1.Service, declared *corev1.ServicePort) *routingTable {
	before := sp.table.Load()
	t := &routingTable{protocol: protocolOf(declared, p.cache.podsSelectedBy(service)), hold: holdOf(service), affinityTimeout: affinityTimeoutOf(service)}
	if t.protocol == protocolTCP && before.protocol == protocolHTTP && declared.AppProtocol == nil {
		// the probe of a Pod has shown that it is HTTP, which stays true without Pods
		t.protocol = protocolHTTP
	}
	ready, terminating := endpointsOf(p.cache.slicesOf(sp.key.service), declared.Name)
	for _, id := range ready {
		t.ready = append(t.ready, p.endpointFor(before, id))
	}
	for _, id := range terminating {
		t.terminating = append(t.terminating, p.endpointFor(before, id))
	}
	return t
}

// endpointFor finds an endpoint in the table before, or makes it.
func (p *Proxy) endpointFor(before *routingTable, id endpointID) *endpoint {
	for _, list := range [][]*endpoint{before.ready, before.terminating} {
		for _, e := range list {
			if e.endpointID == id {
				return e
			}
		}
	}
	if id.uid == "" {
		alone := &pod{}
		alone.name.Store(&id.name)
		alone.instance.Store(newInstance(alone, p.reportLoss))
		return &endpoint{endpointID: id, pod: alone}
	}
	return &endpoint{endpointID: id, pod: p.pods.get(id.uid, &id.name), redirect: p.opts.Redirect}
}

// holdOf reads the annotation probity.run/hold. A manifest with a bad value was refused; a Service
// that came into the store in another way and has one holds nothing.
func holdOf(service *corev1.Service) time.Duration {
	hold, err := time.ParseDuration(service.Annotations[manifest.AnnotationHold])
	if err != nil {
		return 0
	}
	return max(0, hold)
}

// affinityTimeoutOf is how long a client's requests go to the same endpoint: 10800 s by default
// (R202).
func affinityTimeoutOf(service *corev1.Service) time.Duration {
	if service.Spec.SessionAffinity != corev1.ServiceAffinityClientIP {
		return 0
	}
	seconds := corev1.DefaultClientIPServiceAffinitySeconds
	if c := service.Spec.SessionAffinityConfig; c != nil && c.ClientIP != nil && c.ClientIP.TimeoutSeconds != nil {
		seconds = *c.ClientIP.TimeoutSeconds
	}
	return time.Duration(seconds) * time.Second
}

// annotateAddresses writes into the annotations of a Service where its ports are served, and
// whether its names may lead there.
func (p *Proxy) annotateAddresses(service *corev1.Service) {
	want := map[string]string{}
	if reason := p.headlessUnnamed(service); reason != "" {
		want[manifest.AnnotationUnnamed] = reason
	}
	for key, sp := range p.ports {
		if key.service != nameOf(service) {
			continue
		}
		if at := sp.servedAt(); at != "" {
			want[manifest.AnnotationAddress+strconv.Itoa(int(key.number))] = at
		}
		if sp.unnamed != "" {
			want[manifest.AnnotationUnnamed] = max(sp.unnamed, want[manifest.AnnotationUnnamed])
		}
	}
	have := maps.Clone(service.Annotations)
	maps.DeleteFunc(have, func(key, _ string) bool { return !isPlacement(key) })
	if maps.Equal(have, want) {
		return
	}
	_, err := store.Modify(p.opts.Store, service.Namespace, service.Name, func(s *corev1.Service) error {
		maps.DeleteFunc(s.Annotations, func(key, _ string) bool { return isPlacement(key) && want[key] == "" })
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		maps.Copy(s.Annotations, want)
		return nil
	})
	if err != nil && !apierrors.IsNotFound(err) {
		p.opts.Logger.Error(fmt.Sprintf("Cannot note the addresses of Service %s/%s", service.Namespace, service.Name), "err", err)
	}
}

// isPlacement reports whether the proxy writes an annotation of Services.
func isPlacement(key string) bool {
	return strings.HasPrefix(key, manifest.AnnotationAddress) || key == manifest.AnnotationUnnamed
}
