package lifecycle

import "time"

// inheritAge is how old an instance must be at a kubelet restart for its results to be kept (R169).
const inheritAge = 10 * time.Second

// KubeletRestarted says that the kubelet was restarted while the containers ran on. Counters, holds
// and back-off records are lost, an attempt in flight counts for nothing, and the ticks get a new
// phase (R6, R167). What was started and ready stays so for instances older than 10 s (R169);
// younger ones are NotReady until they are probed. A kill in progress goes on. Probity itself has
// no such event: when it ends, its Pods do; this is for simulations.
type KubeletRestarted struct {
	// Jitter is how long the worker of a probe sleeps before its first tick, in [0, period) (R6).
	// Nil means not at all.
	Jitter func(container string, t ProbeType, period time.Duration) time.Duration
}

func (KubeletRestarted) event() {}

func (p *Pod) onKubeletRestarted(e KubeletRestarted, now time.Time) {
	for c := range p.containers() {
		// its first sync tries at once what was put off
		c.backoff, c.retryAt = Backoff{Max: c.backoff.Max}, time.Time{}
		young := c.running() && now.Sub(c.startedAt) <= inheritAge
		p.changed = p.changed || young
		for _, w := range c.workers {
			if w.cancel() {
				p.emit(CancelProbe{c.spec.Name, c.instance, w.probeType})
			}
			var jitter time.Duration
			if e.Jitter != nil {
				jitter = e.Jitter(c.spec.Name, w.probeType, w.period)
			}
			w.restart(young, now.Add(jitter))
		}
	}
}

// restart is the worker of a new kubelet; first is its first tick. A liveness verdict stays: its
// kill is in progress.
func (w *Worker) restart(young bool, first time.Time) {
	w.run, w.last, w.ranAt = 0, ResultUnknown, time.Time{}
	w.anchor, w.next = first, latest(first, w.startedAt.Add(w.delay))
	if w.instance != "" {
		w.next = w.tickFrom(w.next)
	}
	if w.probeType == Liveness && w.result == ResultFailure {
		return
	}
	w.hold = false
	if young {
		w.result = seed(w.probeType)
	}
}
