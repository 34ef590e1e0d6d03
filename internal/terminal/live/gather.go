package live

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/terminal/screen"
)

const revisionAnnotation = "deployment.kubernetes.io/revision"

func itoa(n int) string { return strconv.Itoa(n) }

// gather makes the state of the screen of what is known.
func (h *hub) gather(now time.Time) *screen.State {
	var traffic proxy.State
	if h.run.Traffic != nil {
		traffic = h.run.Traffic()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count(traffic, now)
	h.watchEnd(now)
	h.serving = map[string]int{}
	for _, pod := range h.pods {
		if serves(pod) {
			h.serving[h.workloadID(pod)]++
		}
	}
	s := &screen.State{Title: clean(h.run.Title), Now: now, Started: h.started, Notices: h.allNotices()}
	s.Pods = make([]screen.Pod, 0, len(h.pods))
	ready := map[string]int{}
	for _, pod := range h.pods {
		p := h.row(pod, now)
		s.Pods = append(s.Pods, p)
		if p.Diagnosis.State == diagnosis.Ready {
			ready[p.Workload]++
		}
	}
	slices.SortFunc(s.Pods, func(a, b screen.Pod) int { return cmp.Compare(a.ID, b.ID) })
	s.Workloads = h.workloads(ready, s.Pods)
	s.Services = h.allServices(traffic)
	s.Events = h.allEvents()
	if h.stopping {
		s.Stopping = h.stoppingState()
	}
	return s
}

// serves reports whether a Pod gets the requests of its Services.
func serves(pod *corev1.Pod) bool {
	ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	stopping := slices.ContainsFunc(lifecycle.Containers(&pod.Spec), func(c *corev1.Container) bool { return pod.Annotations[node.AnnotationStopping+c.Name] != "" })
	return ready && !stopping && pod.DeletionTimestamp == nil && !manifest.OutOfRotation(pod)
}

// row is the row of a Pod.
func (h *hub) row(pod *corev1.Pod, now time.Time) screen.Pod {
	facts := h.facts(pod, now)
	past := h.past[pod.UID]
	p := screen.Pod{
		ID: string(pod.UID), Name: clean(pod.Name), Workload: h.workloadID(pod), Diagnosis: diagnosis.Of(facts),
		Since: pod.CreationTimestamp.Time, Version: past.version,
	}
	if p.Diagnosis.Attention {
		past.attended = now
	}
	p.Attended = past.attended
	for s := range lifecycle.Statuses(pod) {
		p.Restarts += int(s.RestartCount)
	}
	var newest *diagnosis.Probe
	startupOver := true
	for i := range facts.Probes {
		probe := &facts.Probes[i]
		if probe.Type == lifecycle.Startup && !probe.Over {
			startupOver = false
		}
		if !probe.Over && !probe.At.IsZero() && (newest == nil || probe.At.After(newest.At)) {
			newest = probe
		}
	}
	if newest != nil {
		p.Took = tookText(newest)
	}
	p.Readiness, p.Liveness = past.restarts, past.restarts
	for k, probe := range past.probes {
		switch t := lifecycle.ProbeType(k.Type); {
		case t == lifecycle.Liveness:
			p.Liveness.Merge(&probe.strip)
		case t == lifecycle.Readiness, !startupOver:
			p.Readiness.Merge(&probe.strip)
		}
	}
	if past.placed.text == "" {
		past.placed = whereaboutsOf(pod, &facts)
	}
	p.At, p.Port, p.PID = past.placed.text, past.placed.port, past.placed.pid
	// what a person sees depends on counters and on the clock as well
	p.Version = past.version<<20 ^ uint64(len(p.Diagnosis.Reason))<<8 ^ uint64(len(p.Diagnosis.Check)) + 1
	return p
}

func tookText(p *diagnosis.Probe) string {
	if p.Failed && strings.Contains(p.Output, "deadline exceeded") {
		return "> " + strings.TrimSuffix(diagnosis.Latency(p.Took.Truncate(100*time.Millisecond)), ".0 s")
	}
	return diagnosis.Latency(p.Took)
}

// whereabouts say where a Pod is reached.
type whereabouts struct {
	text, port string
	pid        int
}

func whereaboutsOf(pod *corev1.Pod, f *diagnosis.Facts) whereabouts {
	var w whereabouts
	var parts []string
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, p := range f.Containers[c.Name].Ports {
			name := strings.TrimSpace(p.Name + " " + itoa(p.Declared))
			parts = append(parts, fmt.Sprintf("%s at %s:%d", name, cmp.Or(pod.Status.PodIP, "127.0.0.1"), p.Actual))
			if w.port == "" {
				w.port = ":" + itoa(p.Actual)
			}
		}
		if n := f.Containers[c.Name].PID; n != 0 && w.pid == 0 {
			w.pid = n
		}
	}
	if w.pid != 0 {
		parts = append(parts, "pid "+itoa(w.pid))
	} else {
		parts = append(parts, "no process now")
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Running != nil {
			parts = append(parts, "started "+s.State.Running.StartedAt.Local().Format("15:04:05"))
			break
		}
	}
	w.text = clean(strings.Join(parts, " · "))
	return w
}

// workloads are those that have Pods, and those that shall have some.
func (h *hub) workloads(ready map[string]int, pods []screen.Pod) []screen.Workload {
	var all []screen.Workload
	add := func(kind, key string, desired int, rollout string) {
		_, name, _ := strings.Cut(key, "/")
		id := kind + "/" + key
		all = append(all, screen.Workload{ID: id, Name: clean(name), Kind: kind, Ready: ready[id], Desired: desired, Rollout: rollout})
	}
	for key, d := range h.deployments {
		add("Deployment", key, int(valueOr(d.Spec.Replicas, 1)), h.rolloutText(d, pods))
	}
	for key, s := range h.statefulSets {
		add("StatefulSet", key, int(valueOr(s.Spec.Replicas, 1)), "")
	}
	for key, s := range h.replicaSets {
		if len(s.OwnerReferences) == 0 {
			add("ReplicaSet", key, int(valueOr(s.Spec.Replicas, 1)), "")
		}
	}
	slices.SortFunc(all, func(a, b screen.Workload) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// rolling reports whether a rollout of a Deployment goes on: not all that it wants is there yet,
// and in use. The first one counts as well.
func (h *hub) rolling(d *appsv1.Deployment) bool {
	desired := valueOr(d.Spec.Replicas, 1)
	return d.Status.ObservedGeneration != d.Generation || d.Status.UpdatedReplicas < desired || d.Status.Replicas > d.Status.UpdatedReplicas || !h.complete(d)
}

// complete reports what the Deployment's own condition says of its rollout.
func (h *hub) complete(d *appsv1.Deployment) bool {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return c.Reason == "NewReplicaSetAvailable"
		}
	}
	return true
}

func progressed(d *appsv1.Deployment) time.Time {
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing {
			return c.LastUpdateTime.Time
		}
	}
	return d.CreationTimestamp.Time
}

// rolloutText says how far a rollout is, and which Pod it waits for.
func (h *hub) rolloutText(d *appsv1.Deployment, pods []screen.Pod) string {
	if !h.rolling(d) || d.Annotations[revisionAnnotation] == "" {
		return ""
	}
	text := fmt.Sprintf("rollout %s: %d of %d updated", clean(d.Annotations[revisionAnnotation]), d.Status.UpdatedReplicas, valueOr(d.Spec.Replicas, 1))
	id := "Deployment/" + key(d)
	var newest *screen.Pod
	for i := range pods {
		p := &pods[i]
		if p.Workload == id && p.Diagnosis.State != diagnosis.Ready && p.Diagnosis.State != diagnosis.Stopping && (newest == nil || p.Since.After(newest.Since)) {
			newest = p
		}
	}
	if newest != nil {
		text += ", waits for " + newest.Name[strings.LastIndexByte(newest.Name, '-')+1:]
	}
	return text
}

// count brings the rates up to date, once a second.
func (h *hub) count(traffic proxy.State, now time.Time) {
	r := &h.rates
	r.inFlight = map[types.UID]int{}
	for _, p := range traffic.Ports {
		for _, e := range p.Endpoints {
			r.inFlight[e.UID] += e.InFlight
		}
	}
	passed := now.Sub(r.at)
	if passed < time.Second {
		return
	}
	requests, perSec := map[string]uint64{}, map[string]float64{}
	for _, p := range traffic.Ports {
		id := p.Service.String() + ":" + itoa(int(p.Port))
		requests[id] = p.Requests
		if before, ok := r.requests[id]; ok && p.Requests >= before {
			perSec[id] = float64(p.Requests-before) / passed.Seconds()
		}
	}
	r.at, r.requests, r.perSec = now, requests, perSec
}

func rateText(perSec float64) string {
	switch {
	case perSec >= 10_000:
		return fmt.Sprintf("%.0fk req/s", perSec/1000)
	case perSec >= 1000:
		return fmt.Sprintf("%.1fk req/s", perSec/1000)
	}
	return fmt.Sprintf("%.0f req/s", perSec)
}

// allServices are the ports of Services, each with where it is served.
func (h *hub) allServices(traffic proxy.State) []screen.Service {
	var all []screen.Service
	for _, service := range h.services {
		for _, port := range service.Spec.Ports {
			all = append(all, h.service(service, port, traffic))
		}
	}
	slices.SortFunc(all, func(a, b screen.Service) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Address, b.Address))
	})
	return all
}

func (h *hub) service(service *corev1.Service, port corev1.ServicePort, traffic proxy.State) screen.Service {
	s := screen.Service{Name: clean(service.Name), Names: clean(service.Name + "  " + service.Name + "." + service.Namespace + ".svc.cluster.local")}
	if len(service.Spec.Ports) > 1 {
		s.Name += ":" + cmp.Or(clean(port.Name), itoa(int(port.Port)))
	}
	s.Ports = clean(itoa(int(port.Port)) + " → " + cmp.Or(port.TargetPort.String(), itoa(int(port.Port))))
	served := clean(service.Annotations[manifest.AnnotationAddress+itoa(int(port.Port))])
	own := ""
	if ip := service.Spec.ClusterIP; ip != "" && ip != corev1.ClusterIPNone {
		own = clean(ip) + ":" + itoa(int(port.Port))
	}
	switch s.Address = cmp.Or(own, served, "headless"); {
	case own != "" && served != "" && served != own:
		s.Also = served
	}
	h.countEndpoints(&s, service, port.Name)
	for _, p := range traffic.Ports {
		if p.Service.Namespace != service.Namespace || p.Service.Name != service.Name || p.Port != port.Port {
			continue
		}
		if perSec, ok := h.rates.perSec[p.Service.String()+":"+itoa(int(p.Port))]; ok {
			s.Rate = rateText(perSec)
		}
		s.Lost, s.InFlight, s.Waiting = lostText(&p), p.InFlight, p.Waiting
		for _, e := range p.Endpoints {
			s.Endpoints = append(s.Endpoints, endpointOf(&e))
		}
	}
	return s
}

func lostText(p *proxy.PortState) string {
	var lost uint64
	for _, e := range p.Endpoints {
		lost += e.Lost
	}
	switch {
	case lost == 0:
		return "0 lost"
	case p.Requests > 1000:
		return fmt.Sprintf("%.2f%% lost", 100*float64(lost)/float64(p.Requests))
	}
	return fmt.Sprintf("%d lost", lost)
}

func endpointOf(e *proxy.EndpointState) screen.Endpoint {
	out := screen.Endpoint{Address: clean(e.Address), Pod: clean(e.Pod.Name), Ready: e.Ready && !e.Withdrawn && !e.Ejected && !e.Exited, Requests: e.Requests}
	for _, n := range e.Failures {
		out.Failed += n
	}
	switch {
	case e.Exited:
		out.Note = "exited"
	case e.Withdrawn:
		out.Note = "is being stopped"
	case e.Ejected:
		out.Note = "refused a connection"
	case !e.Ready:
		out.Note = "not ready"
	}
	return out
}

// countEndpoints counts the Pods of a Service port that get requests, of all there are.
func (h *hub) countEndpoints(s *screen.Service, service *corev1.Service, port string) {
	for _, slice := range h.slices {
		if slice.Namespace != service.Namespace || slice.Labels["kubernetes.io/service-name"] != service.Name {
			continue
		}
		for _, p := range slice.Ports {
			if valueOr(p.Name, "") != port {
				continue
			}
			for _, e := range slice.Endpoints {
				s.Total++
				if valueOr(e.Conditions.Ready, true) {
					s.Ready++
				}
			}
		}
	}
}

func (h *hub) stoppingState() *screen.Stopping {
	s := &screen.Stopping{Pods: max(h.podsAtStop, len(h.pods))}
	for _, pod := range h.pods {
		s.Left++
		s.InFlight += h.rates.inFlight[pod.UID]
	}
	return s
}
