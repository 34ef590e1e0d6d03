package traffic

import (
	"strings"
	"testing"
	"text/template"

	"github.com/probity-run/probity/test/ports"
)

// web is a Deployment of the scripted service behind a Service, both named web.
type web struct {
	Port     int // of the Service
	Replicas int
	LogDir   string // folder of the process logs of the replicas
	Term     string // what the service does on SIGTERM
	Answers  string // of the service, as its flag takes them
	// Version is in the environment of the Pod template: a change of it makes a rollout.
	Version string
	// Strategy, Pod and Service are YAML flow mappings: of the Deployment's strategy, of
	// annotations on the Pods and on the Service.
	Strategy, Pod, Service string
	// Label is on the Deployment itself, and Setting in a ConfigMap beside it: a change of them
	// makes no rollout.
	Label, Setting string
	// Available is minReadySeconds.
	Available int
	// Grace is the grace period in seconds.
	Grace int
	// Fixed is the declared port if the program has to listen on that instead of on PORT.
	Fixed int
	// Timeout is that of the liveness probe in seconds.
	Timeout int
	// Gone leaves the Deployment out. Another Pod stands in its place, as a manifest with nothing
	// to run is refused.
	Gone bool
}

// newWeb has three replicas that end gracefully.
func newWeb(t *testing.T) web {
	return web{
		Port: ports.Free(t), Replicas: 3, LogDir: t.TempDir(), Term: "graceful:" + size().linger.String(), Version: "1", Strategy: "{type: RollingUpdate}",
		Pod: "{}", Service: "{}", Label: "a", Setting: "a", Grace: 10, Timeout: size().timeout,
	}
}

var webTemplate = template.Must(template.New("web").Parse(`---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {setting: "{{.Setting}}"}
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {{.Service}}}
spec:
  selector: {app: web}
  ports: [{name: http, port: {{.Port}}, targetPort: http}]
{{if not .Gone}}---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {edit: "{{.Label}}"}}
spec:
  replicas: {{.Replicas}}
  selector: {matchLabels: {app: web}}
  strategy: {{.Strategy}}
  minReadySeconds: {{.Available}}
  template:
    metadata: {labels: {app: web}, annotations: {{.Pod}}}
    spec:
      terminationGracePeriodSeconds: {{.Grace}}
      containers:
      - name: app
        image: example
        command: [SERVICE, -control, -process-log, {{.LogDir}}, -term, "{{.Term}}", -answers, "{{.Answers}}"]
        env: [{name: VERSION, value: "{{.Version}}"}]
        ports: [{name: http, containerPort: {{or .Fixed 8080}}}]
        startupProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, failureThreshold: 60}
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, failureThreshold: 3}
        livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, timeoutSeconds: {{.Timeout}}, failureThreshold: 2}
{{else}}---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: app, image: example, command: [SERVICE]}]}
{{end}}`))

func (w web) manifest() string {
	var text strings.Builder
	if err := webTemplate.Execute(&text, w); err != nil {
		panic(err) // the template does not fit the struct
	}
	return text.String()
}
