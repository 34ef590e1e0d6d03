package render

import (
	"fmt"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate"
	"github.com/probity-run/probity/internal/simulate/script"
)

// defaults is a Pod with all three probes under Kubernetes' defaults.
const defaults = `apiVersion: v1
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

// podWith is a Pod of one container, web, with these probes in YAML.
func podWith(probes string) string {
	return `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: default}
spec:
  containers:
  - name: web
    image: web
    ports: [{name: http, containerPort: 8080}]
` + indented(probes, "    ")
}

func indented(text, by string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text) + "\n") {
		b.WriteString(by + line)
	}
	return b.String()
}

const deployed = `apiVersion: apps/v1
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

// manyWorkloads are of names that fit nowhere.
func manyWorkloads() string {
	var b strings.Builder
	for i := range 12 {
		name := fmt.Sprintf("a-service-whose-name-is-as-long-as-a-name-may-be-and-is-number-%d", i)
		b.WriteString(strings.ReplaceAll(strings.Replace(podWith("livenessProbe: {httpGet: {path: /l, port: http}}"), "name: web,", "name: "+name+",", 1), "name: web\n", "name: the-server-of-this-pod-and-of-no-other\n") + "---\n")
	}
	return b.String()
}

// simulated plays a manifest with ready-made faults.
func simulated(t testing.TB, text string, sc *script.Script, opts simulate.Options) *simulate.Result {
	t.Helper()
	r, err := simulate.Run(parsed(t, text), sc, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parsed(t testing.TB, text string) []manifest.Object {
	t.Helper()
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text), AllWorkloads: true}, "-")
	if err != nil {
		t.Fatal(err)
	}
	return set.Objects
}

func scriptOf(t testing.TB, faults ...string) *script.Script {
	t.Helper()
	s := &script.Script{}
	for _, f := range faults {
		if err := s.ParseFault(f); err != nil {
			t.Fatal(err)
		}
	}
	return s
}
