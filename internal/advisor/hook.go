package advisor

import "math"

// PreStopSeconds is how long the container's preStop hook takes: 0 if there is none. known is false
// if the hook does something else than sleep, or the manifest does not say for how long.
func (c *Container) PreStopSeconds() (seconds int, known bool) {
	if c.Lifecycle == nil || c.Lifecycle.PreStop == nil {
		return 0, true
	}
	switch hook := c.Lifecycle.PreStop; {
	case hook.Sleep != nil:
		return int(hook.Sleep.Seconds), true
	case hook.Exec != nil:
		for _, v := range Invocations(hook.Exec.Command) {
			if _, hasTime := v.sleepTime(); v.Name != "sleep" || !hasTime {
				return 0, false
			}
		}
		return int(math.Ceil(Sleep(hook.Exec.Command).Seconds())), true
	}
	return 0, false
}
