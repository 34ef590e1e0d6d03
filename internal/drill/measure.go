package drill

import (
	"cmp"
	"slices"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/lifecycle"
)

const sigkill = syscall.SIGKILL

// fill puts what was recorded of a workload into a repetition.
func (d *drill) fill(rep *Repetition, f Fault, t *target, l *load) {
	names := map[string]bool{}
	for _, pod := range podsOf(d.system.Store(), t) {
		names[pod.Name] = true
		if pod.DeletionTimestamp == nil {
			rep.Replicas = append(rep.Replicas, Replica{Pod: pod.Name, Ready: isReady(pod)})
		}
	}
	rep.Requests, rep.Ledger = []Request{}, []Account{}
	if l != nil {
		d.bill(rep, t, l)
	}
	all := []string{rep.Pod}
	for name := range names {
		all = append(all, name)
	}
	for _, r := range rep.Requests {
		all = append(all, r.Pod)
	}
	rep.Changes, rep.Attempts = d.record.within(max(rep.Begin-before, 0), rep.Until, all)
	for i := range rep.Replicas {
		rep.Replicas[i].count(rep, f.ends())
	}
}

// before is how much of what was recorded before a fault is kept with it.
const before = Offset(5 * time.Second)

// count counts what the processes of a replica did. The drill itself has ended the first one if it
// kills.
func (r *Replica) count(rep *Repetition, kills bool) {
	for _, c := range rep.Changes {
		switch {
		case c.Pod != r.Pod || c.At < rep.Begin:
		case c.Kind == ChangeDecided:
			r.Restarts++
		case c.endedByItself() && kills && c.Pod == rep.Pod:
			kills = false
		case c.endedByItself():
			r.Exits++
		}
	}
}

// bill adds the requests, each with the replica that it went to.
func (d *drill) bill(rep *Repetition, t *target, l *load) {
	for _, s := range l.take() {
		r := Request{At: d.since(s.at), Took: Offset(s.took), Class: s.class, Status: s.status, Error: s.err, Failed: s.status == 0 || s.status >= 500}
		if entry, ok := d.book.find(caller{types.NamespacedName{Namespace: t.namespace, Name: t.Service}, t.Port, s.client}); ok {
			r.Pod = entry.Pod.Name
			r.Refused = r.Failed && r.Pod == ""
		}
		rep.Requests = append(rep.Requests, r)
	}
	slices.SortStableFunc(rep.Requests, func(a, b Request) int { return cmp.Compare(a.At, b.At) })
	rep.Ledger = accounts(rep.Requests)
}

// accounts sums requests up by replica and class.
func accounts(requests []Request) []Account {
	all := []Account{}
	for _, r := range requests {
		i := slices.IndexFunc(all, func(a Account) bool { return a.Pod == r.Pod && a.Class == r.Class })
		if i < 0 {
			i, all = len(all), append(all, Account{Pod: r.Pod, Class: r.Class})
		}
		all[i].Requests++
		if r.Failed {
			all[i].Failed++
		}
	}
	slices.SortFunc(all, func(a, b Account) int { return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Class, b.Class)) })
	return all
}

// measure finds the moments of the replica that a fault happened to; of several, those of the
// first.
func (d *drill) measure(rep *Repetition, t *target) {
	pod := rep.Pod
	if pod == "" {
		for _, c := range rep.Changes {
			if c.At > rep.Begin && c.Pod != "" && (c.Kind == ChangeDecided || c.Kind == ChangeUnready) {
				pod = c.Pod
				break
			}
		}
	}
	rep.Measured = moments(rep, pod, t.Container)
	probe := lifecycle.Liveness
	if t.liveness() == nil {
		probe = lifecycle.Readiness
	}
	rep.OwnLag = lagOf(rep, pod, t.Container, probe)
}

// moments are when a container of a Pod did what since the fault began.
func moments(rep *Repetition, pod, container string) (m Moments) {
	relative := func(o *Offset) *Offset {
		if o == nil {
			return nil
		}
		return new(*o - rep.Begin)
	}
	m.Unready = relative(first(rep.Changes, pod, rep.Begin, ChangeUnready))
	killed := firstIn(rep.Changes, pod, container, rep.Begin, ChangeDecided)
	m.Killed = relative(killed)
	from := rep.Begin
	if killed != nil {
		from = *killed
	}
	started := firstIn(rep.Changes, pod, container, from, ChangeStarted)
	m.Replaced = relative(started)
	if started != nil {
		m.Ready = relative(first(rep.Changes, pod, *started, ChangeReady))
	} else if m.Unready != nil {
		m.Ready = relative(first(rep.Changes, pod, rep.Begin+*m.Unready, ChangeReady))
	}
	return m
}

// lagOf is how much later than the fault a service's own answers turned bad: from the first attempt
// of a container's probe after that to the first that failed. Nil if none failed.
func lagOf(rep *Repetition, pod, container string, probe lifecycle.ProbeType) *Offset {
	var first *Offset
	for _, a := range rep.Attempts {
		if a.Pod != pod || a.Container != container || a.Probe != string(probe) || a.At < rep.Begin {
			continue
		}
		if first == nil {
			first = new(a.At)
		}
		if !a.Success {
			return new(a.At - *first)
		}
	}
	return nil
}
