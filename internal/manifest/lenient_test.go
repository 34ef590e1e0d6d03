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

// More kinds are read than Probity runs, in any version; others are counted, and their text is not
// even parsed.
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
spec: {this is: [not parsed
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
