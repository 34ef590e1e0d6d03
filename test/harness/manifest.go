package harness

import "fmt"

// Manifest is a Pod named web, with one container named app that runs the scripted service with the
// given arguments. more is YAML of the container.
func Manifest(args, more string) string { return Named("web", args, more) }

// Named is [Manifest] with another name for the Pod. Several can be joined to one manifest.
func Named(name, args, more string) string {
	return fmt.Sprintf(`---
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - name: app
    image: example
    command: [SERVICE]
    args: [%s]
    ports: [{name: http, containerPort: 8080}]
%s`, name, args, more)
}

// Probes of the scripted service, as YAML for [Manifest].
const (
	Live3  = "    livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, failureThreshold: 3}\n"
	Live1  = "    livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, failureThreshold: 1}\n"
	Ready1 = "    readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1, failureThreshold: 1}\n"
	// Listens is a startup probe: the other probes wait until the service listens, however busy the
	// machine is.
	Listens = "    startupProbe: {tcpSocket: {port: http}, periodSeconds: 1, failureThreshold: 120}\n"
	Starts  = "    startupProbe: {httpGet: {path: /start, port: http}, periodSeconds: 1, failureThreshold: 120}\n"
)
