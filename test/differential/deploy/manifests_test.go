//go:build kubelet && linux

package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/test/differential/cluster"
)

// calculatorImage is what the node has the calculator as.
const calculatorImage = "probity.test/calculator:1"

// calculator is examples/calculator/deployment.yaml with the image that the node has, and with
// other changes: pairs of what stands there, once, and what is to stand there.
func calculator(t *testing.T, changes ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "examples/calculator/deployment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	changes = append([]string{"ghcr.io/probity-run/calculator:latest", calculatorImage}, changes...)
	for i := 0; i < len(changes); i += 2 {
		if n := strings.Count(text, changes[i]); n != 1 {
			t.Fatalf("%q stands in the calculator's manifest %d times, want once", changes[i], n)
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	return text
}

// single has one replica.
var single = []string{"replicas: 3", "replicas: 1"}

// hurried has one replica, and says after 40 s that there is no progress.
var hurried = []string{"replicas: 3", "replicas: 1\n  progressDeadlineSeconds: 40", "failureThreshold: 60", "failureThreshold: 30"}

// player is a Deployment of the program that plays what it is told, with its flags and further
// fields of its container and its Pod.
func player(flags, container, pod string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {probity.run/command.web: "true"}
    spec:
      terminationGracePeriodSeconds: 1
      volumes: [{name: ledger, emptyDir: {}}]
      ` + pod + `
      containers:
        - name: web
          image: ` + cluster.Image + `
          command: [/player, serve, ` + flags + `]
          env: [{name: PLAYER_LEDGER, value: /ledger}, {name: PLAYER_POD, value: web}]
          volumeMounts: [{name: ledger, mountPath: /ledger}]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 1}
          ` + container + `
`
}
