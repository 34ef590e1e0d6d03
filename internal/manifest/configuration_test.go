package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestConfiguration: byte for byte what kubectl apply writes of such a file.
func TestConfiguration(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"little": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
			`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}` + "\n",
		},
		"as it is written": {
			`
kind: Service
apiVersion: v1
metadata:
  name: a
  namespace: b
  creationTimestamp: null
  labels: {z: z, a: "yes"}
  annotations: {a: "<&>"}
spec:
  ports: [{name: a, targetPort: http, port: 0x50, protocol: TCP}, {port: 81, name: b}]
  selector: {a: b}
status: {}
`,
			`{"apiVersion":"v1","kind":"Service","metadata":{"annotations":{"a":"\u003c\u0026\u003e"},"creationTimestamp":null,"labels":{"a":"yes","z":"z"},` +
				`"name":"a","namespace":"b"},"spec":{"ports":[{"name":"a","port":80,"protocol":"TCP","targetPort":"http"},{"name":"b","port":81}],"selector":{"a":"b"}},"status":{}}` + "\n",
		},
		"annotations, its own among them": {
			`
apiVersion: v1
kind: ConfigMap
metadata: {name: a, annotations: {b: c, kubectl.kubernetes.io/last-applied-configuration: old}}
data:
  k: |
    two
    lines
`,
			`{"apiVersion":"v1","data":{"k":"two\nlines\n"},"kind":"ConfigMap","metadata":{"annotations":{"b":"c"},"name":"a","namespace":"default"}}` + "\n",
		},
		"nulls, and keys that are no strings": {
			"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: null, creationTimestamp: null}\nimmutable: null\ndata: {k: null, 1: one, true: two, 1.5: ~}\n",
			`{"apiVersion":"v1","data":{"1":"one","1.5":null,"k":null,"true":"two"},"immutable":null,"kind":"ConfigMap","metadata":{"annotations":{},` +
				`"creationTimestamp":null,"labels":null,"name":"a","namespace":"default"}}` + "\n",
		},
		"numbers": {
			`
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  terminationGracePeriodSeconds: 30.0
  priority: 0o10
  containers:
  - name: a
    image: i
    ports: [{containerPort: 010}, {containerPort: 1_000}]
    resources: {limits: {cpu: 12345678901234567890, x/a: 1.50, x/b: 1e-7, x/c: 1e21, x/d: -0.0, x/e: 1e400, x/f: +.5e3, x/g: 100000000000000000000000000.0}}
`,
			`{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{},"name":"a","namespace":"default"},"spec":{"containers":[{"image":"i","name":"a",` +
				`"ports":[{"containerPort":8},{"containerPort":1000}],"resources":{"limits":{"cpu":12345678901234567000,"x/a":1.5,"x/b":1e-7,"x/c":1e+21,"x/d":0,` +
				`"x/e":"1e400","x/f":500,"x/g":1e+26}}}],"priority":8,"terminationGracePeriodSeconds":30}}` + "\n",
		},
		"words of YAML, anchors, texts": {
			`
apiVersion: v1
kind: Pod
metadata: {name: a, annotations: &same {x: "y", b: "\u2028\U0001F600\t\x41é"}, labels: {<<: *same, b: c}}
spec:
  hostNetwork: yes
  hostIPC: off
  containers:
  - name: a
    image: i
    tty: n
    command: ["yes", '~', "0x10"]
    env:
    - name: A
      value: |
        lines
          more

    - name: B
      value: >-
        folded
        text
`,
			`{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":{"b":"\u2028😀\tAé","x":"y"},"labels":{"b":"c","x":"y"},"name":"a","namespace":"default"},` +
				`"spec":{"containers":[{"command":["yes","~","0x10"],"env":[{"name":"A","value":"lines\n  more\n"},{"name":"B","value":"folded text"}],"image":"i","name":"a","tty":false}],` +
				`"hostIPC":false,"hostNetwork":true}}` + "\n",
		},
		"an item of a list, in JSON": {
			`{"kind": "ConfigMapList", "apiVersion": "v1", "items": [{"metadata": {"name": "a", "annotations": null}, "data": {"n": "1"}}]}`,
			`{"apiVersion":"v1","data":{"n":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a","namespace":"default"}}` + "\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := load(t, tt.text)
			got, err := o.Configuration()
			if err != nil || got != tt.want {
				t.Errorf("configuration, %v:\n got %s\nwant %s", err, got, tt.want)
			}
			again, err := DecodeConfiguration(got, o.Resource)
			if err != nil || again.GetName() != "a" || again.GetNamespace() == "" {
				t.Errorf("decoded again: %+v, %v", again, err)
			}
		})
	}
}

// TestDecodeConfiguration: neither defaults nor what only a server sets, and a Secret's text among
// its data.
func TestDecodeConfiguration(t *testing.T) {
	got, err := DecodeConfiguration(`{"metadata":{"name":"a","uid":"u"},"data":{"a":"eA=="},"stringData":{"b":"y"}}`, &corev1.Secret{})
	secret, _ := got.(*corev1.Secret)
	if err != nil || secret.UID != "" || string(secret.Data["a"])+string(secret.Data["b"]) != "xy" || secret.StringData != nil {
		t.Errorf("Secret = %+v, %v", secret, err)
	}
	if got, err := DecodeConfiguration(`{"spec":{}}`, &appsv1.Deployment{}); err != nil || got.(*appsv1.Deployment).Spec.Replicas != nil {
		t.Errorf("Deployment = %+v, %v, want no defaults", got, err)
	}
	if _, err := DecodeConfiguration("{", &corev1.Secret{}); err == nil {
		t.Error("a broken one was read")
	}
}

// TestSecretsOfATypeOfTheirOwn: what the types of Kubernetes have to have.
func TestSecretsOfATypeOfTheirOwn(t *testing.T) {
	for _, test := range []struct {
		name   string
		kind   corev1.SecretType
		data   map[string][]byte
		notes  map[string]string
		errors []string
	}{
		{"a user", corev1.SecretTypeBasicAuth, map[string][]byte{"username": nil}, nil, nil},
		{"a password", corev1.SecretTypeBasicAuth, map[string][]byte{"password": nil}, nil, nil},
		{"neither", corev1.SecretTypeBasicAuth, nil, nil, []string{"data[username]: Required value", "data[password]: Required value"}},
		{"a registry", corev1.SecretTypeDockerConfigJson, map[string][]byte{".dockerconfigjson": []byte("{}")}, nil, nil},
		{"no registry", corev1.SecretTypeDockercfg, nil, nil, []string{"data[.dockercfg]: Required value"}},
		{"no JSON", corev1.SecretTypeDockerConfigJson, map[string][]byte{".dockerconfigjson": []byte("x")}, nil,
			[]string{`data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character 'x' looking for beginning of value`}},
		{"an account", corev1.SecretTypeServiceAccountToken, nil, map[string]string{"kubernetes.io/service-account.name": "a"}, nil},
		{"no account", corev1.SecretTypeServiceAccountToken, nil, nil, []string{"metadata.annotations[kubernetes.io/service-account.name]: Required value"}},
	} {
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "s", Annotations: test.notes}, Type: test.kind, Data: test.data}
		var got []string
		for _, err := range Validate(secret) {
			got = append(got, err.Error())
		}
		if diff := cmp.Diff(test.errors, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
