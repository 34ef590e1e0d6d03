package history

import (
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Instance is one run of a container.
type Instance struct {
	Container string
	// Number is how many restarts there were before.
	Number int
	// Started is when its process began. Ended is when that was gone; zero while it runs.
	Started, Ended time.Time
	// ExitCode is 128+n for a death by signal n. Signal is that n, 0 if it exited by itself. Both
	// say something only once it has Ended.
	ExitCode, Signal int
	// Cause is why it was stopped, in the kubelet's words; "" if it ended by itself. Probe is the
	// type of the probe because of which it was, "" if it was something else.
	Cause, Probe string
	// LastLines are the last lines it printed before its end, at most three, oldest first, without
	// empty ones and at most MaxMessage bytes of each. They are what the program wrote: any bytes.
	LastLines []string
}

// Pod is the past of one Pod. Its writer is the goroutine that runs the Pod; the methods that
// return something may be called by everybody.
type Pod struct {
	probes    list[*Probe]
	changes   list[Change]
	instances list[Instance]
	status    corev1.PodStatus // the last one, of the writer
}

// Probe is the past of a probe, which begins now if nothing of it was recorded. For the writer.
func (p *Pod) Probe(key Key, probing Probing) *Probe {
	if known := p.find(key); known != nil {
		return known
	}
	probe := newProbe(key, probing)
	p.probes.set(append(slices.Clone(p.probes.all()), probe))
	return probe
}

func (p *Pod) find(key Key) *Probe {
	for _, probe := range p.probes.all() {
		if probe.key == key {
			return probe
		}
	}
	return nil
}

// Attempt records an attempt of a probe, and the change of what is acted upon if it made one. For
// the writer.
func (p *Pod) Attempt(probe *Probe, a Attempt, d Detail) {
	before := NotKnown
	if latest, ok := probe.Latest(); ok && latest.Instance == a.Instance {
		before = latest.Result
	}
	probe.Record(a, d)
	if a.Result == before || a.Result == NotKnown {
		return
	}
	p.changes.add(Change{
		Time: a.Time.Add(a.Took), Kind: ProbeChanged, Container: probe.key.Container, Probe: probe.key.Type,
		From: before.String(), To: a.Result.String(), Message: cut(a.Message, MaxMessage),
	})
}

// Status records what changed since the last status. For the writer.
func (p *Pod) Status(status corev1.PodStatus, at time.Time) {
	for _, c := range changes(&p.status, &status, at) {
		c.Message = cut(c.Message, MaxMessage)
		p.changes.add(c)
	}
	p.status = status
}

// Started records that an instance began. For the writer.
func (p *Pod) Started(i Instance) { p.instances.add(i) }

// Ended completes the record of an instance. For the writer.
func (p *Pod) Ended(i Instance) {
	lines := make([]string, 0, len(i.LastLines))
	for _, line := range i.LastLines {
		lines = append(lines, strings.Clone(cut(line, MaxMessage)))
	}
	i.LastLines = lines
	all := slices.Clone(p.instances.all())
	for n := len(all) - 1; n >= 0; n-- {
		if all[n].Container == i.Container && all[n].Number == i.Number {
			all[n] = i
			p.instances.set(all)
			return
		}
	}
	p.instances.add(i)
}

// Recorder holds the past of the Pods of a node. The zero value is ready; it is safe for concurrent
// use.
type Recorder struct {
	mu   sync.Mutex // guards pods, for a look into the map
	pods map[types.UID]*Pod
}

// Add begins the past of a Pod.
func (r *Recorder) Add(uid types.UID) *Pod {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pods == nil {
		r.pods = map[types.UID]*Pod{}
	}
	p := &Pod{}
	r.pods[uid] = p
	return p
}

// Remove forgets a Pod.
func (r *Recorder) Remove(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pods, uid)
}

func (r *Recorder) pod(uid types.UID) *Pod {
	if r == nil { // that of the zero Reader
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pods[uid]
}
