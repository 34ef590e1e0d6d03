package manifest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"
)

// Section K of the conformance cases, as far as it is about the effective configuration.
func TestProbeDefaults(t *testing.T) {
	want := corev1.Probe{PeriodSeconds: 10, TimeoutSeconds: 1, SuccessThreshold: 1, FailureThreshold: 3}
	for name, text := range map[string]string{
		"K01 absent": "livenessProbe: {tcpSocket: {port: 80}}",
		"K02 zero":   "livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 0, timeoutSeconds: 0, successThreshold: 0, failureThreshold: 0, initialDelaySeconds: 0}",
		"null":       "livenessProbe: {tcpSocket: {port: 80}, periodSeconds: null, timeoutSeconds: ~}",
	} {
		t.Run(name, func(t *testing.T) {
			got := *container(t, text).LivenessProbe
			got.ProbeHandler = corev1.ProbeHandler{}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("probe (-want +got):\n%s", diff)
			}
		})
	}
	explicit := *container(t, "livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 4, initialDelaySeconds: 5, terminationGracePeriodSeconds: 6}").LivenessProbe
	explicit.ProbeHandler = corev1.ProbeHandler{}
	if diff := cmp.Diff(corev1.Probe{PeriodSeconds: 2, TimeoutSeconds: 3, SuccessThreshold: 1, FailureThreshold: 4, InitialDelaySeconds: 5, TerminationGracePeriodSeconds: new(int64(6))}, explicit); diff != "" {
		t.Errorf("explicit probe (-want +got):\n%s", diff)
	}
}

func TestHandlerDefaults(t *testing.T) {
	c := container(t, "livenessProbe: {httpGet: {port: 80}}\nreadinessProbe: {grpc: {port: 80}}\nlifecycle: {postStart: {httpGet: {port: 80}}, preStop: {httpGet: {port: 80, path: /bye, scheme: HTTPS}}}")
	for name, tt := range map[string]struct {
		get          *corev1.HTTPGetAction
		path, scheme string
	}{
		"K03 probe":         {c.LivenessProbe.HTTPGet, "/", "HTTP"},
		"K06 hook":          {c.Lifecycle.PostStart.HTTPGet, "/", "HTTP"},
		"K06 explicit hook": {c.Lifecycle.PreStop.HTTPGet, "/bye", "HTTPS"},
	} {
		if tt.get.Path != tt.path || string(tt.get.Scheme) != tt.scheme {
			t.Errorf("%s: %s %s, want %s %s", name, tt.get.Path, tt.get.Scheme, tt.path, tt.scheme)
		}
	}
	if service := c.ReadinessProbe.GRPC.Service; service == nil || *service != "" {
		t.Errorf("K04 grpc service = %v, want an empty string", service)
	}
}

func TestPodDefaults(t *testing.T) {
	o := load(t, pod("ports: [{containerPort: 80}]\nresources: {limits: {cpu: 1}}")+"\n  hostNetwork: true\n  volumes: [{name: a}, {name: b, configMap: {name: c}}, {name: d, secret: {secretName: e}}]\n")
	p := o.Resource.(*corev1.Pod)
	got, err := yaml.Marshal(map[string]any{"namespace": p.Namespace, "spec": p.Spec})
	if err != nil {
		t.Fatal(err)
	}
	want := `namespace: default
spec:
  containers:
  - image: app:1
    imagePullPolicy: IfNotPresent
    name: app
    ports:
    - containerPort: 80
      hostPort: 80
      protocol: TCP
    resources:
      limits:
        cpu: "1"
      requests:
        cpu: "1"
    terminationMessagePath: /dev/termination-log
    terminationMessagePolicy: File
  dnsPolicy: ClusterFirst
  enableServiceLinks: true
  hostNetwork: true
  restartPolicy: Always
  schedulerName: default-scheduler
  securityContext: {}
  terminationGracePeriodSeconds: 30
  volumes:
  - emptyDir: {}
    name: a
  - configMap:
      defaultMode: 420
      name: c
    name: b
  - name: d
    secret:
      defaultMode: 420
      secretName: e
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("K05 pod (-want +got):\n%s", diff)
	}
}

// K09 and R166: a Pod's negative grace period becomes 1, a template's stays for the Pod to come.
func TestNegativeGrace(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want int64
		at   string
	}{
		"pod":      {pod("") + "\n  terminationGracePeriodSeconds: -5\n", 1, "app.yaml:9:34: Pod web: spec"},
		"template": {deployment("replicas: 1") + "      terminationGracePeriodSeconds: -5\n", -5, "app.yaml:11:38: Deployment web: spec.template.spec"},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := loadText(Options{}, "app.yaml", []byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			_, spec, _, _ := set.Objects[0].Template()
			if got := *spec.TerminationGracePeriodSeconds; got != tt.want {
				t.Errorf("grace = %d, want %d", got, tt.want)
			}
			want := tt.at + ".terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
			if len(set.Warnings) != 1 || set.Warnings[0].String() != want {
				t.Errorf("warnings\n got %v\nwant %v", set.Warnings, want)
			}
		})
	}
}

// R205.
func TestControllerDefaults(t *testing.T) {
	d := load(t, deployment("strategy: {}")).Resource.(*appsv1.Deployment).Spec
	quarter := intstr.FromString("25%")
	want := appsv1.DeploymentStrategy{Type: "RollingUpdate", RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: &quarter, MaxUnavailable: &quarter}}
	if diff := cmp.Diff(want, d.Strategy); diff != "" {
		t.Errorf("strategy (-want +got):\n%s", diff)
	}
	if *d.Replicas != 1 || *d.RevisionHistoryLimit != 10 || *d.ProgressDeadlineSeconds != 600 || d.MinReadySeconds != 0 {
		t.Errorf("deployment = %d %d %d %d, want 1 10 600 0", *d.Replicas, *d.RevisionHistoryLimit, *d.ProgressDeadlineSeconds, d.MinReadySeconds)
	}
	if zero := load(t, deployment("replicas: 0")).Resource.(*appsv1.Deployment).Spec; *zero.Replicas != 0 {
		t.Errorf("explicit replicas = %d, want 0", *zero.Replicas)
	}
	s := load(t, strings.Replace(deployment("replicas: 2"), "kind: Deployment", "kind: StatefulSet", 1)).Resource.(*appsv1.StatefulSet).Spec
	if s.PodManagementPolicy != "OrderedReady" || s.UpdateStrategy.Type != "RollingUpdate" || *s.UpdateStrategy.RollingUpdate.Partition != 0 || *s.Replicas != 2 {
		t.Errorf("stateful set = %+v", s)
	}
	r := load(t, strings.Replace(deployment("minReadySeconds: 1"), "kind: Deployment", "kind: ReplicaSet", 1)).Resource.(*appsv1.ReplicaSet).Spec
	if *r.Replicas != 1 || r.Template.Spec.EnableServiceLinks != nil {
		t.Errorf("replica set = %+v", r)
	}
}

func TestServiceDefaults(t *testing.T) {
	const head = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n"
	s := load(t, head+"  ports: [{port: 80, name: a}, {port: 81, name: b, targetPort: web, protocol: UDP}]\n").Resource.(*corev1.Service).Spec
	want := corev1.ServiceSpec{Type: "ClusterIP", SessionAffinity: "None", InternalTrafficPolicy: new(corev1.ServiceInternalTrafficPolicyCluster),
		Ports: []corev1.ServicePort{{Name: "a", Port: 80, TargetPort: intstr.FromInt32(80), Protocol: "TCP"}, {Name: "b", Port: 81, TargetPort: intstr.FromString("web"), Protocol: "UDP"}}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("service (-want +got):\n%s", diff)
	}
	sticky := load(t, head+"  sessionAffinity: ClientIP\n  type: NodePort\n  ports: [{port: 80}]\n").Resource.(*corev1.Service).Spec
	if *sticky.SessionAffinityConfig.ClientIP.TimeoutSeconds != 10800 || sticky.ExternalTrafficPolicy != "Cluster" {
		t.Errorf("sticky service = %+v", sticky)
	}
}

func TestPullPolicy(t *testing.T) {
	for image, want := range map[string]corev1.PullPolicy{
		"app": "Always", "app:latest": "Always", "host:5000/app": "Always", "app:latest@sha256:0": "Always",
		"app:1": "IfNotPresent", "host:5000/app:1": "IfNotPresent", "app@sha256:0": "IfNotPresent", "": "IfNotPresent",
	} {
		if got := pullPolicy(image); got != want {
			t.Errorf("pullPolicy(%q) = %s, want %s", image, got, want)
		}
	}
}

func TestSecretData(t *testing.T) {
	s := load(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: eA==, b: eA==}\nstringData: {b: \"y\", c: z}\n").Resource.(*corev1.Secret)
	want := map[string][]byte{"a": []byte("x"), "b": []byte("y"), "c": []byte("z")}
	if diff := cmp.Diff(want, s.Data); diff != "" || s.StringData != nil || s.Type != "Opaque" {
		t.Errorf("secret %s %v (-want +got):\n%s", s.Type, s.StringData, diff)
	}
}

func container(t *testing.T, fields string) corev1.Container {
	t.Helper()
	return load(t, pod(fields)).Resource.(*corev1.Pod).Spec.Containers[0]
}

// serverFields has one of each kind with a status, as a server keeps it.
func serverFields() []Resource {
	meta := metav1.ObjectMeta{
		Name: "a", UID: "1", ResourceVersion: "2", Generation: 3, CreationTimestamp: metav1.Unix(1, 0), DeletionTimestamp: new(metav1.Unix(2, 0)),
		DeletionGracePeriodSeconds: new(int64(4)), ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "m"}},
	}
	objects := []Resource{
		&corev1.Pod{ObjectMeta: meta, Status: corev1.PodStatus{Phase: corev1.PodRunning}},
		&corev1.Service{ObjectMeta: meta, Status: corev1.ServiceStatus{LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{{IP: "127.0.0.1"}}}}},
		&corev1.ConfigMap{ObjectMeta: meta},
		&corev1.Secret{ObjectMeta: meta},
		&appsv1.Deployment{ObjectMeta: meta, Status: appsv1.DeploymentStatus{Replicas: 1}},
		&appsv1.ReplicaSet{ObjectMeta: meta, Status: appsv1.ReplicaSetStatus{Replicas: 1}},
		&appsv1.StatefulSet{ObjectMeta: meta, Status: appsv1.StatefulSetStatus{Replicas: 1}},
	}
	for _, r := range objects {
		r.SetSelfLink("/s")
	}
	return objects
}

// ofServer is what a server sets of an object.
func ofServer(r Resource) map[string]any {
	meta := metav1.ObjectMeta{
		UID: r.GetUID(), ResourceVersion: r.GetResourceVersion(), Generation: r.GetGeneration(), CreationTimestamp: r.GetCreationTimestamp(),
		DeletionTimestamp: r.GetDeletionTimestamp(), DeletionGracePeriodSeconds: r.GetDeletionGracePeriodSeconds(),
		ManagedFields: r.GetManagedFields(),
	}
	fields := map[string]any{"metadata": meta, "selfLink": r.GetSelfLink()}
	if status := reflect.ValueOf(r).Elem().FieldByName("Status"); status.IsValid() {
		fields["status"] = status.Interface()
	}
	return fields
}

// TestDefaultKeepsWhatAServerSets: an update has defaults too, and must lose neither status nor
// UID.
func TestDefaultKeepsWhatAServerSets(t *testing.T) {
	for _, r := range serverFields() {
		want := ofServer(r)
		Default(r)
		if diff := cmp.Diff(want, ofServer(r)); diff != "" {
			t.Errorf("%T (-before +after):\n%s", r, diff)
		}
		if r.GetNamespace() != "default" {
			t.Errorf("%T: namespace = %q, want the default", r, r.GetNamespace())
		}
	}
}

func TestPrepareForCreate(t *testing.T) {
	for _, r := range serverFields() {
		PrepareForCreate(r)
		fresh := reflect.New(reflect.TypeOf(r).Elem()).Interface().(Resource)
		if diff := cmp.Diff(ofServer(fresh), ofServer(r)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", r, diff)
		}
		if r.GetName() != "a" {
			t.Errorf("%T: name = %q, want a", r, r.GetName())
		}
	}
}

// TestLoadClearsWhatAServerSets: a manifest may be the output of kubectl get -o yaml.
func TestLoadClearsWhatAServerSets(t *testing.T) {
	for _, r := range serverFields() {
		kind := strings.TrimPrefix(reflect.TypeOf(r).String(), "*v1.")
		t.Run(kind, func(t *testing.T) {
			o := load(t, exported(kind))
			fresh := reflect.New(reflect.TypeOf(r).Elem()).Interface().(Resource)
			if diff := cmp.Diff(ofServer(fresh), ofServer(o.Resource)); diff != "" {
				t.Errorf("what only a server sets (-want +got):\n%s", diff)
			}
		})
	}
}

// exported is an object as kubectl prints it.
func exported(kind string) string {
	text := deployment("replicas: 1")
	status := "status: {replicas: 1}\n"
	switch kind {
	case "Pod":
		text, status = pod("")+"\n", "status: {phase: Running}\n"
	case "Service":
		text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
		status = "status: {loadBalancer: {ingress: [{ip: 127.0.0.1}]}}\n"
	case "ConfigMap", "Secret":
		text, status = "apiVersion: v1\nkind: "+kind+"\nmetadata: {name: web}\n", ""
	case "ReplicaSet", "StatefulSet":
		text = strings.Replace(text, "kind: Deployment", "kind: "+kind, 1)
	}
	return strings.Replace(text, "{name: web}", "{name: web, uid: b, resourceVersion: '1', generation: 2, "+
		"creationTimestamp: '2024-01-01T00:00:00Z', managedFields: [{manager: x}]}", 1) + status
}
