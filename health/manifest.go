package health

import (
	"cmp"
	"fmt"
	"math"
	"net"
	"strings"
	"time"
)

// Manifest returns the probes that match what is registered, as YAML for the container in a Pod's
// manifest: endpoints, periods that follow the checks, a startup probe that allows the longest
// budget, and the grace period that the shutdown needs. Print it by a flag of the service, so that
// the manifest can follow the code.
func (h *Health) Manifest() string {
	options, err := h.options.settings(true)
	if err != nil {
		return "# " + err.Error() + "\n"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	r, port := &h.registry, manifestPort(options.Addr)
	budget, period := r.figures()
	startupPeriod := max(1, seconds(budget/300)) // so that failureThreshold is at most 300
	grace := seconds(options.ShutdownDelay + options.DrainTimeout + joinLimit + time.Second)
	var out strings.Builder
	fmt.Fprintf(&out, "# In the Pod's spec: ShutdownDelay + DrainTimeout, and a little.\nterminationGracePeriodSeconds: %d\n\n# In the container.\n", grace)
	failures := (seconds(budget) + startupPeriod - 1) / startupPeriod
	fmt.Fprintf(&out, "startupProbe: # has %v\n%s", budget, httpProbe("startupz", port, startupPeriod, 1, failures))
	fmt.Fprintf(&out, "readinessProbe: # the checks have thresholds of their own; what a check needs to notice comes on top\n%s", httpProbe("readyz", port, seconds(period), 1, 1))
	fmt.Fprintf(&out, "livenessProbe: # patient: the limits of the heartbeats come first\n%s", httpProbe("livez", port, 10, 2, 3))
	return out.String()
}

// figures returns the longest budget of a task, and the shortest period of a check that counts for
// readiness, if only at times.
func (r *registry) figures() (budget, period time.Duration) {
	for _, t := range r.tasks {
		budget = max(budget, t.budget)
	}
	for _, c := range r.checks {
		if c.kind == Owned || c.options.CircuitBreaker != nil {
			period = min(cmp.Or(period, c.options.Period), c.options.Period)
		}
	}
	return cmp.Or(budget, time.Minute), cmp.Or(period, 5*time.Second)
}

// manifestPort is the port of Addr, or the name that a Service's own port usually has.
func manifestPort(addr string) string {
	if _, port, err := net.SplitHostPort(addr); err == nil && port != "0" {
		return port
	}
	return "http"
}

func httpProbe(path, port string, period, timeout, failures int) string {
	return fmt.Sprintf("  httpGet:\n    path: /%s\n    port: %s\n  periodSeconds: %d\n  timeoutSeconds: %d\n  failureThreshold: %d\n",
		path, port, period, timeout, failures)
}

// seconds rounds up: Kubernetes knows whole seconds.
func seconds(d time.Duration) int { return max(1, int(math.Ceil(d.Seconds()))) }
