package drill

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// mostTainted is how often a repetition is tried again in which this machine was too late.
const mostTainted = 2

// play is the drill, once the system has started.
func (d *drill) play() {
	defer func() { d.report.Interrupted = d.ctx.Err() != nil }()
	d.state.Step = -1
	ready := d.await()
	var sending sync.WaitGroup
	loading, stop := context.WithCancel(context.Background())
	defer sending.Wait()
	defer stop()
	if ready {
		d.tell("load alone, without a fault")
		for _, t := range d.targets {
			d.offerLoad(t)
			if l := d.loads[t.Name]; l != nil {
				sending.Go(func() { l.run(loading) })
			}
		}
		d.sleep(warmFor(len(d.opts.Requests), d.opts.Rate, d.opts.Budget))
	}
	stop()
	sending.Wait()
	if d.ctx.Err() != nil {
		return // nobody waited until it was ready, or until all requests were sent
	}
	for _, t := range d.targets {
		d.baseline(t)
	}
	d.book.clear()
	d.describe()
	if !ready {
		return
	}
	d.steps(d.plan(nil))
	for fresh := d.listDependencies(); len(fresh) > 0 && d.ctx.Err() == nil; fresh = d.listDependencies() {
		d.steps(d.plan(fresh))
	}
	d.leaveOutNamed()
}

// steps carries out a plan.
func (d *drill) steps(p Plan) {
	d.state.Steps = append(slices.Clip(d.state.Steps), p.Steps...)
	for _, s := range p.Steps {
		if d.ctx.Err() != nil {
			return
		}
		d.state.Step++
		if len(d.opts.Faults) == 0 && time.Since(d.report.Began)+s.Fault.cost(&d.target(s.Workload).Workload, d.opts.Rate) > d.opts.Budget {
			d.report.LeftOut = append(d.report.LeftOut, LeftOut{s.Fault.Word, s.Workload, usedUp, Offset(s.Fault.cost(&d.target(s.Workload).Workload, d.opts.Rate).Round(time.Second))})
			continue
		}
		d.step(s)
	}
}

// await waits until everything is ready, or cannot become so. It reports whether the targets are.
func (d *drill) await() bool {
	doing := "starting"
	if d.attached {
		doing = "waiting until all replicas are ready"
	}
	d.opts.Progress(doing)
	d.tell(doing)
	loops := func() bool { // nobody has to wait for the end of a restart loop
		d.record.mu.Lock()
		defer d.record.mu.Unlock()
		decided := 0
		for _, c := range d.record.changes {
			if c.Kind == ChangeDecided && c.At >= 0 {
				decided++
			}
		}
		return decided > 2*len(d.targets)
	}
	ready := false
	d.until(time.Now().Add(startLimit(slices.Concat(d.targets, d.others))), func() bool {
		waiting := func(t *target) bool { return !d.allReady(t) }
		ready = !slices.ContainsFunc(d.targets, waiting)
		return ready && !slices.ContainsFunc(d.others, waiting) || loops()
	})
	if ready {
		d.sleep(max(d.opts.EndpointDelay, 0) + 500*time.Millisecond) // until the front knows it
	}
	return ready
}

// offerLoad finds where the requests to a workload are to be sent. A Service that does not speak
// HTTP gets none.
func (d *drill) offerLoad(t *target) {
	if t.Service == "" {
		return
	}
	service, err := store.Get[*corev1.Service](d.system.Store(), t.namespace, t.Service)
	if err != nil {
		return
	}
	t.Address = service.Annotations[manifest.AnnotationAddress+fmt.Sprint(t.Port)]
	for _, p := range d.system.Proxy().State().Ports {
		if p.Service.Namespace == t.namespace && p.Service.Name == t.Service && p.Port == t.Port && p.Protocol == "http" && t.Address != "" {
			d.loads[t.Name] = newLoad(t.Address, d.opts.Requests, d.opts.Rate)
			return
		}
	}
	t.Service = "" // nothing that depends on requests is judged
}

// baseline is the result of load alone, from the start on.
func (d *drill) baseline(t *target) {
	d.record.read()
	rep := &Repetition{Number: 1, End: d.since(time.Now())}
	rep.Until = rep.End
	d.fill(rep, Fault{Kind: KindBaseline}, t, d.loads[t.Name])
	t.Start = d.record.slowestStart(rep.Replicas)
	d.addClasses(t, rep)
	e := d.evidence(Fault{Word: string(KindBaseline), Kind: KindBaseline}, t, rep)
	d.conclude(e.fault, t, []evidence{e})
}

// addClasses adds what the load was without a fault.
func (d *drill) addClasses(t *target, rep *Repetition) {
	for _, spec := range d.opts.Requests {
		c := Class{Name: spec.Name(), Workload: t.Name}
		var took []Offset
		for _, r := range rep.Requests {
			if r.Class != c.Name {
				continue
			}
			c.Requests++
			took = append(took, r.Took)
			if r.Failed {
				c.Failed++
			}
		}
		if c.Requests == 0 || slices.ContainsFunc(d.report.Classes, func(o Class) bool { return o.Name == c.Name && o.Workload == c.Workload }) {
			continue
		}
		slices.Sort(took)
		c.P50, c.P99 = took[len(took)/2], took[len(took)*99/100]
		d.report.Classes = append(d.report.Classes, c)
	}
}

// describe fills in what is known after the warm-up.
func (d *drill) describe() {
	for _, t := range d.targets {
		d.report.Workloads = append(d.report.Workloads, t.Workload)
	}
	d.listDependencies()
	for _, b := range d.system.BlindSpots() {
		d.report.BlindSpots = append(d.report.BlindSpots, b.Pod+": "+b.Text)
	}
	if err := d.system.CannotWatch(); err != nil && !d.attached {
		d.report.BlindSpots = append(d.report.BlindSpots, err.Error())
	}
}

// plan plans all that is to be tried, or what there is to try of dependencies that were found while
// the drill went on.
func (d *drill) plan(fresh []string) Plan {
	uses, deadlocks := map[string][]string{}, map[string][]string{}
	for _, t := range d.targets {
		deadlocks[t.Name] = t.deadlocks()
		for _, dep := range d.system.Dependencies() {
			if fresh != nil && !slices.Contains(fresh, dep.Name) {
				continue
			}
			if slices.ContainsFunc(d.pods(t), func(p *corev1.Pod) bool { return slices.Contains(dep.Pods, p.Namespace+"/"+p.Name) }) {
				uses[t.Name] = append(uses[t.Name], dep.Name)
			}
		}
	}
	p := newPlan(planOptions{
		workloads: d.report.Workloads, faults: d.opts.Faults, dependencies: uses, rate: d.opts.Rate, repetitions: d.opts.Repetitions,
		budget: d.opts.Budget - time.Since(d.report.Began), deadlocks: deadlocks, missing: d.missing, later: fresh != nil,
	})
	d.report.LeftOut = append(slices.DeleteFunc(d.report.LeftOut, p.has), p.LeftOut...)
	if d.attached && len(d.opts.Faults) == 0 && fresh == nil {
		d.report.LeftOut = append(d.report.LeftOut, LeftOut{Fault: string(KindDependency), Reason: unwatched})
	}
	return p
}

// step injects a fault so many times, and judges it.
func (d *drill) step(s Step) {
	t := d.target(s.Workload).seenBy(s.Fault)
	var all []evidence
	i := 1
	for tainted := 0; i <= s.Repetitions && d.ctx.Err() == nil; {
		doing := fmt.Sprintf("%s: %s (%d of %d)", t.Name, s.Fault.Title(), i, s.Repetitions)
		d.opts.Progress(doing)
		d.state.Repetition = i
		d.tell(doing)
		rep, err := d.repetition(s.Fault, t, i, s.Repetitions)
		if err != nil && d.ctx.Err() != nil {
			break // it was left out because the drill was interrupted
		}
		if err != nil {
			d.report.LeftOut = append(d.report.LeftOut, LeftOut{Fault: s.Fault.Word, Workload: t.Name, Reason: err.Error()})
			break
		}
		if rep.Undo != "" {
			d.report.Failures = append(d.report.Failures, fmt.Sprintf("cannot undo %s in %s: %s", s.Fault.Word, t.Name, rep.Undo))
		}
		if d.ctx.Err() != nil {
			break // nobody waited for what would have come of it
		}
		rep.Number = len(all) + 1
		enough := len(d.opts.Faults) == 0 && time.Since(d.report.Began)+s.Fault.cost(&t.Workload, d.opts.Rate) > d.opts.Budget
		all = append(all, d.evidence(s.Fault, t, rep))
		if rep.Tainted && tainted < mostTainted && !enough {
			tainted++
			continue
		}
		i++
		if enough || !d.allReady(t) {
			break // the time is over, or what follows would be judged by what is broken already
		}
	}
	if len(all) > 0 {
		r := d.conclude(s.Fault, t, all)
		r.Done, r.Wanted = i-1, d.opts.Repetitions
	}
}

// allPods waits until a workload has all its replicas, which may have been restarted by the fault
// before, and returns them.
func (d *drill) allPods(t *target) (pods []*corev1.Pod, err error) {
	limit := t.restart()
	all := d.until(time.Now().Add(limit), func() bool {
		pods = d.pods(t)
		return len(pods) > 0 && d.allReady(t)
	})
	if !all {
		return nil, fmt.Errorf("not all replicas were ready when it was to begin, nor %s later", text(Offset(limit)))
	}
	return pods, nil
}

// repetition injects a fault once, at its phase, and waits for what comes of it.
func (d *drill) repetition(f Fault, t *target, i, n int) (*Repetition, error) {
	pods, err := d.allPods(t)
	if err != nil {
		return nil, err
	}
	pod := pods[(i-1)%len(pods)]
	rep := &Repetition{Number: i, Pod: pod.Name}
	if f.Kind.row().all && !f.AtStart {
		rep.Pod = ""
	}
	if rep.Pod == "" {
		d.awaitLiveness(t, pods...)
	} else {
		d.awaitLiveness(t, pod)
	}
	stop := d.sendLoad(t)
	defer stop()
	readiness, liveness := d.ticks(pod, t, lifecycle.Readiness), d.ticks(pod, t, lifecycle.Liveness)
	if at := cmp.Or(liveness, readiness); at != nil {
		d.sleep(time.Until(at.beginAt(time.Now().Add(beat), phaseFor(i, n))))
	}
	begin := time.Now()
	undo, err := d.inject(f, t, pod)
	if err != nil {
		stop()
		d.forget()
		return nil, err
	}
	done := time.Now()
	rep.Means = d.means(f, t, pod)
	rep.Begin = d.since(begin)
	d.record.note(rep.Pod, begin, ChangeInjected, f.Title())
	if at := cmp.Or(liveness, readiness); at != nil {
		rep.Phase = at.phaseOf(begin)
	}
	if f.stops() || f.Side() == SideInside {
		length := cmp.Or(f.Length, forever)
		rep.Predicted = predict(readiness, liveness, done, length, time.Duration(t.Grace))
	}
	if err := d.follow(f, t, pod, rep, undo); err != nil {
		stop()
		d.forget()
		return nil, err
	}
	d.sleep(d.opts.EndpointDelay + sample(d.opts.Rate, 1)) // until the front knows it, and then some
	rep.Sent = d.since(time.Now())
	stop()
	d.sleep(2 * beat) // the front may hear of the end of an answer later than the client
	d.record.read()
	rep.Until = d.since(time.Now())
	d.fill(rep, f, t, d.load)
	d.book.clear()
	d.measure(rep, t)
	deciding := rep.Begin + max(Offset(t.liveness().worst()), valueOf(rep.Measured.Killed))
	rep.Late = Offset(d.late.worst(begin, d.report.Began.Add(time.Duration(deciding))))
	rep.Tainted = time.Duration(rep.Late) > tooLate
	return rep, nil
}

// sendLoad sends requests to a workload that gets any, until stop, which waits for the last answer.
func (d *drill) sendLoad(t *target) (stop func()) {
	var sending sync.WaitGroup
	loading, cancel := context.WithCancel(context.Background())
	if d.load = d.loads[t.Name]; d.load != nil {
		sending.Go(func() { d.load.run(loading) })
		d.sleep(500 * time.Millisecond)
	}
	return func() { cancel(); sending.Wait() }
}

func valueOf(o *Offset) Offset {
	if o == nil {
		return 0
	}
	return *o
}

// awaitLiveness waits until the liveness probes of Pods ask the processes that run now, which they
// do initialDelaySeconds after each start, and a period later at most: before that, nothing comes
// of a fault.
func (d *drill) awaitLiveness(t *target, pods ...*corev1.Pod) {
	d.until(time.Now().Add(t.firstAttempt()), func() bool {
		for _, c := range t.containers() {
			unasked := func(p *corev1.Pod) bool { return d.lastAttempt(p, c.Name, lifecycle.Liveness).IsZero() }
			if probeOf(c.Probes, lifecycle.Liveness) != nil && slices.ContainsFunc(pods, unasked) {
				return false
			}
		}
		return true
	})
}

// lastAttempt is when a probe asked the process of a container last that runs now; zero if it has
// not yet.
func (d *drill) lastAttempt(pod *corev1.Pod, container string, kind lifecycle.ProbeType) (last time.Time) {
	running := d.running(pod, container)
	for _, known := range d.record.history.Probes(pod.UID) {
		if known.Container == container && known.Type == string(kind) && known.Latest.Instance == running {
			last = known.Latest.Time
		}
	}
	return last
}

// running is the number of the instance of a container that runs now; -1 if none does.
func (d *drill) running(pod *corev1.Pod, container string) int {
	number := -1
	for _, i := range d.record.history.Instances(pod.UID) {
		if i.Container == container && i.Ended.IsZero() {
			number = i.Number
		}
	}
	return number
}

// ticks are those of a probe of a Pod; nil if it has none or has made no attempt at the process
// that runs now.
func (d *drill) ticks(pod *corev1.Pod, t *target, kind lifecycle.ProbeType) *ticks {
	p := t.probe(kind)
	if p == nil {
		return nil
	}
	last := d.lastAttempt(pod, t.Container, kind)
	if last.IsZero() {
		return nil
	}
	return &ticks{*p, last}
}
