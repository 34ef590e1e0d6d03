package manifest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func checkNotes(t *testing.T, notes []Note, want []string) {
	t.Helper()
	var got []string
	for _, n := range notes {
		got = append(got, n.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestNotApplied also is the proof that a default is never listed: the Pod has many more fields in
// the end.
func TestNotApplied(t *testing.T) {
	set, err := loadText(Options{}, "a.yaml", []byte(`apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  serviceAccountName: web
  nodeSelector: {disk: ssd}
  tolerations:
  containers:
  - name: app
    image: app:1
    resources:
      limits: {cpu: 1}
    volumeMounts:
    - name: data
      mountPath: /data
  initContainers:
  - {name: init, image: app:1, tty: true}
  volumes:
  - name: data
    emptyDir: {medium: Memory}
  - name: claim
    persistentVolumeClaim: {claimName: c}
  - name: config
    configMap: {name: c}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: None, type: ClusterIP, selector: {a: b}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: out}
spec: {type: NodePort, ports: [{port: 80, nodePort: 30000}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, set.NotApplied, []string{
		"a.yaml:5:23: Pod web: spec.serviceAccountName: there are no service accounts",
		"a.yaml:6:3: Pod web: spec.nodeSelector: there is one machine, so nothing is scheduled",
		"a.yaml:10:12: Pod web: spec.containers[0].image: the program runs from its command, no image is pulled",
		"a.yaml:12:7: Pod web: spec.containers[0].resources.limits: limits are not enforced",
		"a.yaml:15:18: Pod web: spec.containers[0].volumeMounts[0].mountPath: nothing is mounted, the folder is in $PROBITY_VOLUME_<NAME>",
		"a.yaml:17:25: Pod web: spec.initContainers[0].image: the program runs from its command, no image is pulled",
		"a.yaml:17:37: Pod web: spec.initContainers[0].tty: standard input is empty and there is no terminal",
		"a.yaml:20:24: Pod web: spec.volumes[0].emptyDir.medium: the folder is on disk",
		"a.yaml:22:5: Pod web: spec.volumes[1].persistentVolumeClaim: only emptyDir, configMap and secret volumes are made here",
		"a.yaml:34:53: Service out: spec.ports[0].nodePort: the Service listens on this machine's loopback addresses only",
	})
}

// TestServiceProtocolNotApplied has Service ports of all protocols. Only those that a cluster would
// serve and Probity does not are named.
func TestServiceProtocolNotApplied(t *testing.T) {
	set, err := loadText(Options{}, "a.yaml", []byte(`apiVersion: v1
kind: Service
metadata: {name: dns}
spec:
  selector: {a: b}
  ports:
  - {name: dns, port: 53, protocol: UDP}
  - {name: dns-tcp, port: 53, protocol: TCP}
  - name: diameter
    port: 3868
    protocol: SCTP
  - {name: web, port: 80}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {a: b}, ports: [{port: 53, protocol: UDP}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, set.NotApplied, []string{
		"a.yaml:7:37: Service dns: spec.ports[0].protocol: the Service carries TCP only, so nobody answers on this port",
		"a.yaml:11:15: Service dns: spec.ports[2].protocol: the Service carries TCP only, so nobody answers on this port",
	})
}

// Every pattern must name a field that exists, or it would never match.
func TestNotAppliedPatterns(t *testing.T) {
	tables := map[string]map[string]string{"Deployment": {}, "Service": objectNotApplied("Service"), "StatefulSet": objectNotApplied("StatefulSet")}
	for pattern := range podNotApplied() {
		tables["Deployment"]["spec.template.spec."+pattern] = ""
	}
	for _, k := range objectTypes() {
		for pattern := range tables[k.kind] {
			if !fieldExists(k, pattern) {
				t.Errorf("%s has no field %s", k.kind, pattern)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	set, err := loadText(Options{}, "a.yaml", []byte(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    probity.run/command.app: go run .
    probity.run/dependency.database: owned
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations:
        probity.run/port: fixed
        probity.run/command.app: go run .
        probity.run/dependency.database: owned
        probity.run/drill.deadlock.app: kill -USR1 $PID
        probity.run/ports: fixed
        example.com/x: z
    spec:
      containers:
      - name: app
        image: a
        ports: [{containerPort: 80}, {containerPort: 80, protocol: UDP}]
        env:
        - {name: PATH, value: /a}
        - {name: PATH, value: "/b:$(PATH)"}
        - {name: PATH, value: /c}
      - name: side
        image: a
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
  annotations: {probity.run/hold: 10s, probity.run/drain: 5s}
spec: {ports: [{port: 80}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, set.Warnings, []string{
		"a.yaml:14:27: Deployment web: spec.template.metadata.annotations[probity.run/port]: unknown annotation, it has no effect, did you mean probity.run/ports?",
		"a.yaml:6:30: Deployment web: metadata.annotations[probity.run/command.app]: no effect here, it belongs on the pod template",
		"a.yaml:7:38: Deployment web: metadata.annotations[probity.run/dependency.database]: no effect here, it belongs on the pod template",
		`a.yaml:28:11: Deployment web: spec.template.spec.containers[0].env[2]: hides previous definition of "PATH", which may be dropped when using apply`,
		"a.yaml:31:17: Deployment web: spec.template.spec.containers[1].ports[0]: duplicate port definition with spec.template.spec.containers[0].ports[0]",
		"a.yaml:37:59: Service web: metadata.annotations[probity.run/drain]: no effect here, it belongs on the pod template",
	})
}

// TestNotAppliedOfObject: an object that comes from no file has the same notes, by path.
func TestNotAppliedOfObject(t *testing.T) {
	text := []byte(`apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      nodeSelector: {disk: ssd}
      containers:
      - {name: app, image: "app:1", tty: true, volumeMounts: [{name: data, mountPath: /data}]}
      volumes: [{name: data, hostPath: {path: /x}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, ports: [{name: t, port: 80, nodePort: 30000, protocol: TCP}, {name: u, port: 53, protocol: UDP}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {image: x}
`)
	set, err := loadText(Options{}, "a.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, n := range set.NotApplied {
		want = append(want, n.Field+": "+n.Message)
	}
	// as it was written: Load has added the defaults since
	for document := range strings.SplitSeq(string(text), "---\n") {
		var kind struct{ Kind string }
		if err := yaml.Unmarshal([]byte(document), &kind); err != nil {
			t.Fatal(err)
		}
		object := map[string]Resource{"Deployment": &appsv1.Deployment{}, "Service": &corev1.Service{}, "ConfigMap": &corev1.ConfigMap{}}[kind.Kind]
		if err := yaml.Unmarshal([]byte(document), object); err != nil {
			t.Fatal(err)
		}
		for _, w := range NotApplied(object) {
			got = append(got, w.Field+": "+w.Message)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 5 {
		t.Errorf("notes (-of the file +of the object):\n%s", diff)
	}
}

// TestNotAppliedDefaults: clients send objects back with all their defaults, which say nothing.
func TestNotAppliedDefaults(t *testing.T) {
	for _, image := range []string{"app:1", "app"} { // which decides on the pull policy
		pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: image}}}}
		pod.Name = "web"
		Default(pod)
		pod.Spec.Containers[0].TerminationMessagePath = "/elsewhere"
		var got []string
		for _, w := range NotApplied(pod) {
			got = append(got, w.Field)
		}
		if want := []string{"spec.containers[0].image", "spec.containers[0].terminationMessagePath"}; !slices.Equal(got, want) {
			t.Errorf("%s: notes on %v, want %v", image, got, want)
		}
	}
}
