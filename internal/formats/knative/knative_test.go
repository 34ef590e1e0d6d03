package knative_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/formats/knative"
	"github.com/probity-run/probity/internal/manifest"
)

func load(text string) (*manifest.Set, error) {
	return manifest.Load(manifest.Options{Stdin: strings.NewReader(text), Formats: []manifest.Format{knative.Knative(), knative.CloudRun()}}, "-")
}

const begin = `apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello, namespace: "123"}
spec:
  template:
    metadata:
      annotations: {autoscaling.knative.dev/min-scale: "2", %: x}
    spec:
      containerConcurrency: 80
      containers:
      - image: a
`

func service(annotation, rest string) string {
	return strings.Replace(begin, "%", annotation, 1) + rest
}

// container is that of the one Deployment.
func container(t *testing.T, text string) (*appsv1.Deployment, corev1.Container) {
	t.Helper()
	set, err := load(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range set.Objects {
		if d, ok := o.Resource.(*appsv1.Deployment); ok {
			return d, d.Spec.Template.Spec.Containers[0]
		}
	}
	t.Fatal("there is no Deployment")
	return nil, corev1.Container{}
}

// TestKnative: the port may be left out, and a readiness probe too.
func TestKnative(t *testing.T) {
	d, c := container(t, service("a", "        livenessProbe: {httpGet: {path: /livez}, periodSeconds: 7}\n"))
	if d.Namespace != "123" || *d.Spec.Replicas != 2 || c.Name != "user-container" || c.Ports[0].ContainerPort != 8080 {
		t.Errorf("%s in %s, %d replicas, ports %v", c.Name, d.Namespace, *d.Spec.Replicas, c.Ports)
	}
	if got := c.LivenessProbe; got.HTTPGet.Port != intstr.FromInt32(8080) || got.HTTPGet.Path != "/livez" || got.PeriodSeconds != 7 {
		t.Errorf("liveness probe %+v", got)
	}
	if got := c.ReadinessProbe; got == nil || got.TCPSocket == nil || got.TCPSocket.Port != intstr.FromInt32(8080) || c.StartupProbe != nil {
		t.Errorf("readiness probe %+v, startup probe %+v", got, c.StartupProbe)
	}
}

// TestCloudRun: a start is probed by a connection, for four minutes, if nothing else is said.
func TestCloudRun(t *testing.T) {
	d, c := container(t, service("run.googleapis.com/a", "        ports: [{name: h2c, containerPort: 9000}]\n"))
	if d.Namespace != "default" {
		t.Errorf("the namespace is %s: there it is a project", d.Namespace)
	}
	got := c.StartupProbe
	if got == nil || got.TCPSocket == nil || got.TCPSocket.Port != intstr.FromInt32(9000) || got.PeriodSeconds != 240 || got.TimeoutSeconds != 240 || got.FailureThreshold != 1 || c.ReadinessProbe != nil {
		t.Errorf("startup probe %+v, readiness probe %+v", got, c.ReadinessProbe)
	}
	_, c = container(t, service("run.googleapis.com/a", "        startupProbe: {grpc: {}, periodSeconds: 3}\n"))
	if got := c.StartupProbe; got.GRPC == nil || got.GRPC.Port != 8080 || got.PeriodSeconds != 3 {
		t.Errorf("startup probe %+v", got)
	}
}

// TestRemarks: mistakes and what has no effect have the place and the path of the file.
func TestRemarks(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"a field that is none": {strings.Replace(service("a", ""), "    spec:\n", "    timeout: 3\n    spec:\n", 1), "<stdin>:8:5: Service hello: spec.template.timeout: unknown field"},
		"two ports":            {service("a", "        ports: [{containerPort: 1}, {containerPort: 2}]\n"), "<stdin>:12:38: Service hello: spec.template.spec.containers[0].ports[1]: Knative takes one port of one container: requests go there"},
		"a probe's number":     {service("a", "        livenessProbe: {httpGet: {path: /}, successThreshold: 2}\n"), "<stdin>:12:63: Service hello: spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := load(c.text); err == nil || err.Error() != c.want {
				t.Errorf("error is\n%v\nwant\n%s", err, c.want)
			}
		})
	}
	set, err := load(service("a", ""))
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	for _, n := range set.NotApplied {
		if n.Original.Field == "spec.template.spec.containerConcurrency" {
			notes = append(notes, n.String())
		}
	}
	if diff := cmp.Diff([]string{"<stdin>:9:29: Service hello: spec.template.spec.containerConcurrency: it is about requests, which nobody counts or ends here"}, notes); diff != "" {
		t.Errorf("not applied (-want +got):\n%s", diff)
	}
}

// TestUnknownFields: a name that Kubernetes does not know is pointed at where it stands, whatever
// its value.
func TestUnknownFields(t *testing.T) {
	for rest, place := range map[string]string{
		"        imagee: b\n":    "12:9",
		"        resource: {}\n": "12:9",
		"        livenessProbe: {httpGet: {pth: /}, period: 3}\n":    "12:35",
		"        livenessProbe: {httpGet: {path: /}, period: 3}\n":   "12:45",
		"        resources: {limit: {cpu: 1}}\n":                     "12:21",
		"        env: [{name: A, valeu: b}]\n":                       "12:25",
		"      volums: []\n":                                         "12:7",
		"      tolerations: [{key: a, opreator: Exists}]\n":          "12:30",
		"        startupProbe: {tcpSocket: {hots: a}, exec: null}\n": "12:36",
	} {
		t.Run(rest, func(t *testing.T) {
			_, err := load(service("a", rest))
			if err == nil || !strings.HasPrefix(err.Error(), "<stdin>:"+place+": Service hello: spec.template.spec") || !strings.Contains(err.Error(), ": unknown field") {
				t.Errorf("error is %v, want it at %s", err, place)
			}
		})
	}
}

// TestLabels: of labels and annotations, those that have no effect are noted.
func TestLabels(t *testing.T) {
	set, err := load("apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: a\n  annotations: {autoscaling.knative.dev/minScale: '2'}\n" +
		"spec:\n  template:\n    metadata:\n      labels: {team: a}\n      annotations: {autoscaling.knative.dev/minScale: '2', probity.run/after: b}\n    spec: {containers: [{image: a}]}\n")
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, n := range set.NotApplied {
		if n.Original.Object == n.Object {
			fields = append(fields, n.Field)
		}
	}
	if diff := cmp.Diff([]string{"metadata.annotations", "spec.template.metadata.labels"}, fields); diff != "" {
		t.Errorf("not applied (-want +got):\n%s", diff)
	}
}

// TestRecognizes: what is no service of either is left alone.
func TestRecognizes(t *testing.T) {
	for _, text := range []string{
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n",
		"apiVersion: serving.knative.dev/v1\nkind: Route\nmetadata: {name: a}\nspec: {template: {}}\n",
		"apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: a}\n",
	} {
		set, err := load(text)
		if err != nil || len(set.Converted) > 0 {
			t.Errorf("%q is converted, error %v", text, err)
		}
	}
}

// FuzzFormat: whatever the text, it is refused or becomes objects.
func FuzzFormat(f *testing.F) {
	f.Add(service("a", ""))
	f.Add(service("run.googleapis.com/a", "        startupProbe: {grpc: {}, periodSeconds: 3}\n"))
	f.Fuzz(func(t *testing.T, text string) {
		set, err := load(text)
		if err == nil && len(set.Converted) > 0 && len(set.Objects) == 0 {
			t.Errorf("%d documents became no object", len(set.Converted))
		}
	})
}
