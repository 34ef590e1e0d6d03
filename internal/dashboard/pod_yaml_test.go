package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

// TestMarkDefaults: what is the same if nobody writes it is marked, and nothing else.
func TestMarkDefaults(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
		Name: "app", Image: "app:1", Command: []string{"app", "-v"}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}}, Env: []corev1.EnvVar{{Name: "TRUE", Value: "true"}},
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
