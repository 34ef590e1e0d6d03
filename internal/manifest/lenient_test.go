package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func lenient(t *testing.T, text string) *Set {
	t.Helper()
	set, err := DecodeLenient(Options{}, "app.yaml", []byte(text))
	if err != nil {
		t.Fatalf("DecodeLenient: %v", err)
	}
	return set
}

// An object with errors is there, with what could be decoded and with its defaults, and says what
// is wrong, once.
func TestDecodeLenientKeepsObjectsWithErrors(t *testing.T) {
	set := lenient(t, pod(`
livenessProbe:
  periodSeconds: "5"
  failureTreshold: 4
  successThreshold: 2
  grpc: {port: x}
`))
	if len(set.Objects) != 1 {
		t.Fatalf("%d objects, want 1", len(set.Objects))
	}
	o := set.Objects[0]
	probe := o.Resource.(*corev1.Pod).Spec.Containers[0].LivenessProbe
	if probe.PeriodSeconds != 10 || probe.FailureThreshold != 3 || probe.SuccessThreshold != 2 || probe.GRPC == nil {
		t.Errorf("probe is %+v", probe)
	}
	want := []string{
		"9: spec.containers[0].livenessProbe.periodSeconds: Type",
		"10: spec.containers[0].livenessProbe.failureTreshold: UnknownField",
		"11: spec.containers[0].livenessProbe.successThreshold: FieldValueInvalid",
		"12: spec.containers[0].livenessProbe.grpc.port: Type",
	}
	var got []string
	for _, p := range o.Problems {
		got = append(got, strings.Split(p.Position.String(), ":")[1]+": "+p.Field+": "+string(p.Reason))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// More kinds are read than Probity runs, in any version; others are counted.
func TestDecodeLenientKinds(t *testing.T) {
	set := lenient(t, `
apiVersion: extensions/v1beta1
kind: DaemonSet
metadata: {name: a}
spec: {template: {spec: {containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 1}}}]}}}
---
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: b}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: b, image: b, livenessProbe: {tcpSocket: {port: 1}}}]}}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: c}
spec: {maxReplicas: 4, metrics: [{type: Resource}]}
---
apiVersion: apiextensions.k8s.io/v1
kind: "CustomResourceDefinition" # a long one
spec: {this is: [passed over]}
---
kind: Service
apiVersion: serving.knative.dev/v1
metadata: {name: e}
---
just: values
---
apiVersion: v1
kind: Pod
metadata: {name: f}
---
apiVersion: v1
kind: Pod
metadata: {name: f}
`)
	var got []string
	for _, o := range set.Objects {
		_, spec, prefix, ok := o.Template()
		probed := ok && len(spec.Containers) > 0 && o.Has(strings.TrimPrefix(prefix+".spec.containers[0].image", "."))
		if got = append(got, o.Ref().String()); probed {
			got[len(got)-1] += " " + prefix
		}
	}
	want := []string{"DaemonSet a spec.template", "CronJob b spec.jobTemplate.spec.template", "HorizontalPodAutoscaler c", "Pod f", "Pod f"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(set.Unknown) != 2 || set.Unknown[0].Kind != "CustomResourceDefinition" || set.Unknown[1].Name != "e" {
		t.Errorf("unknown: %v", set.Unknown)
	}
}

// What cannot be read at all is the only error, and what else there is is returned beside it.
func TestDecodeLenientErrors(t *testing.T) {
	set, err := DecodeLenient(Options{}, "app.yaml", []byte("a: [\n---\n"+pod("")))
	if err == nil || !strings.Contains(err.Error(), "app.yaml:1:1: not valid YAML") || len(set.Objects) != 1 {
		t.Errorf("%d objects, error %v", len(set.Objects), err)
	}
	if _, err := DecodeLenient(Options{MaxFileBytes: 10}, "app.yaml", []byte(pod(""))); err == nil || !strings.Contains(err.Error(), "larger than 10 bytes") {
		t.Errorf("too large: %v", err)
	}
}

// A run does not warn about the annotations of probity check.
func TestIgnoreAnnotationIsKnown(t *testing.T) {
	set, err := loadText(Options{}, "app.yaml", []byte(strings.Replace(pod(""), "{name: web}", "{name: web, annotations: {probity.run/ignore.no-drain: because}}", 1)))
	if err != nil || len(set.Warnings) != 0 {
		t.Errorf("warnings %v, error %v", set.Warnings, err)
	}
}

// What Load refuses is said in the same words, however the rest of the object fares.
func TestDecodeLenientRefusesWhatLoadRefuses(t *testing.T) {
	workload := func(spec string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n" + spec +
			"  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - {name: app, image: web, ports: [{containerPort: 80}]}\n"
	}
	for name, text := range map[string]string{
		"kind misspelt":              strings.Replace(workload(""), "Deployment", "Deploymnet", 1),
		"kind in the wrong case":     strings.Replace(workload(""), "Deployment", "deployment", 1),
		"version misspelt":           strings.Replace(workload(""), "apps/v1", "app/v1", 1),
		"version in the wrong case":  strings.Replace(workload(""), "apps/v1", "Apps/v1", 1),
		"name of the version":        strings.Replace(workload(""), "apiVersion", "ApiVersion", 1),
		"name of the kind":           strings.Replace(workload(""), "kind", "Kind", 1),
		"no kind":                    "apiVersion: v1\nmetadata: {name: a}\nspec: {}\n",
		"an old version":             strings.Replace(workload(""), "apps/v1", "extensions/v1beta1", 1),
		"template left":              workload("  replicas: {{ .Values.replicas }}\n"),
		"variable left":              workload("  replicas: ${REPLICAS:-5}\n"),
		"negative replicas":          workload("  replicas: -1\n"),
		"unknown field":              workload("  replcas: 2\n"),
		"unknown field of the top":   workload("") + "foo: bar\n",
		"port out of range":          strings.Replace(workload(""), "containerPort: 80", "containerPort: 80000", 1),
		"image is a number":          strings.Replace(workload(""), "image: web", "image: 5", 1),
		"field twice":                workload("  replicas: 1\n  replicas: 2\n"),
		"metadata twice":             workload("") + "metadata: {name: two}\n",
		"containers twice":           workload("") + "      containers: [{name: b, image: b}]\n",
		"anchor contains itself":     workload("  strategy: &a {rollingUpdate: *a}\n"),
		"merge contains itself":      workload("  strategy: &a {<<: *a, type: 5}\n"),
		"no containers":              "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {}\n",
		"spec is a string":           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: none\n",
		"object twice":               workload("") + "---\n" + workload(""),
		"Service without ports":      "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}\n",
		"ConfigMap with a number":    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: 5}\n",
		"Secret not in base64":       "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {a: '?'}\n",
		"broken ConfigMap":           "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n",
		"broken unknown kind":        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a\n",
		"List with another field":    "apiVersion: v1\nkind: List\nitem: []\n",
		"List that is none":          "apiVersion: v1\nkind: List\nitems: {}\n",
		"not an object":              "- a\n---\n" + workload(""),
		"annotation that is invalid": strings.Replace(workload(""), "labels: {app: web}}\n", "labels: {app: web}, annotations: {probity.run/drain: x}}\n", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, refused := loadText(Options{}, "app.yaml", []byte(text))
			if refused == nil {
				t.Fatal("Load does not refuse it")
			}
			set, err := DecodeLenient(Options{}, "app.yaml", []byte(text))
			said := ""
			if err != nil {
				said = err.Error()
			}
			for _, e := range set.Invalid {
				said += "\n" + e.Error()
			}
			for _, o := range set.Objects {
				said += "\n" + o.Problems.Error()
			}
			// the last name counts
			said = strings.ReplaceAll(said, "Deployment two", "Deployment web")
			for line := range strings.SplitSeq(refused.Error(), "\n") {
				if !strings.Contains(said, line) {
					t.Errorf("Load says\n%s\nand DecodeLenient\n%s", line, said)
				}
			}
		})
	}
}

// In a mixed file only what looks like an object must be one.
func TestDecodeLenientMixed(t *testing.T) {
	for name, c := range map[string]struct {
		text       string
		passedOver string // the reason, or empty
	}{
		"values":                 {"replicas: 3\nkind: big\n", noObject},
		"a list":                 {"- kind: 1\n- apiVersion: 2\n", noObject},
		"broken, no object":      {"a: [\n", noObject},
		"broken, a kind alone":   {"kind: [\n", noObject},
		"comments in JSON":       {"{\n  // kind of\n  \"compilerOptions\": {}\n}\n", noObject},
		"not text":               {"kind\x00apiVersion", noObject},
		"an object with NUL":     {"apiVersion: v1\nkind: Pod\n\x00", ""},
		"broken object":          {"apiVersion: v1\nkind: Pod\nmetadata: {\n", ""},
		"broken object in JSON":  {"{\"apiVersion\": \"v1\", \"kind\": \"Pod\",,}", ""},
		"Jinja":                  {"apiVersion: v1\nkind: Pod\n{% if x %}\nmetadata: {name: a}\n{% endif %}\n", unrendered},
		"Helm":                   {"{{- if .Values.x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n", unrendered},
		"UTF-16":                 {"\xff\xfek\x00i\x00n\x00d\x00", noObject},
		"name to be filled in":   {"apiVersion: v1\nkind: Pod\nmetadata: {name: {{ name }}}\nspec: {containers: {{ c }}}\n", unrendered},
		"part of a name":         {"apiVersion: v1\nkind: Pod\nmetadata: {name: 'web-{{uid}}'}\nspec: {containers: []}\n", unrendered},
		"misspelt kind":          {"apiVersion: v1\nkind: Pood\nmetadata: {name: a}\n", ""},
		"name of the kind":       {"apiVersion: v1\nKind: Pod\nmetadata: {name: a}\n", ""},
		"no kind":                {"apiVersion: v1\nmetadata: {name: a}\nspec: {}\n", ""},
		"chart":                  {"apiVersion: v2\nname: chart\nversion: 1.0.0\n", noObject},
		"value left in a object": {"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: {{ .Values.x }}}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			set, err := DecodeLenient(Options{Mixed: true}, "app.yaml", []byte(c.text))
			passedOver := ""
			if len(set.PassedOver) > 0 {
				passedOver = set.PassedOver[0].Reason
			}
			refused := err != nil || len(set.Invalid) > 0
			for _, o := range set.Objects {
				refused = refused || len(o.Problems) > 0
			}
			if passedOver != c.passedOver || refused == (c.passedOver != "") {
				t.Errorf("passed over as %q, refused %v (%v, %v), want %q", passedOver, refused, err, set.Invalid, c.passedOver)
			}
		})
	}
}

// Of two fields of one name the last counts, as for kubectl.
func TestDecodeLenientKeepsTheLast(t *testing.T) {
	set := lenient(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: first, image: a}]\n  containers: [{name: last, image: b}]\n")
	if c := set.Objects[0].Resource.(*corev1.Pod).Spec.Containers; len(c) != 1 || c[0].Name != "last" {
		t.Errorf("containers %v", c)
	}
}
