package traffic

import (
	"strings"
	"testing"
	"text/template"

	"github.com/probity-run/probity/test/harness"
)

// web is a Deployment of the scripted service behind a Service, both named web.
type web struct {
	Port     int // of the Service
	Replicas int
	Ledger   string // folder of the replicas' books
	Term     string // what the service does on SIGTERM
	Answers  string // of the service, as its flag takes them
	// Version is in the template's environment: another one rolls.
	Version string
	// Strategy, Pod and Service are YAML flow mappings: of the Deployment's strategy, of
	// annotations on the Pods and on the Service.
	Strategy, Pod, Service string
	// Label is on the Deployment itself and Setting in a ConfigMap beside it: another one rolls
	// nothing.
	Label, Setting string
	// Available is minReadySeconds.
	Available int
	// Grace is the grace period in seconds.
	Grace int
	// Fixed has the program listen on the declared port, which is this one, instead of PORT.
	Fixed int
	// Gone has another Pod instead of the Deployment, as a manifest with nothing to run is refused.
	Gone bool
}

// newWeb is three replicas that end gracefully.
func newWeb(t *testing.T) web {
	return web{
		Port: harness.FreePort(t), Replicas: 3, Ledger: t.TempDir(), Term: "graceful", Version: "1", Strategy: "{type: RollingUpdate}",
		Pod: "{}", Service: "{}", Label: "a", Setting: "a", Grace: 10,
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
        command: [SERVICE, -control, -ledger, {{.Ledger}}, -term, "{{.Term}}", -answers, "{{.Answers}}"]
        env: [{name: VERSION, value: "{{.Version}}"}]
        ports: [{name: http, containerPort: {{or .Fixed 8080}}}]
        readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1, failureThreshold: 3}
        livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 1, failureThreshold: 2}
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
