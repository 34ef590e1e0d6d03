package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// TestMarkDefaults: what is the same if nobody writes it is marked, and nothing else.
func TestMarkDefaults(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "app", Image: "app:1", Command: []string{"app", "-v"}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}}, Env: []corev1.EnvVar{{Name: "TRUE", Value: "true"}, {Name: "POD", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}},
		LivenessProbe: &corev1.Probe{PeriodSeconds: 7, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}},
	}}}}
	manifest.Default(pod)
	spec, err := json.Marshal(pod.Spec)
	if err != nil {
		t.Fatal(err)
	}
	got, err := markDefaults(&pod.Spec, spec)
	if err != nil {
		t.Fatal(err)
	}
	const want = `containers:
  - name: app
    image: app:1
    command:
      - app
      - -v
    ports:
      - containerPort: 8080
        protocol: TCP # default
    env:
      - name: "TRUE"
        value: "true"
      - name: POD
        valueFrom:
          fieldRef:
            apiVersion: v1 # default
            fieldPath: metadata.name
    resources: {} # default
    livenessProbe:
      tcpSocket:
        port: 8080
      timeoutSeconds: 1 # default
      periodSeconds: 7
      successThreshold: 1 # default
      failureThreshold: 3 # default
    terminationMessagePath: /dev/termination-log # default
    terminationMessagePolicy: File # default
    imagePullPolicy: IfNotPresent # default
restartPolicy: Always # default
terminationGracePeriodSeconds: 30 # default
dnsPolicy: ClusterFirst # default
securityContext: {} # default
schedulerName: default-scheduler # default
enableServiceLinks: true # default
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMarkDefaultsOfMuch: what has no defaults costs nothing, and a spec with very many fields is
// written all the same, which says that not all defaults are marked.
func TestMarkDefaultsOfMuch(t *testing.T) {
	marked := func(pod *corev1.Pod) string {
		t.Helper()
		manifest.Default(pod)
		spec, err := json.Marshal(pod.Spec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := markDefaults(&pod.Spec, spec)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "app:1", Args: slices.Repeat([]string{"arg"}, 2000)}}}}
	for i := range 1000 {
		pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, corev1.EnvVar{Name: fmt.Sprint("V", i), Value: strings.Repeat("v", 100)})
	}
	got := marked(pod)
	if strings.Contains(got, notMarked) || !strings.HasSuffix(got, "enableServiceLinks: true # default\n") {
		t.Errorf("of a large environment the end is %q", got[len(got)-100:])
	}
	for i := range 500 {
		pod.Spec.Containers[0].Ports = append(pod.Spec.Containers[0].Ports, corev1.ContainerPort{ContainerPort: int32(i + 1)})
	}
	got = marked(pod)
	if !strings.Contains(got, "protocol: TCP # default\n") || !strings.HasSuffix(got, "enableServiceLinks: true\n"+notMarked) {
		t.Errorf("of many ports the end is %q", got[len(got)-100:])
	}
	var values map[string]any
	if err := yaml.Unmarshal([]byte(got), &values); err != nil || values["dnsPolicy"] != "ClusterFirst" {
		t.Errorf("it is no YAML: %v", err)
	}
}

// TestMarkedSpecsAreKept: one more Pod than are kept puts one of the others out.
func TestMarkedSpecsAreKept(t *testing.T) {
	var m markedSpecs
	uid := func(i int) types.UID { return types.UID(strconv.Itoa(i)) }
	for i := range maxSpecs {
		m.keep(uid(i), markedSpec{})
	}
	m.keep(uid(0), markedSpec{yaml: "other"})
	if len(m.of) != maxSpecs || m.of[uid(0)].yaml != "other" {
		t.Errorf("%d are kept, want %d, and the newer one of the same Pod", len(m.of), maxSpecs)
	}
	m.keep(uid(maxSpecs), markedSpec{})
	if _, ok := m.of[uid(maxSpecs)]; !ok || len(m.of) != maxSpecs {
		t.Errorf("%d are kept, want %d with the last one: %v", len(m.of), maxSpecs, ok)
	}
}

// TestSpecOnPage: defaults are in italics, and what a manifest says is text.
func TestSpecOnPage(t *testing.T) {
	f := newFixture(t)
	f.pod(t, "web", func(pod *corev1.Pod) {
		pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "SAID", Value: "<img> " + defaultMark + "\nx"}}
	})
	for range 2 { // made, and kept
		page := f.ask(http.MethodGet, "/ui/pods/default/web").Body.String()
		if !strings.Contains(page, "<i>restartPolicy: Always # default\n</i>") || strings.Contains(page, "<img") {
			t.Error("the spec is without its defaults, or its text is markup")
		}
	}
}

func BenchmarkMarkDefaults(b *testing.B) {
	pod := newFixture(b).pod(b, "web")
	spec, err := json.Marshal(pod.Spec)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := markDefaults(&pod.Spec, spec); err != nil {
			b.Fatal(err)
		}
	}
}
