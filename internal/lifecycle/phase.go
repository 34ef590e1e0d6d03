package lifecycle

import corev1 "k8s.io/api/core/v1"

// settlePhase moves the phase on. Terminal phases are final (R117).
func (p *Pod) settlePhase() {
	if p.Terminal() {
		return
	}
	if phase := p.computePhase(); phase != p.phase {
		p.phase, p.changed = phase, true
	}
}

func (p *Pod) computePhase() corev1.PodPhase {
	if !p.anyAlive() && (p.deletion != nil || p.initFailed()) {
		return p.finalPhase()
	}
	var waiting, running, restarting int
	for _, c := range p.regular {
		switch {
		case c.running():
			running++
		case c.instances == 0:
			waiting++
		case c.alive() || c.state == stateWaiting || p.restarts(c):
			restarting++
		}
	}
	switch {
	case waiting > 0, p.initializing():
		return corev1.PodPending
	case running > 0, restarting > 0, p.anyAlive():
		return corev1.PodRunning
	default:
		return p.finalPhase()
	}
}

// initializing reports whether a plain init container runs, be it once more (R225).
func (p *Pod) initializing() bool {
	for _, c := range p.inits {
		if !c.sidecar() && c.running() {
			return true
		}
	}
	return false
}

// initFailed reports whether a plain init container failed for good.
func (p *Pod) initFailed() bool {
	for _, c := range p.inits {
		if !c.sidecar() && c.state == stateExited && c.exit.ExitCode != 0 && !p.restarts(c) {
			return true
		}
	}
	return false
}

// finalPhase judges by exit codes (R117, R166). Sidecars do not count; what never ran did not
// succeed.
func (p *Pod) finalPhase() corev1.PodPhase {
	for c := range p.containers() {
		if !c.sidecar() && !c.succeeded() {
			return corev1.PodFailed
		}
	}
	return corev1.PodSucceeded
}
