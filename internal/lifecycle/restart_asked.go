package lifecycle

import "time"

// RestartAsked says that a person wants the containers of the Pod restarted. A cluster knows no
// such thing: there one kills the process, or deletes the Pod. Those that run are stopped with
// their hook and grace period, as after a failed probe; those that wait for their back-off start
// now.
type RestartAsked struct{}

func (RestartAsked) event() {}

// planRestartAsked plans the restart that was asked for; nil if there is none. The starts know of
// no exit, so there is no back-off before them and it does not grow (R151).
func (p *Pod) planRestartAsked(now time.Time) *sync {
	if !p.restartAsked {
		return nil
	}
	p.restartAsked = false
	s := &sync{}
	for c := range p.containers() {
		switch {
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
