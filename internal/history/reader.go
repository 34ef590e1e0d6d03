package history

import (
	"iter"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// Reader reads the past of Pods by their UIDs. Nothing is known of a Pod that has not started or
// that is gone for good: then the methods return nothing. It is safe for concurrent use, and holds
// up nobody, however long a reader looks at what it got.
type Reader struct{ recorder *Recorder }

// Reader returns what others may read.
func (r *Recorder) Reader() Reader { return Reader{r} }

// ProbeSummary is a probe and its newest attempt.
type ProbeSummary struct {
	Key
	Probing
	// Latest is the newest attempt. Its Seq tells whether there were others since the last look.
	Latest Attempt
}

// Probes are the probes of a Pod of which an attempt was made, in the order of their first one.
func (r Reader) Probes(pod types.UID) []ProbeSummary { return slices.Collect(r.Newest(pod)) }

// Newest yields what Probes lists, for who looks often.
func (r Reader) Newest(pod types.UID) iter.Seq[ProbeSummary] {
	return func(yield func(ProbeSummary) bool) {
		p := r.recorder.pod(pod)
		if p == nil {
			return
		}
		for _, probe := range p.probes.all() {
			if latest, ok := probe.Latest(); ok && !yield(ProbeSummary{probe.key, probe.probing, latest}) {
				return
			}
		}
	}
}

// Counts are what was counted of each probe of a Pod, in the order of their first attempts.
func (r Reader) Counts(pod types.UID) []ProbeCounts {
	p := r.recorder.pod(pod)
	if p == nil {
		return nil
	}
	var all []ProbeCounts
	for _, probe := range p.probes.all() {
		all = append(all, probe.counts())
	}
	return all
}

// Attempts are those of a probe after the one with that Seq, oldest first; see [Probe.Since].
func (r Reader) Attempts(pod types.UID, probe Key, since uint64) []Attempt {
	p := r.probe(pod, probe)
	if p == nil {
		return nil
	}
	return slices.Collect(p.Since(since))
}

// Minutes are the minutes before the attempts; see [Probe.Minutes].
func (r Reader) Minutes(pod types.UID, probe Key) []Minute {
	p := r.probe(pod, probe)
	if p == nil {
		return nil
	}
	return p.Minutes()
}

// Details are the newest 20 attempts of a probe in detail, oldest first.
func (r Reader) Details(pod types.UID, probe Key) []Detail {
	p := r.probe(pod, probe)
	if p == nil {
		return nil
	}
	return p.Details()
}

// Detail is one attempt of a probe in detail; false if it is none of the newest 20.
func (r Reader) Detail(pod types.UID, probe Key, seq uint64) (Detail, bool) {
	p := r.probe(pod, probe)
	if p == nil {
		return Detail{}, false
	}
	return p.Detail(seq)
}

// Changes are the last 200 changes of a Pod's state, oldest first. The list is not to be modified.
func (r Reader) Changes(pod types.UID) []Change {
	if p := r.recorder.pod(pod); p != nil {
		return p.changes.all()
	}
	return nil
}

// Instances are the last 200 instances of a Pod's containers, those that run too, in the order of
// their starts. The list is not to be modified.
func (r Reader) Instances(pod types.UID) []Instance {
	if p := r.recorder.pod(pod); p != nil {
		return p.instances.all()
	}
	return nil
}

func (r Reader) probe(pod types.UID, key Key) *Probe {
	p := r.recorder.pod(pod)
	if p == nil {
		return nil
	}
	return p.find(key)
}
