package manifest

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// What strict decoding refuses, in full, with the line of the first error.
func TestStrict(t *testing.T) {
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"misspelt", pod("livenesProbe: {} # want"), []string{c + ".livenesProbe: unknown field, did you mean livenessProbe?"}},
		{"wrong case", pod("ports: [{containerport: 80}] # want"), []string{c + ".ports[0].containerport: unknown field, did you mean containerPort?"}},
		{"nothing like it", pod("healthcheck: {} # want"), []string{c + ".healthcheck: unknown field"}},
		{"belongs above", pod("terminationGracePeriodSeconds: 5 # want"), []string{c + ".terminationGracePeriodSeconds: unknown field, it belongs in spec"}},
		{"belongs at the top", pod("metadata: {} # want"), []string{c + ".metadata: unknown field, it belongs at the top level"}},
		{"belongs in a container", pod("") + "\n  readinessProbe: {} # want\n", []string{"spec.readinessProbe: unknown field, it belongs in spec.containers[]"}},
		{"belongs two steps down", deployment("containers: [] # want"), []string{"spec.containers: unknown field, it belongs in spec.template.spec"}},
		{"belongs in one of three", pod("livenessProbe: {port: 80} # want"), []string{lp + ".port: unknown field, it belongs in " + lp + ".httpGet or " + lp + ".tcpSocket or " + lp + ".grpc"}},
		{"in a list of objects", "apiVersion: v1\nkind: List\nitem: [] # want", []string{"item: unknown field, did you mean items?"}},
		{"twice", pod("command: [a]\nargs: [b]\ncommand: [c] # want"), []string{c + ".command: already set at app.yaml:8:5"}},
		{"label twice", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  8080: a\n  \"8080\": b # want", []string{"data.8080: already set at app.yaml:5:3"}},
		{"string for integer", pod("ports:\n- containerPort: http # want"), []string{c + `.ports[0].containerPort: cannot use string "http" as integer`}},
		{"quoted integer", pod("ports:\n- containerPort: \"80\" # want"), []string{c + `.ports[0].containerPort: cannot use string "80" as integer (remove the quotes)`}},
		{"integer for string", pod("env:\n- {name: A, value: 8080} # want"), []string{c + `.env[0].value: cannot use integer 8080 as string (put it in quotes)`}},
		{"boolean for string", pod("env:\n- {name: A, value: true} # want"), []string{c + `.env[0].value: cannot use boolean true as string (put it in quotes)`}},
		{"old boolean for string", pod("env:\n- {name: A, value: yes} # want"), []string{c + `.env[0].value: cannot use boolean yes as string (put it in quotes: yes, no, on, off, y and n are booleans in YAML)`}},
		{"number for string", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {version: 1.10} # want", []string{`data[version]: cannot use number 1.10 as string (put it in quotes)`}},
		{"string for boolean", pod("tty: 'true' # want"), []string{c + `.tty: cannot use string "true" as boolean (remove the quotes)`}},
		{"object for list", pod("ports: {containerPort: 80} # want"), []string{c + ".ports: cannot use an object as list"}},
		{"list for object", pod("livenessProbe: [] # want"), []string{lp + ": cannot use a list as object"}},
		{"string for object", pod("livenessProbe: http # want"), []string{lp + `: cannot use string "http" as object`}},
		{"list for string", pod("workingDir: [] # want"), []string{c + ".workingDir: cannot use a list as string"}},
		{"large integer", pod("ports: [{containerPort: 4294967296}] # want"), []string{c + ".ports[0].containerPort: cannot use integer 4294967296 as integer: it does not fit into 32 bits"}},
		{"huge integer", pod("") + "\n  terminationGracePeriodSeconds: 18446744073709551615 # want\n", []string{"spec.terminationGracePeriodSeconds: cannot use integer 18446744073709551615 as integer: it does not fit into 64 bits"}},
		{"fraction", pod("livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 0.5} # want"), []string{lp + ".periodSeconds: cannot use number 0.5 as integer"}},
		{"fraction as port", pod("livenessProbe: {tcpSocket: {port: 80.5}} # want"), []string{lp + ".tcpSocket.port: cannot use number 80.5 as integer or string"}},
		{"boolean as port", pod("livenessProbe: {tcpSocket: {port: on}} # want"), []string{lp + ".tcpSocket.port: cannot use boolean on as integer or string"}},
		{"quantity", pod("resources: {limits: {cpu: fast}} # want"), []string{c + `.resources.limits[cpu]: cannot use string "fast" as quantity such as 250m or "1Gi"`}},
		{"time", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: today} # want", []string{`metadata.creationTimestamp: cannot use string "today" as time in RFC 3339`}},
		{"base64", secret + "data: {password: hunter2} # want", []string{"data[password]: cannot use this as base64: illegal base64 data at input byte 4 (plain text goes under stringData)"}},
		{"secret number", secret + "stringData: {pin: 4711} # want", []string{"stringData[pin]: cannot use the integer here as string (put it in quotes)"}},
		{"null key", pod("env:\n- ~: a # want"), []string{c + ".env[0]: a field name must be a string, found null"}},
		{"list as key", pod("env:\n- [a]: c # want"), []string{c + ".env[0]: a field name must be a string, found a list"}},
		{"tag", pod("workingDir: !path /srv # want"), []string{c + `.workingDir: the tag !path is not supported for "/srv"`}},
		{"misused tag", pod("tty: !!int 'yes' # want"), []string{c + `.tty: the tag !!int is not supported for "yes"`}},
		{"merge of strings", pod("<<: [a, b] # want"), []string{c + ": the merge key << needs an object, or a list of objects"}},
		{"merge of a string", pod("<<: a # want"), []string{c + ": the merge key << needs an object, or a list of objects"}},
		{"all of them", pod("livenesProbe: {} # want\nports: [{containerPort: a}]\ntty: 1"), []string{
			c + ".livenesProbe: unknown field, did you mean livenessProbe?", c + `.ports[0].containerPort: cannot use string "a" as integer`, c + ".tty: cannot use integer 1 as boolean"}},
		{"old version", "apiVersion: extensions/v1beta1 # want\nkind: Deployment\nmetadata: {name: a}", []string{`apiVersion: there is no Deployment in "extensions/v1beta1", use "apiVersion: apps/v1"`}},
		{"no version", "kind: Pod # want\nmetadata: {name: a}", []string{`apiVersion: missing, add "apiVersion: v1"`}},
		{"version of another", "apiVersion: v1 # want\nkind: Deployment\nmetadata: {name: a}", []string{`apiVersion: there is no Deployment in "v1", use "apiVersion: apps/v1"`}},
		{"no kind", "apiVersion: v1 # want\nmetadata: {name: a}", []string{"kind: missing: expected an object with apiVersion, kind and metadata"}},
		{"misspelt kind", "apiVersion: apps/v1\nkind: Deploymnet # want\nmetadata: {name: a}", []string{`kind: there is no kind "Deploymnet" in apps/v1, did you mean Deployment?`}},
		{"kind in lower case", "apiVersion: v1\nkind: service # want\nmetadata: {name: a}", []string{`kind: there is no kind "service" in v1, did you mean Service?`}},
		{"list at the top", "- a # want", []string{"expected an object with apiVersion, kind and metadata, found a list"}},
		{"text", "hello # want", []string{`expected an object with apiVersion, kind and metadata, found string "hello"`}},
		{"unclosed", "a: b\nc: [d # want\n", []string{"not valid YAML: did not find expected ',' or ']'"}},
		{"tab", "a:\n\tb: c # want", []string{"not valid YAML: found character that cannot start any token (indent with spaces, YAML allows no tabs there)"}},
		{"template", deployment("replicas: {{ .Values.replicas }} # want"), []string{"spec.replicas: cannot use an object as integer" + templateHint}},
		{"template in an object", pod("resources: {{ .Values.resources }} # want"), []string{c + ".resources: a field name must be a string, found an object" + templateHint}},
		{"indentation", "a:\n- b: c\n d: e # want\n- f", []string{"not valid YAML: did not find expected key"}},
		{"open quote", "a: b\nc: 'd # want\ne: f\n", []string{"not valid YAML: found unexpected end of stream"}},
		{"template block", "a: b\n{{- if .Values.b }} # want\nc: d", []string{"not valid YAML: could not find expected ':' (this looks like a template: render it first, for example with helm template)"}},
		{"unknown anchor", "a: b\nc: *d # want", []string{"not valid YAML: unknown anchor 'd' referenced"}},
		{"NUL", "a: b\nc: \x00 # want", []string{"NUL character: this is not a text file in UTF-8"}},
		{"not UTF-8", "a: b\nc: \xff # want", []string{"byte 0xff is not UTF-8: save the file as UTF-8"}},
		{"control character", "a: b\nc: \x1b[31m # want", []string{"character U+001B is not allowed in YAML or JSON"}},
	} {
		t.Run(tt.name, func(t *testing.T) { checkInvalid(t, tt.text, tt.want) })
	}
}

// Errors of all documents come together, in order, and those without errors are there.
func TestErrorsTogether(t *testing.T) {
	text := strings.Join([]string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad}",
		"a: [",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {nme: a}",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}",
	}, "\n---\n")
	set, err := loadText(Options{}, "a.yaml", []byte(text))
	if len(set.Objects) != 1 || set.Objects[0].Ref().Name != "good" {
		t.Errorf("objects = %v, want the good one", set.Objects)
	}
	var got []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		got = append(got, line[:min(len(line), 60)])
	}
	want := []string{
		"a.yaml:7:18: ConfigMap Bad: metadata.name: Invalid value: \"B",
		"a.yaml:9:1: not valid YAML: did not find expected node conte",
		"a.yaml:13:12: ConfigMap: metadata.nme: unknown field, did yo",
		"a.yaml:17:18: ConfigMap good: metadata.name: namespace \"defa",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != "FieldValueInvalid" || e.Object.Name != "Bad" {
		t.Errorf("first error = %+v, want the name", e)
	}
}

func TestDuplicateObject(t *testing.T) {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  namespace: default\n  name: a\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: other}\n"
	set, err := loadText(Options{}, "a.yaml", []byte(text))
	want := `a.yaml:10:9: ConfigMap a: metadata.name: namespace "default" has this object already, from a.yaml:1:1`
	if err == nil || err.Error() != want {
		t.Errorf("error\n got %v\nwant %v", err, want)
	}
	if len(set.Objects) != 2 {
		t.Errorf("objects = %d, want 2", len(set.Objects))
	}
}

func TestPositions(t *testing.T) {
	o := load(t, "# comment\n\napiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  labels:\n    app.kubernetes.io/name: web\nspec:\n  containers:\n  - name: app\n    image: app:1\n    livenessProbe:\n      httpGet: {port: 80}\n      periodSeconds:\n")
	for path, want := range map[string]string{
		"":              "app.yaml:3:1",
		"metadata.name": "app.yaml:6:9",
		"metadata.labels[app.kubernetes.io/name]":                        "app.yaml:8:29",
		"metadata.annotations":                                           "app.yaml:5:1",
		"spec.containers":                                                "app.yaml:10:3",
		"spec.containers[0]":                                             "app.yaml:11:5",
		"spec.containers[0].image":                                       "app.yaml:12:12",
		"spec.containers[0].livenessProbe":                               "app.yaml:13:5",
		"spec.containers[0].livenessProbe.httpGet":                       "app.yaml:14:7",
		"spec.containers[0].livenessProbe.httpGet.port":                  "app.yaml:14:23",
		"spec.containers[0].livenessProbe.httpGet.scheme":                "app.yaml:14:7",
		"spec.containers[0].livenessProbe.periodSeconds":                 "app.yaml:15:7",
		"spec.containers[0].livenessProbe.terminationGracePeriodSeconds": "app.yaml:13:5",
		"spec.containers[7].image":                                       "app.yaml:10:3",
		"status.x[y].z":                                                  "app.yaml:3:1",
	} {
		if got := o.PositionOf(path).String(); got != want {
			t.Errorf("PositionOf(%q) = %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]bool{c + ".image": true, lp + ".periodSeconds": false, lp + ".timeoutSeconds": false, "spec.containers": true} {
		if got := o.Has(path); got != want {
			t.Errorf("Has(%q) = %v, want %v", path, got, want)
		}
	}
}

func TestAnchors(t *testing.T) {
	o := load(t, `apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - &base
    name: app
    image: app:1
    readinessProbe: &probe
      httpGet: &get {port: 80, path: /a}
      periodSeconds: 3
    livenessProbe:
      <<: *probe
      failureThreshold: 9
      periodSeconds: 7
  - <<: [{workingDir: /first}, *base, {workingDir: /second, tty: true}]
    name: other
    startupProbe: {httpGet: *get}
`)
	spec := o.Resource.(*corev1.Pod).Spec
	live, other := spec.Containers[0].LivenessProbe, spec.Containers[1]
	if live.HTTPGet.Path != "/a" || live.PeriodSeconds != 7 || live.FailureThreshold != 9 {
		t.Errorf("liveness probe = %v, want /a 7 9", live)
	}
	if other.Name != "other" || other.Image != "app:1" || other.WorkingDir != "/first" || !other.TTY || other.LivenessProbe == nil || other.StartupProbe.HTTPGet.Path != "/a" {
		t.Errorf("merged container = %v", other)
	}
	if got, want := o.PositionOf("spec.containers[1].startupProbe.httpGet.path").String(), "app.yaml:10:38"; got != want {
		t.Errorf("position behind an alias = %s, want %s", got, want)
	}
}

// What kubectl's own library makes of a text, with the same defaults, is the same object.
func TestSameAsKubectl(t *testing.T) {
	for name, text := range map[string]string{
		"pod":        pod("livenessProbe: {httpGet: {port: 0x50, path: /a}, periodSeconds: 1e1}\ntty: yes\nenv: [{name: A, value: \"yes\"}]\nresources: {limits: {cpu: 0.50, memory: 1_000, example.com/a: 1Gi}}\nsecurityContext: {runAsUser: 0644}"),
		"deployment": deployment("replicas: 3\nstrategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 1}}\npaused: Off"),
		"anchors":    pod("livenessProbe: &a {tcpSocket: &b {port: web}}\nreadinessProbe: {<<: *a, periodSeconds: 4}\nstartupProbe: {tcpSocket: *b}"),
		"config map": configMap("a") + "data:\n  1: a\n  on: b\n  1.50: c\n  k: >-\n    folded\n    text\nbinaryData: {x: eA==}\n",
		"secret":     "apiVersion: v1\nkind: Secret\nmetadata: {name: a, creationTimestamp: null, labels: {a: 'b'}}\ndata: {k: !!str eA==}\nstringData: {l: \"\\u00e4\"}\n",
		"service":    "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: }\nspec: {ports: [{port: 080.0, targetPort: web}], selector: ~}\n",
	} {
		t.Run(name, func(t *testing.T) {
			got := load(t, text).Resource
			want := reflect.New(reflect.TypeOf(got).Elem()).Interface().(Resource)
			if err := sigsyaml.UnmarshalStrict([]byte(text), want); err != nil {
				t.Fatal(err)
			}
			Default(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("object (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextForms(t *testing.T) {
	const plain = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: |\n    x\n    y\n"
	for name, text := range map[string]string{
		"byte order mark":   "\ufeff" + plain,
		"CRLF":              strings.ReplaceAll(plain, "\n", "\r\n"),
		"directive":         "%YAML 1.1\n---\n" + plain,
		"comment in front":  "# a\n\n---\n# b\n" + plain,
		"end marker":        "---\n" + plain + "...\n",
		"empty documents":   "---\n---\n\n---\n" + plain + "---\n# nothing\n---\n",
		"null document":     "---\nnull\n---\n" + plain,
		"JSON":              `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"x\ny\n"}}`,
		"JSON with tabs":    "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"ConfigMap\",\n\t\"metadata\": {\n\t\t\"name\": \"a\"\n\t},\n\t\"data\": {\"k\": \"x\\ny\\n\"}\n}\n",
		"text after marker": "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {k: \"x\\ny\\n\"}}",
	} {
		t.Run(name, func(t *testing.T) {
			if got := load(t, text).Resource.(*corev1.ConfigMap).Data["k"]; got != "x\ny\n" {
				t.Errorf("k = %q, want %q", got, "x\ny\n")
			}
		})
	}
}

func TestLists(t *testing.T) {
	text := `apiVersion: v1
kind: List
metadata: {}
items:
- apiVersion: v1
  kind: ConfigMap
  metadata: {name: a}
- apiVersion: apps/v1
  kind: DeploymentList
  items:
  - metadata: {name: b}
    spec:
      selector: {matchLabels: {app: b}}
      template:
        metadata: {labels: {app: b}}
        spec: {containers: [{name: b, image: b}]}
- apiVersion: networking.k8s.io/v1
  kind: Ingress
  metadata: {name: c}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: d}
---
apiVersion: v1
kind: ConfigMapList
items:
`
	set, err := loadText(Options{}, "a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range set.Objects {
		got = append(got, o.Position.String()+" "+o.Resource.GetObjectKind().GroupVersionKind().GroupVersion().String()+" "+o.Ref().String())
	}
	for _, u := range set.Unknown {
		got = append(got, u.String())
	}
	want := []string{
		"a.yaml:5:3 v1 ConfigMap a",
		"a.yaml:11:5 apps/v1 Deployment b",
		"a.yaml:17:3: networking.k8s.io/v1 Ingress c",
		"a.yaml:21:1: serving.knative.dev/v1 Service d",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects and unknown (-want +got):\n%s", diff)
	}
	if got, want := set.Objects[1].PositionOf("spec.template.spec.containers[0].image").String(), "a.yaml:16:46"; got != want {
		t.Errorf("position in an item = %s, want %s", got, want)
	}
}

func TestPrintable(t *testing.T) {
	_, err := loadText(Options{}, "a.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[31m\\n\"}\nspec: {\"x\\r\": 1}"))
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.ContainsAny(line, "\x1b\r") || !strings.HasPrefix(line, "a.yaml:4:8: Pod a\\u001b[31m\\n: ") {
			t.Errorf("line %q", line)
		}
	}
	_, err = loadText(Options{}, "a.yaml", []byte("apiVersion: v1\nkind: Pod\nmetadata: {name: \""+strings.Repeat("A", 1<<16)+"\"}\n"))
	if n := len(err.Error()); n > 6000 || !strings.Contains(err.Error(), "must be no more than 253") {
		t.Errorf("error of %d bytes: %.200s", n, err)
	}
}

func TestClosest(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"livenessprobe", "livenessProbe"}, {"liveness", ""}, {"livnessProb", "livenessProbe"}, {"prot", "port"},
		{"env", ""}, {"evn", ""}, {"ports", "port"}, {"", ""}, {strings.Repeat("p", 100), ""},
	} {
		if got := Closest(tt.name, []string{"livenessProbe", "readinessProbe", "port"}); got != tt.want {
			t.Errorf("Closest(%.20q) = %q, want %q", tt.name, got, tt.want)
		}
	}
	if !slices.Equal([]int{distance("ab", "ba"), distance("", "abc"), distance("kitten", "sitting")}, []int{1, 3, 3}) {
		t.Error("distance is wrong")
	}
}
