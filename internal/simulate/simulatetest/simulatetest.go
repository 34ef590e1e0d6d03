// Package simulatetest has what the simulator and its renderers are tested with.
package simulatetest

import (
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// DefaultProbes is a Pod with all three probes under Kubernetes' defaults.
const DefaultProbes = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: web
    ports: [{containerPort: 8080}]
    startupProbe: {httpGet: {path: /startupz, port: 8080}}
    readinessProbe: {httpGet: {path: /readyz, port: 8080}}
    livenessProbe: {httpGet: {path: /livez, port: 8080}}
`

// Deployment is one of three replicas with all three probes, and its Service.
const Deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: web
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 60}
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, failureThreshold: 2}
        livenessProbe: {httpGet: {path: /livez, port: http}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80}]}
`

// PodWith is a Pod of one container, web, with these probes in YAML.
func PodWith(probes string) string {
	var b strings.Builder
	b.WriteString(`apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: web
    ports: [{name: http, containerPort: 8080}]
`)
	for line := range strings.Lines(strings.TrimSpace(probes) + "\n") {
		b.WriteString("    " + line)
	}
	return b.String()
}

// Objects are those of a manifest.
func Objects(t testing.TB, text string) []manifest.Object {
	t.Helper()
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text), AllWorkloads: true}, "-")
	if err != nil {
		t.Fatal(err)
	}
	return set.Objects
}

// Script has these faults, as in --fault.
func Script(t testing.TB, faults ...string) *script.Script {
	t.Helper()
	s := &script.Script{Programs: map[string]script.Program{}}
	for _, f := range faults {
		if err := s.ParseFault(f); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
