package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// mergeTest is what three-way merges of specs in YAML come to, with defaults.
type mergeTest struct{ live, before, desired, want string }

// decoded reads the fields of an object, whose kind is given by its type.
func decoded[T Resource](t *testing.T, text string, make func() T) T {
	t.Helper()
	o := make()
	if err := yaml.UnmarshalStrict([]byte(text), o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

func testMerge[T Resource](t *testing.T, make func() T, tests map[string]mergeTest) {
	t.Helper()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			live, desired := decoded(t, tt.live, make), decoded(t, tt.desired, make)
			Default(live)
			var before Resource
			if tt.before != "" {
				before = decoded(t, tt.before, make)
			}
			given := live.DeepCopyObject()
			got := Merge(live, before, desired)
			Default(got)
			want := decoded(t, tt.want, make)
			Default(want)
			if diff := cmp.Diff(want, got.(T)); diff != "" {
				t.Errorf("merged (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(given, live.DeepCopyObject()); diff != "" {
				t.Errorf("Merge changed the live object:\n%s", diff)
			}
		})
	}
}

func TestMergeDeployment(t *testing.T) {
	testMerge(t, func() *appsv1.Deployment { return &appsv1.Deployment{} }, map[string]mergeTest{
		"nothing changed": {
			live:    "{metadata: {uid: u, labels: {a: x, b: y}}, spec: {replicas: 5}, status: {replicas: 5}}",
			before:  "{metadata: {labels: {a: z}}, spec: {replicas: 2}}",
			desired: "{metadata: {labels: {a: z}}, spec: {replicas: 2}}",
			want:    "{metadata: {uid: u, labels: {a: x, b: y}}, spec: {replicas: 5}, status: {replicas: 5}}",
		},
		"another field changed": {
			live:    "{spec: {replicas: 5, template: {spec: {containers: [{name: a, image: i}]}}}}",
			before:  "{spec: {replicas: 2, template: {spec: {containers: [{name: a, image: i}]}}}}",
			desired: "{spec: {replicas: 2, template: {spec: {containers: [{name: a, image: j}]}}}}",
			want:    "{spec: {replicas: 5, template: {spec: {containers: [{name: a, image: j}]}}}}",
		},
		"the field itself changed": {
			live: "{spec: {replicas: 5}}", before: "{spec: {replicas: 2}}", desired: "{spec: {replicas: 3}}", want: "{spec: {replicas: 3}}",
		},
		"a field taken out has its default": {
			live: "{spec: {replicas: 5}}", before: "{spec: {replicas: 2}}", desired: "{spec: {}}", want: "{spec: {replicas: 1}}",
		},
		"nothing is known of before": {
			live:    "{metadata: {annotations: {theirs: x}}, spec: {replicas: 5, paused: true, minReadySeconds: 3}}",
			desired: "{metadata: {annotations: {ours: y}}, spec: {minReadySeconds: 4}}",
			want:    "{metadata: {annotations: {theirs: x, ours: y}}, spec: {replicas: 5, paused: true, minReadySeconds: 4}}",
		},
		"labels of several": {
			live:    "{metadata: {labels: {theirs: x, changed: x, gone: x, both: x}}}",
			before:  "{metadata: {labels: {gone: x, both: a, taken: x}}}",
			desired: "{metadata: {labels: {both: b, taken: x, new: y}}}",
			want:    "{metadata: {labels: {theirs: x, changed: x, both: b, new: y}}}",
		},
		"the last label": {
			live: "{metadata: {labels: {theirs: x, ours: x}}}", before: "{metadata: {labels: {ours: x}}}", desired: "{metadata: {}}",
			want: "{metadata: {labels: {theirs: x}}}",
		},
		"containers and their environment": {
			live: `{spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: THEIRS, value: x}, {name: GONE, value: x}, {name: KEPT, value: changed}]},
				{name: sidecar, image: s}]}}}}`,
			before:  "{spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: GONE, value: x}, {name: KEPT, value: x}]}, {name: old, image: o}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: b, image: b}, {name: a, image: j, env: [{name: NEW, value: x}, {name: KEPT, value: x}]}]}}}}",
			want: `{spec: {template: {spec: {containers: [{name: b, image: b}, {name: a, image: j, env: [{name: NEW, value: x}, {name: KEPT, value: changed},
				{name: THEIRS, value: x}]}, {name: sidecar, image: s}]}}}}`,
		},
		"a container that somebody took out": {
			live:    "{spec: {template: {spec: {containers: [{name: a, image: i}]}}}}",
			before:  "{spec: {template: {spec: {containers: [{name: a, image: i}, {name: b, image: i}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: a, image: j}, {name: b, image: i}]}}}}",
			want:    "{spec: {template: {spec: {containers: [{name: a, image: j}]}}}}",
		},
		"the last of the environment": {
			live:    "{spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: OURS, value: x}, {name: THEIRS, value: x}]}]}}}}",
			before:  "{spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: OURS, value: x}]}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: a, image: i}]}}}}",
			want:    "{spec: {template: {spec: {containers: [{name: a, image: i, env: [{name: THEIRS, value: x}]}]}}}}",
		},
		"another handler of a probe": {
			live:    "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 80}, periodSeconds: 7}}]}}}}",
			before:  "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 80}}}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 80}}}]}}}}",
			want:    "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 7}}]}}}}",
		},
		"a probe taken out": {
			live:    "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 80}}}]}}}}",
			before:  "{spec: {template: {spec: {containers: [{name: a, image: i, livenessProbe: {httpGet: {port: 80}}}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: a, image: i}]}}}}",
			want:    "{spec: {template: {spec: {containers: [{name: a, image: i}]}}}}",
		},
		"a list without a key, and quantities": {
			live:    "{spec: {template: {spec: {containers: [{name: a, command: [x], resources: {requests: {cpu: 1, memory: 1Gi}}}]}}}}",
			before:  "{spec: {template: {spec: {containers: [{name: a, command: [x], resources: {requests: {cpu: 1}}}]}}}}",
			desired: "{spec: {template: {spec: {containers: [{name: a, command: [x, y], resources: {requests: {cpu: 2}}}]}}}}",
			want:    "{spec: {template: {spec: {containers: [{name: a, command: [x, y], resources: {requests: {cpu: 2, memory: 1Gi}}}]}}}}",
		},
		"another strategy, whose defaults do not fit": {
			live: "{spec: {strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}}}", before: "{spec: {}}",
			desired: "{spec: {strategy: {type: Recreate}}}", want: "{spec: {strategy: {type: Recreate}}}",
		},
		"another kind of volume": {
			live: `{spec: {template: {spec: {volumes: [{name: theirs, emptyDir: {}}, {name: v}]}}}}`, before: "{spec: {template: {spec: {volumes: [{name: v}]}}}}",
			desired: "{spec: {template: {spec: {volumes: [{name: v, configMap: {name: c}}]}}}}",
			want:    "{spec: {template: {spec: {volumes: [{name: v, configMap: {name: c}}, {name: theirs, emptyDir: {}}]}}}}",
		},
	})
}

func TestMergeStatefulSet(t *testing.T) {
	testMerge(t, func() *appsv1.StatefulSet { return &appsv1.StatefulSet{} }, map[string]mergeTest{
		"another strategy": {
			live: "{spec: {serviceName: s}}", before: "{spec: {serviceName: s}}", desired: "{spec: {serviceName: s, updateStrategy: {type: OnDelete}}}",
			want: "{spec: {serviceName: s, updateStrategy: {type: OnDelete}}}",
		},
	})
}

func TestMergeService(t *testing.T) {
	testMerge(t, func() *corev1.Service { return &corev1.Service{} }, map[string]mergeTest{
		"the address that it was given": {
			live:   "{spec: {clusterIP: 127.0.0.5, clusterIPs: [127.0.0.5], ports: [{port: 80, nodePort: 30000}]}}",
			before: "{spec: {ports: [{port: 80}]}}", desired: "{spec: {ports: [{port: 80, targetPort: 81}]}}",
			want: "{spec: {clusterIP: 127.0.0.5, clusterIPs: [127.0.0.5], ports: [{port: 80, targetPort: 81, nodePort: 30000}]}}",
		},
		"a number of two protocols by somebody else": {
			live:   "{spec: {ports: [{port: 53, protocol: TCP}, {port: 53, name: u, protocol: UDP}]}}",
			before: "{spec: {ports: [{port: 53}]}}", desired: "{spec: {ports: [{port: 53, targetPort: 1}]}}",
			want: "{spec: {ports: [{port: 53, targetPort: 1}]}}",
		},
		"a number of two protocols": {
			live:    "{spec: {ports: [{port: 53, protocol: TCP}, {port: 53, protocol: UDP}]}}",
			before:  "{spec: {ports: [{port: 53, protocol: TCP}, {port: 53, protocol: UDP}]}}",
			desired: "{spec: {ports: [{port: 53, protocol: TCP, targetPort: 1}, {port: 53, protocol: UDP}]}}",
			want:    "{spec: {ports: [{port: 53, protocol: TCP, targetPort: 1}, {port: 53, protocol: UDP}]}}",
		},
	})
}

func TestMergeConfigMap(t *testing.T) {
	testMerge(t, func() *corev1.ConfigMap { return &corev1.ConfigMap{} }, map[string]mergeTest{
		"keys": {
			live:    "{data: {a: x, theirs: x, c: x}, immutable: false}",
			before:  "{data: {a: x, c: x}}",
			desired: "{data: {a: y}}",
			want:    "{data: {a: y, theirs: x}, immutable: false}",
		},
	})
}
