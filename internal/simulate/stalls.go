package simulate

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/simulate/script"
)

// compareStalls sets random stalls beside failures that are independent of each other but as
// frequent, simulated and by the closed forms. A pod with several containers, or a container with
// several such faults, is beyond the closed forms.
func (m *Many) compareStalls(owner script.Workload, pod *corev1.Pod, sc *script.Script, samples []sample, opts ManyOptions) {
	c, f := randomStalls(pod, sc)
	if c == nil {
		return
	}
	timing := closedFormOf(c.LivenessProbe)
	attempts, failures, falseRestarts := 0, 0, 0
	for _, s := range samples {
		attempts, failures, falseRestarts = attempts+s.attempts, failures+s.failures, falseRestarts+s.falseRestarts
	}
	share := float64(failures) / float64(max(attempts, 1))
	month := 30 * script.Day
	correlated := Compared{m.perFleetMonth(falseRestarts), Number(float64(m.Replicas) * timing.FalseStalls(f.Every.Mean(), *f.For, month))}
	alone := sc.WithoutFaults()
	p := sc.Program(owner, c.Name)
	p.Failures = share
	alone.Programs[owner.String()+":"+c.Name] = p
	falseRestarts = 0
	for _, s := range runAll(owner, pod, alone, opts) {
		falseRestarts += s.falseRestarts
	}
	independent := Compared{m.perFleetMonth(falseRestarts), Number(float64(m.Replicas) * timing.FalseIndependent(share, month))}
	s := Stalls{Container: c.Name, Fault: f.Label(), Share: Number(share), Correlated: correlated, Independent: independent}
	if independent.Closed > 0 {
		s.Penalty = correlated.Closed / independent.Closed
	}
	shared, unshared := timing.AllAct(*f.For, m.Replicas)
	s.TogetherShared, s.TogetherIndependent = Number(shared), Number(unshared)
	s.Neighbours = timing.neighbours(f.Every)
	m.Stalls = append(m.Stalls, s)
}

// neighbours says how many of the stalls that begin at such distances are near to the next one.
func (t closedForm) neighbours(every *script.Distribution) Neighbours {
	within := time.Duration(t.Failures) * t.Period
	return Neighbours{
		Within: Offset(within), Share: Number(1 - every.Exceeds(within)),
		Caveat: "the closed form takes each stall by itself; the failures of neighbours add up, so it may be too low",
	}
}

// randomStalls finds the container and its random stalls, if there is one of each.
func randomStalls(pod *corev1.Pod, sc *script.Script) (*corev1.Container, *script.Fault) {
	if len(sc.Faults) != 1 || len(pod.Spec.Containers) != 1 {
		return nil, nil
	}
	c, f := &pod.Spec.Containers[0], &sc.Faults[0]
	if !f.Effect().Stalls || f.OfDependency() || f.Every == nil || f.For == nil || c.LivenessProbe == nil || !notices(f, c, lifecycle.Liveness, c.LivenessProbe) {
		return nil, nil
	}
	return c, f
}
