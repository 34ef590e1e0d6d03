package health

import (
	"testing"
	"time"
)

func TestManifest(t *testing.T) {
	h := New(Options{Addr: ":9090", ShutdownDelay: 10 * time.Second, DrainTimeout: 30 * time.Second})
	h.Startup("weights", TaskOptions{Budget: 20 * time.Minute})
	h.Startup("cache", TaskOptions{Budget: time.Minute})
	h.Ready("database", fine, CheckOptions{Period: 2500 * time.Millisecond})
	h.Depends("billing", fine, CheckOptions{Period: time.Second})
	want := `# In the Pod's spec: ShutdownDelay + DrainTimeout, and a little.
terminationGracePeriodSeconds: 43

# In the container.
startupProbe: # has 20m0s
  httpGet:
    path: /startupz
    port: 9090
  periodSeconds: 4
  timeoutSeconds: 1
  failureThreshold: 300
readinessProbe: # the checks have thresholds of their own; what a check needs to notice comes on top
  httpGet:
    path: /readyz
    port: 9090
  periodSeconds: 3
  timeoutSeconds: 1
  failureThreshold: 1
livenessProbe: # patient: the limits of the heartbeats come first
  httpGet:
    path: /livez
    port: 9090
  periodSeconds: 10
  timeoutSeconds: 2
  failureThreshold: 3
`
	if got := h.Manifest(); got != want {
		t.Errorf("the manifest is\n%s\nwant\n%s", got, want)
	}
	if got := New(Options{DrainTimeout: -1}).Manifest(); got != "# cannot use DrainTimeout -1ns: it must not be negative\n" {
		t.Errorf("the manifest of a misused Health is %q", got)
	}
}
