package lifecycle

import (
	"slices"
	"time"
)

// RestartAsked says that a person wants a container of the Pod restarted, or all of them. A cluster
// knows no such thing: there one kills the process, or deletes the Pod. What runs is stopped with
// its hook and grace period, as after a failed probe; what waits for its back-off starts now.
type RestartAsked struct {
	Container string // "" is all of them
}

func (RestartAsked) event() {}

// planRestartAsked plans the restart that was asked for; nil if there is none. The starts know of
// no exit, so there is no back-off before them and it does not grow (R151).
func (p *Pod) planRestartAsked(now time.Time) *sync {
	asked := p.restartAsked
	p.restartAsked = nil
	s := &sync{}
	for c := range p.containers() {
		switch {
		case !slices.Contains(asked, "") && !slices.Contains(asked, c.spec.Name):
		case c.init && !c.sidecar():
			if c.retryAt.After(now) {
				s.starts = append(s.starts, start{container: c})
			}
		case c.running() && !c.kill.active():
			s.kills = append(s.kills, probeKill{container: c, restart: true})
			s.starts = append(s.starts, start{container: c})
		case c.state == stateExited && p.initialized || c.retryAt.After(now):
			s.starts = append(s.starts, start{container: c})
		}
	}
	if s.empty() {
		return nil
	}
	return s
}
