package simulate

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/probity-run/probity/internal/simulate/script"
)

// route is where requests to a Service go.
type route struct {
	name     string
	selector labels.Selector // nil selects all Pods: there is no Service
	space    string
	publish  bool
	delay    random
	delays   script.Distribution

	selected map[*pod]bool // whether the selector selects a Pod, as far as it was asked

	listed    Endpoints // in the EndpointSlices
	targets   []*pod    // where requests go, a delay later
	since     time.Duration
	failing   float64 // the share of requests that fail now
	empty     bool    // nobody to send to
	hadTarget bool

	// unavailable is how long there was nobody to send to, after the first time that there was
	// somebody; lost counts requests at 1 a second that met a Pod which could not answer.
	unavailable time.Duration
	lost        float64
	longest     time.Duration // of the gaps
	gap         time.Duration
}

func serviceRoute(s *corev1.Service, sc *script.Script, seed uint64) *route {
	return &route{
		name: s.Name, space: s.Namespace, selector: labels.SelectorFromSet(s.Spec.Selector), publish: s.Spec.PublishNotReadyAddresses,
		delay: newRandom(seed, "endpoints", s.Name), delays: sc.EndpointDelay, empty: true, selected: map[*pod]bool{},
	}
}

// selects reports whether the route is for a Pod, or for Pods of such a template.
func (r *route) selects(p *corev1.Pod) bool {
	return r.selector == nil || p.Namespace == r.space && r.selector.Matches(labels.Set(p.Labels))
}

// isFor is selects for a Pod that there is; the labels of one do not change.
func (r *route) isFor(p *pod) bool {
	is, known := r.selected[p]
	if !known {
		is = r.selects(p.object)
		r.selected[p] = is
	}
	return is
}

// update notes the endpoints of a Service, and what answers behind them.
func (r *route) update(c *cluster) {
	listed, targets := r.endpoints(c)
	c.endpointsChanged(r)
	if !sameEndpoints(listed, r.listed) {
		r.listed = listed
		c.note(EntryEndpoints, listed.String(), func(e *Entry) { e.Endpoints = &listed })
		if r.delays.IsZero() {
			r.sendTo(c, targets)
		} else {
			c.schedule(c.now+r.delay.draw(r.delays), func() { r.sendTo(c, targets) })
		}
		return
	}
	r.sendTo(c, r.targets)
}

// endpoints are what the EndpointSlices list, and those of them that new connections go to
// (R193–R200).
func (r *route) endpoints(c *cluster) (listed Endpoints, targets []*pod) {
	listed = Endpoints{Service: r.name, Ready: make([]string, 0, len(r.listed.Ready)+1)}
	var ready, draining []*pod
	for _, p := range c.pods {
		if !r.isFor(p) {
			continue
		}
		switch p.endpointIn(r) {
		case endpointReady:
			listed.Ready, ready = append(listed.Ready, p.object.Name), append(ready, p)
		case endpointDraining:
			listed.Draining, draining = append(listed.Draining, p.object.Name), append(draining, p)
		case endpointNotReady:
			listed.NotReady = append(listed.NotReady, p.object.Name)
		}
	}
	if len(ready) == 0 {
		return listed, draining
	}
	return listed, ready
}

// sendTo sends requests to these Pods from now on.
func (r *route) sendTo(c *cluster, pods []*pod) {
	r.accrue(c.now)
	c.askPods()
	r.targets = pods
	r.empty = len(pods) == 0
	r.hadTarget = r.hadTarget || !r.empty
	bad := 0
	for _, p := range pods {
		if p.fails {
			bad++
		}
	}
	r.failing = 0
	if !r.empty {
		r.failing = float64(bad) / float64(len(pods))
	}
}

// accrue adds up what happened since the last change.
func (r *route) accrue(now time.Duration) {
	spent := now - r.since
	r.since = now
	r.lost += spent.Seconds() * r.failing
	if !r.empty || !r.hadTarget {
		r.gap = 0
		return
	}
	r.unavailable += spent
	r.gap += spent
	r.longest = max(r.longest, r.gap)
}

// failing reports whether requests to the Pod fail now: it is gone, or what serves them does not
// answer. Whoever changes that says so by answersChange.
func (p *pod) failing() bool {
	return p.gone || p.scripted != nil && p.scripted.failing(serving(&p.object.Spec), p.cluster.now)
}

// answersChange notes that what answers in the Pod has changed.
func (p *pod) answersChange() {
	p.cluster.answering = append(p.cluster.answering, p)
}

// askPods finds out what those Pods answer of which it may have changed: of a thousand, one in
// general.
func (c *cluster) askPods() {
	for _, p := range c.answering {
		p.fails = p.failing()
	}
	c.answering = c.answering[:0]
}

// serving is the container that answers requests: the first with ports, else the first.
func serving(spec *corev1.PodSpec) string {
	i := slices.IndexFunc(spec.Containers, func(c corev1.Container) bool { return len(c.Ports) > 0 })
	return spec.Containers[max(i, 0)].Name
}

func sameEndpoints(a, b Endpoints) bool {
	return slices.Equal(a.Ready, b.Ready) && slices.Equal(a.Draining, b.Draining) && slices.Equal(a.NotReady, b.NotReady)
}

// String gives "endpoints of web: ready web-1 web-2; not ready web-3".
func (e Endpoints) String() string {
	text := "endpoints of " + e.Service + ": "
	if e.Service == "" {
		text = "pods: "
	}
	if len(e.Ready) > 0 {
		text += "ready " + strings.Join(e.Ready, " ")
	} else {
		text += "nobody ready"
	}
	if len(e.Draining) > 0 {
		text += "; draining " + strings.Join(e.Draining, " ")
	}
	if len(e.NotReady) > 0 {
		text += "; not ready " + strings.Join(e.NotReady, " ")
	}
	return text
}
