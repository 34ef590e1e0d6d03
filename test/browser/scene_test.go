package browser

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/chromedp/chromedp"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/metrics"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/proxy"
	"github.com/probity-run/probity/internal/store"
)

// sceneManifest is what the pictures are of.
const sceneManifest = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: calculator, annotations: {deployment.kubernetes.io/revision: "4"}}
spec:
  replicas: 3
  selector: {matchLabels: {app: calculator}}
  template:
    metadata: {labels: {app: calculator}}
    spec:
      containers:
      - name: app
        image: calculator
        command: [calculator, --listen, ":8080"]
        env:
        - {name: LOG_LEVEL, value: info}
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 60}
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, failureThreshold: 1}
        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: calculator}
spec: {selector: {app: calculator}, clusterIP: 127.0.0.10, ports: [{port: 8090, targetPort: http}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: calculator-worker}
spec:
  replicas: 2
  selector: {matchLabels: {app: worker}}
  template:
    metadata: {labels: {app: worker}}
    spec:
      containers:
      - name: app
        image: worker
        livenessProbe: {httpGet: {path: /livez, port: 8080}, periodSeconds: 10}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, annotations: {deployment.kubernetes.io/revision: "1"}}
spec:
  replicas: 2
  selector: {matchLabels: {app: gateway}}
  template:
    metadata: {labels: {app: gateway}}
    spec:
      containers:
      - name: app
        image: gateway
        ports: [{name: http, containerPort: 9000}]
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5}
---
apiVersion: v1
kind: Service
metadata: {name: gateway}
spec: {selector: {app: gateway}, clusterIP: 127.0.0.11, ports: [{port: 9000, targetPort: http}]}
`

// old is the age of most of a scene.
const old = 42 * time.Minute

// scene is a run in which there is a Pod of each state, and a drill that is over.
func scene(t testing.TB) *stage {
	t.Helper()
	s := newStage(t)
	s.manifest(sceneManifest)
	add(s, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "db"}, Data: map[string][]byte{"password": []byte("correct-horse")}}, old)
	revision3 := s.replicaSet("calculator", "7d9c6b5f4", "3")
	revision4 := s.replicaSet("calculator", "6f8d94c7b", "4")
	gateway := s.replicaSet("gateway", "5c8b7d9f66", "1")
	workers := &metav1.OwnerReference{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "calculator-worker", UID: get[*appsv1.StatefulSet](s, "calculator-worker").UID, Controller: new(true)}
	s.rollOut("calculator", 4, 1, "ReplicaSetUpdated")
	s.rollOut("gateway", 2, 2, "NewReplicaSetAvailable")

	s.actor(actor{name: "calculator-7d9c6b5f4-h2xkq", owner: revision3, port: 37121, ready: true, plays: []play{{0, well}}})
	s.actor(actor{name: "calculator-7d9c6b5f4-m8rtw", owner: revision3, port: 37122, plays: []play{{0, well}}, readiness: []play{{0, well}, {-79 * time.Second, redirects}, {-64 * time.Second, refuses}}})
	s.actor(actor{name: "calculator-7d9c6b5f4-pz4vd", owner: revision3, port: 37123, restarts: 2, restarted: -261 * time.Second,
		plays: []play{{0, well}, {-9 * time.Second, silent}}, readiness: []play{{0, well}, {-39 * time.Second, silent}}})
	s.actor(actor{name: "calculator-6f8d94c7b-x5jnl", owner: revision4, port: 37124, age: 11 * time.Second, startup: []play{{0, loads}}})
	s.actor(actor{name: "calculator-worker-0", owner: workers, age: 18 * time.Minute, restarts: 6, backOff: true, plays: []play{{0, refuses}}})
	s.actor(actor{name: "calculator-worker-1", owner: workers, ready: true, plays: []play{{0, well}}})
	s.actor(actor{name: "gateway-5c8b7d9f66-2lqsm", owner: gateway, port: 37131, ready: true, readiness: []play{{0, well}, {-135 * time.Second, unclear}, {-130 * time.Second, well}}})
	s.actor(actor{name: "gateway-5c8b7d9f66-q7hpd", owner: gateway, port: 37132, ready: true, out: true, readiness: []play{{0, well}}})
	s.actor(actor{name: "gateway-5c8b7d9f66-t9wcf", owner: gateway, port: 37133, stopping: true, readiness: []play{{0, well}, {-21 * time.Second, nil}}})
	s.actor(actor{name: "import", failed: true})

	s.serve("calculator", 8090, "calculator-7d9c6b5f4-h2xkq", "calculator-7d9c6b5f4-m8rtw", "calculator-7d9c6b5f4-pz4vd")
	s.serve("gateway", 9000, "gateway-5c8b7d9f66-2lqsm", "gateway-5c8b7d9f66-q7hpd")
	over := s.underWay(3)
	over.Report.Files = []string{"deployment.yaml"}
	s.drills.Watch(over)
	s.events()
	s.sceneLogs()
	return s
}

// replicaSet adds one of a Deployment, and returns who owns its Pods.
func (s *stage) replicaSet(deployment, hash, revision string) *metav1.OwnerReference {
	set := add(s, &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{
		Name: deployment + "-" + hash, Annotations: map[string]string{"deployment.kubernetes.io/revision": revision},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment, UID: get[*appsv1.Deployment](s, deployment).UID, Controller: new(true)}},
	}}, old)
	return &metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: set.Name, UID: set.UID, Controller: new(true)}
}

// rollOut says how far a rollout is.
func (s *stage) rollOut(deployment string, replicas, updated int32, reason string) {
	_, err := store.Modify(s.objects, "default", deployment, func(d *appsv1.Deployment) error {
		d.Status = appsv1.DeploymentStatus{Replicas: replicas, UpdatedReplicas: updated, ObservedGeneration: d.Generation, Conditions: []appsv1.DeploymentCondition{{
			Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: reason, LastUpdateTime: metav1.Time{Time: noon.Add(-11 * time.Second)},
		}}}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// actor is a Pod of the scene.
type actor struct {
	name                         string
	owner                        *metav1.OwnerReference
	port                         int
	age                          time.Duration // default: 42 minutes
	ready, out, stopping, failed bool
	backOff                      bool
	restarts                     int
	restarted                    time.Duration // when, relative to noon
	startup, readiness, plays    []play        // plays is liveness, and readiness if that has none
}

// actor adds a Pod with its past.
func (s *stage) actor(a actor) {
	s.t.Helper()
	if a.age == 0 {
		a.age = old
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: a.name, Annotations: map[string]string{}},
		Spec:       s.template(a.owner), Status: a.status(),
	}
	pod.Spec.NodeName = "here"
	if a.owner != nil {
		pod.OwnerReferences = []metav1.OwnerReference{*a.owner}
		pod.Labels = map[string]string{"app": strings.TrimPrefix(workloadOf(a.owner), "calculator-")}
	}
	for _, c := range pod.Spec.Containers[0].Ports {
		pod.Annotations[manifest.AnnotationPrivatePorts+"app"] = fmt.Sprintf("%d:%d", c.ContainerPort, a.port)
	}
	if a.out {
		pod.Annotations[manifest.AnnotationRotation] = manifest.RotationOut
	}
	if a.stopping {
		pod.Annotations[node.AnnotationStopping+"app"] = "true"
		pod.Annotations[node.AnnotationKillAt+"app"] = noon.Add(9 * time.Second).Format(time.RFC3339Nano)
	}
	if pod.Status.ContainerStatuses[0].State.Running != nil {
		pod.Annotations[node.AnnotationPID+"app"] = strconv.Itoa(a.port + 1000)
	}
	pod = add(s, pod, a.age)
	s.remember(pod, a)
	if a.stopping {
		s.made.Store(noon.Add(-21 * time.Second).Unix())
		if err := store.Delete[*corev1.Pod](s.objects, "default", a.name, store.DeleteOptions{Grace: new(int64(30))}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func workloadOf(owner *metav1.OwnerReference) string {
	if owner.Kind == "ReplicaSet" {
		return owner.Name[:strings.LastIndexByte(owner.Name, '-')]
	}
	return owner.Name
}

// template is what the Pods of a workload are made from; a Pod of its own has no probe.
func (s *stage) template(owner *metav1.OwnerReference) corev1.PodSpec {
	if owner == nil {
		return corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever, Containers: []corev1.Container{{Name: "app", Image: "import"}}}
	}
	if owner.Kind == "StatefulSet" {
		return get[*appsv1.StatefulSet](s, owner.Name).Spec.Template.Spec
	}
	return get[*appsv1.Deployment](s, workloadOf(owner)).Spec.Template.Spec
}

// status is that of the actor's Pod.
func (a actor) status() corev1.PodStatus {
	started := a.startup == nil
	began := noon.Add(-a.age)
	if a.restarted != 0 {
		began = noon.Add(a.restarted)
	}
	c := corev1.ContainerStatus{Name: "app", Started: &started, Ready: a.ready, RestartCount: int32(a.restarts), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Time{Time: began}}}}
	phase := corev1.PodRunning
	switch {
	case a.failed:
		phase, c.State = corev1.PodFailed, corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error", StartedAt: metav1.Time{Time: began}, FinishedAt: metav1.Time{Time: began.Add(time.Minute)}}}
	case a.backOff:
		c.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 5m0s restarting failed container=app pod=" + a.name}}
		c.LastTerminationState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 143, Signal: 15, Reason: "Error", StartedAt: metav1.Time{Time: noon.Add(-300 * time.Second)}, FinishedAt: metav1.Time{Time: noon.Add(-266 * time.Second)},
		}}
	}
	changed := began
	if !a.ready && a.restarted != 0 {
		changed = noon.Add(-38 * time.Second)
	}
	ready := map[bool]corev1.ConditionStatus{true: corev1.ConditionTrue, false: corev1.ConditionFalse}[a.ready]
	return corev1.PodStatus{
		Phase: phase, PodIP: "127.0.1.1", StartTime: &metav1.Time{Time: noon.Add(-a.age)}, ContainerStatuses: []corev1.ContainerStatus{c},
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Time{Time: changed}}},
	}
}

// serve adds the endpoints of a Service, and what its front has carried.
func (s *stage) serve(name string, port int32, pods ...string) {
	slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name + "-x", Labels: map[string]string{discoveryv1.LabelServiceName: name}}, AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{{Name: new(""), Port: new(port)}}}
	state := proxy.PortState{Service: types.NamespacedName{Namespace: "default", Name: name}, Port: port, Address: fmt.Sprintf("127.0.0.10:%d", port), Protocol: "http", Requests: 52_134, InFlight: 2, Latency: latency()}
	for n, pod := range pods {
		address, ready := fmt.Sprintf("127.0.1.1:%d", 37121+n), n == 0
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}})
		state.Endpoints = append(state.Endpoints, proxy.EndpointState{
			Pod: types.NamespacedName{Namespace: "default", Name: pod}, Address: address, Ready: ready, Requests: 21_384 - 4_711*uint64(n), InFlight: max(0, 2-2*n),
		})
		if n == 1 {
			state.Endpoints[n].Failures = map[string]uint64{"timeout": 3}
		}
	}
	state.Answers[2] = state.Requests
	add(s, slice, old)
	traffic := *s.traffic.Load()
	traffic.Ports = append(slices.Clone(traffic.Ports), state)
	s.traffic.Store(&traffic)
}

// latency is that of a service that answers in a few milliseconds.
func latency() metrics.Distribution {
	bounds := []time.Duration{time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond}
	return metrics.Distribution{Bounds: bounds, Counts: []uint64{400, 500, 80, 15, 5, 0}, Sum: 1800 * time.Millisecond}
}

// events adds what was reported.
func (s *stage) events() {
	for n, e := range []struct {
		ago                time.Duration
		count              int32
		kind, name, reason string
		warning            bool
		message            string
	}{
		{1 * time.Second, 8, "Pod", "calculator-7d9c6b5f4-pz4vd", "Unhealthy", true, `Readiness probe failed: Get "http://127.0.0.1:37123/readyz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`},
		{3 * time.Second, 2, "Pod", "calculator-7d9c6b5f4-pz4vd", "Unhealthy", true, `Liveness probe failed: Get "http://127.0.0.1:37123/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`},
		{4 * time.Second, 13, "Pod", "calculator-7d9c6b5f4-m8rtw", "Unhealthy", true, "Readiness probe failed: HTTP probe failed with statuscode: 503"},
		{11 * time.Second, 1, "Deployment", "calculator", "ScalingReplicaSet", false, "Scaled up replica set calculator-6f8d94c7b from 0 to 1"},
		{21 * time.Second, 1, "Pod", "gateway-5c8b7d9f66-t9wcf", "Killing", false, "Stopping container app"},
		{74 * time.Second, 3, "Pod", "calculator-7d9c6b5f4-m8rtw", "ProbeWarning", true, "Readiness probe warning: Probe terminated redirects"},
		{258 * time.Second, 1, "Pod", "calculator-7d9c6b5f4-pz4vd", "Killing", false, "Container app failed liveness probe, will be restarted"},
		{266 * time.Second, 6, "Pod", "calculator-worker-0", "BackOff", true, "Back-off restarting failed container app in pod calculator-worker-0"},
	} {
		at := metav1.Time{Time: noon.Add(-e.ago)}
		add(s, &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("event-%d", n)}, Reason: e.reason, Message: e.message, Count: e.count, EventTime: metav1.MicroTime(at),
			Type:           map[bool]string{true: corev1.EventTypeWarning, false: corev1.EventTypeNormal}[e.warning],
			InvolvedObject: corev1.ObjectReference{Kind: e.kind, Namespace: "default", Name: e.name},
		}, e.ago)
	}
}

// sceneLogs writes what the calculators have printed.
func (s *stage) sceneLogs() {
	say := func(pod string, n int) []string {
		var lines []string
		for i := range n {
			lines = append(lines, fmt.Sprintf("\x1b[32mINFO\x1b[0m  computed %d × %d in %d.%d ms", 100+i*37%900, 3+i*11%90, 1+i%3, i*7%10))
			if i%9 == 8 {
				lines = append(lines, fmt.Sprintf("\x1b[33mWARN\x1b[0m  pool: %d of 32 connections in use", 20+i%12))
			}
			if pod == "pz4vd" && i == n-8 {
				lines = append(lines, "\x1b[31mERROR\x1b[0m pool exhausted: 32 of 32 connections in use, 14 requests wait")
			}
		}
		return lines
	}
	for i, pod := range []string{"h2xkq", "m8rtw", "pz4vd"} {
		instance := map[string]int{"pz4vd": 2}[pod]
		s.writeLog("calculator-7d9c6b5f4-"+pod, instance, time.Duration(730+100*i)*time.Millisecond, say(pod, 60)...)
	}
	s.writeLog("calculator-6f8d94c7b-x5jnl", 0, time.Second, "INFO  reading weights", "INFO  loading weights: 1.0 of 4.0 MiB", "INFO  loading weights: 2.1 of 4.0 MiB")
}

// enter signs in, and lets requests flow: rates are what two looks differ by.
func (s *stage) enter(x *tab) {
	s.t.Helper()
	now := s.traffic.Load()
	before := proxy.State{Ports: slices.Clone(now.Ports)}
	for i := range before.Ports {
		before.Ports[i].Requests -= []uint64{236, 8}[i]
		before.Ports[i].Latency = metrics.Distribution{}
	}
	s.traffic.Store(&before)
	s.sec.Add(-2)
	x.do(chromedp.Navigate(s.link()))
	s.sec.Add(2)
	s.traffic.Store(now)
}
