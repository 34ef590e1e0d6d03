package dashboard

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/facts"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/proxy"
)

// attendTime is how long a Pod that was restarted counts as one that needs attention.
const attendTime = 10 * time.Minute

// snapshot is a run at one moment, as people are shown it.
type snapshot struct {
	now      time.Time
	objects  *objects
	traffic  proxy.State
	pods     []*podView // by workload and name
	groups   []*podGroup
	services []*serviceView
	attend   int // how many Pods need attention
}

// podGroup is a workload with its Pods.
type podGroup struct {
	workload
	pods          []*podView
	text, waits   string // of its rollout
	hasNoWorkload bool
}

// podView is a Pod.
type podView struct {
	Pod             *corev1.Pod
	UID             types.UID
	Namespace, Name string
	Workload        workloadRef
	Created         time.Time
	Facts           diagnosis.Facts
	Diagnosis       diagnosis.Diagnosis
	Probes          []*probeView
	Restarts        int
	LastEnd         history.Instance // that ended last; zero if none did
	Port            string           // ":8080", or ""
	InFlight        int
	// Attention says that a person should look: the Pod is not well, a probe fails, or it was
	// restarted a short while ago.
	Attention bool
	// Updated says that it is of the revision that is being rolled out.
	Updated bool
}

// probeView is a probe of a Pod.
type probeView struct {
	diagnosis.Probe
	Key     history.Key
	Number  int // in the stream; 0 if it was not asked yet
	Spec    *corev1.Probe
	Timeout time.Duration
	// Label is its type, with the container if there are several.
	Label string
	// Asked says that there was an attempt of this instance.
	Asked   bool
	Counter counter
	Latency string
	// Message is what the last attempt said, with what follows from it; Bad and Note say how it is
	// to be read.
	Message string
	Bad     bool
	// Told says that only failures are known of it, by Events.
	Told bool
}

// seenFunc gets an attempt that is new.
type seenFunc func(*podView, history.Key, history.Attempt)

// snapshot is the run as it is now, for a page.
func (s *Server) snapshot() *snapshot { return s.snapshotBy(s.look, nil) }

// snapshotBy looks at the run. What is new of attempts since the last time by the same look is
// given to seen, which may be nil.
func (s *Server) snapshotBy(l *look, seen seenFunc) *snapshot {
	now := s.opts.Now()
	snap := &snapshot{now: now, objects: s.objects()}
	if s.opts.Traffic != nil {
		snap.traffic = s.opts.Traffic()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(snap.objects.pods)
	l.count(snap.traffic, now)
	serving, inFlight := snap.serving(), snap.inFlight()
	for _, pod := range snap.objects.pods {
		snap.pods = append(snap.pods, s.podView(snap, l, pod, serving, inFlight[pod.UID], seen))
	}
	snap.group()
	snap.services = s.serviceViews(snap, l.rates)
	for _, p := range snap.pods {
		if p.Attention {
			snap.attend++
		}
	}
	return snap
}

// serving is how many Pods of each workload get requests.
func (snap *snapshot) serving() map[workloadRef]int {
	serving := map[workloadRef]int{}
	for _, pod := range snap.objects.pods {
		ready := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
		if ready && pod.DeletionTimestamp == nil && !manifest.OutOfRotation(pod) {
			serving[snap.objects.workloadOf(pod)]++
		}
	}
	return serving
}

func (snap *snapshot) inFlight() map[types.UID]int {
	all := map[types.UID]int{}
	for _, p := range snap.traffic.Ports {
		for _, e := range p.Endpoints {
			all[e.UID] += e.InFlight
		}
	}
	return all
}

// podView is a Pod as it is now. The caller holds the lock of the look.
func (s *Server) podView(snap *snapshot, l *look, pod *corev1.Pod, serving map[workloadRef]int, inFlight int, seen seenFunc) *podView {
	p := &podView{
		Pod: pod, UID: pod.UID, Namespace: pod.Namespace, Name: pod.Name, Workload: snap.objects.workloadOf(pod), Created: pod.CreationTimestamp.Time, InFlight: inFlight,
	}
	var tell func(history.Key, history.Attempt)
	if seen != nil {
		tell = func(key history.Key, a history.Attempt) { seen(p, key, a) }
	}
	asked := l.probesOf(pod, s.opts.History, tell)
	f := diagnosis.Facts{Now: snap.now, Pod: pod, Containers: map[string]diagnosis.Container{}, InFlight: inFlight, Probes: asked}
	if s.isCluster() {
		asked = toldProbes(pod, asked, snap.now)
		f.Probes, f.Told = asked, true
	} else {
		f.Place = func(field string) string { return s.opts.Runner.Place(pod, field) }
	}
	if w := snap.objects.workloads[p.Workload]; w != nil {
		f.Workload, p.Updated = w.facts(serving[p.Workload]), w.isNew(pod)
	}
	for _, service := range snap.objects.services {
		if selects(service, pod) {
			f.Services = append(f.Services, service.Name)
		}
	}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		f.Containers[c.Name] = facts.Container(pod, c, s.opts.History)
		if ports := f.Containers[c.Name].Ports; len(ports) > 0 && p.Port == "" {
			p.Port = ":" + strconv.Itoa(ports[0].Actual)
		}
	}
	p.Facts, p.Diagnosis = f, diagnosis.Of(f)
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		p.Restarts += int(status.RestartCount)
		if last, n := facts.LastEnd(s.opts.History.Instances(pod.UID), status.Name); n > 0 && last.Ended.After(p.LastEnd.Ended) {
			p.LastEnd = last
		}
	}
	p.Probes = s.probeViews(l, p)
	if s.isCluster() {
		for _, v := range p.Probes {
			v.tell(snap.now, runs(pod, v.Container))
		}
	}
	p.Attention = p.Diagnosis.Attention || p.Restarts > 0 && snap.now.Sub(p.LastEnd.Ended) < attendTime ||
		slices.ContainsFunc(p.Probes, func(v *probeView) bool { return v.Failed && !v.Over && p.Diagnosis.State != diagnosis.Starting })
	return p
}

// probeViews are the probes of a Pod that are asked, or were if nothing runs. The caller holds the
// lock of the look.
func (s *Server) probeViews(l *look, p *podView) (views []*probeView) {
	several := len(lifecycle.Containers(&p.Pod.Spec)) > 1
	known := l.of(p.UID).probes
	all := p.Facts.Probes
	if len(all) == 0 { // between two instances the last one is told
		for key, probe := range known {
			d, _ := s.opts.History.Detail(p.UID, key, probe.seq)
			all = append(all, probe.facts(key, d, false))
		}
		slices.SortFunc(all, func(a, b diagnosis.Probe) int {
			return cmp.Or(cmp.Compare(a.Container, b.Container), slices.Index(lifecycle.ProbeTypes(), a.Type)-slices.Index(lifecycle.ProbeTypes(), b.Type))
		})
	}
	for _, probe := range all {
		v := &probeView{Probe: probe, Key: history.Key{Container: probe.Container, Type: string(probe.Type)}, Asked: !probe.At.IsZero()}
		_, v.Spec = lifecycle.ProbeOf(&p.Pod.Spec, probe.Container, probe.Type)
		if v.Spec == nil {
			continue
		}
		v.Timeout = time.Duration(v.Spec.TimeoutSeconds) * time.Second
		if v.Label = strings.ToLower(string(probe.Type)); several {
			v.Label = probe.Container + " " + v.Label
		}
		v.Number = s.numbers.number(p.UID, v.Key)
		if known := known[v.Key]; known != nil && v.Asked {
			v.Counter = counterOf(probe.Type, v.Spec, known.last)
			v.Latency = latency(known.last, v.Timeout)
			d, _ := s.opts.History.Detail(p.UID, v.Key, known.seq)
			v.Message, v.Bad = message(probe.Type, v.Spec, known.last, d)
		}
		if p.Diagnosis.State == diagnosis.Stopping && probe.Type != lifecycle.Readiness {
			v.Counter, v.Latency, v.Message, v.Bad = counter{Text: "–"}, "–", "not probed while stopping", false
		}
		views = append(views, v)
	}
	return views
}

// group puts the Pods below their workloads, in an order that does not change while a page is open.
func (snap *snapshot) group() {
	by := map[workloadRef]*podGroup{}
	for ref, w := range snap.objects.workloads {
		by[ref] = &podGroup{workload: *w}
	}
	for _, p := range snap.pods {
		g := by[p.Workload]
		if g == nil {
			g = &podGroup{workload: workload{workloadRef: p.Workload, uncounted: true}, hasNoWorkload: p.Workload.Kind == ""}
			by[p.Workload] = g
		}
		g.pods = append(g.pods, p)
	}
	snap.groups = slices.SortedFunc(maps.Values(by), func(a, b *podGroup) int {
		return cmp.Or(boolean(a.hasNoWorkload)-boolean(b.hasNoWorkload), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	snap.pods = nil
	for _, g := range snap.groups {
		g.text, g.waits = g.rollout(g.pods)
		snap.pods = append(snap.pods, g.pods...)
	}
}

func boolean(is bool) int {
	if is {
		return 1
	}
	return 0
}

// find is the Pod of a name; nil if there is none.
func (snap *snapshot) find(namespace, name string) *podView {
	for _, p := range snap.pods {
		if p.Namespace == namespace && p.Name == name {
			return p
		}
	}
	return nil
}

// spec is a probe of a Pod; nil if there is none.
func (p *podView) spec(key history.Key) *corev1.Probe {
	_, spec := lifecycle.ProbeOf(&p.Pod.Spec, key.Container, probeType(key))
	return spec
}

func probeType(key history.Key) lifecycle.ProbeType { return lifecycle.ProbeType(key.Type) }
