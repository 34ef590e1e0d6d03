package manifest

import (
	"strings"
	"testing"
)

// extra is an object of a kind that only those read who ask for all workloads.
func extra(version, kind, spec string) string {
	return "apiVersion: " + version + "\nkind: " + kind + "\nmetadata: {name: a}\nspec: {" + spec + "}\n"
}

const (
	extraTemplate = "template: {metadata: {labels: {app: a}}, spec: {containers: [{name: c, image: c, livenessProbe: {httpGet: {path: /, port: 80}}}]}}"
	taskTemplate  = "template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}"
)

// TestAllWorkloads reads the workloads that Probity does not run, with the defaults of their Pods.
func TestAllWorkloads(t *testing.T) {
	for _, text := range []string{
		extra("apps/v1", "DaemonSet", "selector: {matchLabels: {app: a}}, "+extraTemplate),
		extra("v1", "ReplicationController", extraTemplate),
		extra("v1", "ReplicationController", "selector: {app: a}, replicas: 0, "+extraTemplate),
		extra("batch/v1", "Job", taskTemplate),
		extra("batch/v1", "CronJob", "jobTemplate: {spec: {"+taskTemplate+"}}"),
		extra("batch/v1beta1", "CronJob", "jobTemplate: {spec: {"+taskTemplate+"}}"),
		extra("extensions/v1beta1", "DaemonSet", "selector: {matchLabels: {app: a}}, "+extraTemplate),
	} {
		set, err := Load(Options{Stdin: strings.NewReader(text), AllWorkloads: true}, "-")
		if err != nil || len(set.Objects) != 1 {
			t.Fatalf("%v: %v\n%s", set, err, text)
		}
		if _, spec, _, ok := set.Objects[0].Template(); !ok || *spec.TerminationGracePeriodSeconds != 30 {
			t.Errorf("%s has no defaults", set.Objects[0].Ref())
		}
		if set, err := Load(Options{Stdin: strings.NewReader(text)}, "-"); err != nil || len(set.Objects) != 0 || len(set.Unknown) != 1 {
			t.Errorf("without AllWorkloads it is read: %v, %v", set, err)
		}
	}
}

// TestAllWorkloadsAreValidated refuses what the API server refuses of their Pods.
func TestAllWorkloadsAreValidated(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{extra("apps/v1", "DaemonSet", extraTemplate), "spec.selector"},
		{extra("apps/v1", "DaemonSet", "selector: {matchLabels: {app: b}}, "+extraTemplate), "does not match template"},
		{extra("apps/v1", "DaemonSet", "selector: {matchLabels: {app: a}}, "+strings.Replace(extraTemplate, "port: 80", "port: 0", 1)), "livenessProbe.httpGet.port"},
		{extra("v1", "ReplicationController", "selector: {app: b}, "+extraTemplate), "does not match template"},
		{extra("v1", "ReplicationController", "replicas: -1, "+extraTemplate), "spec.replicas"},
		{extra("batch/v1", "Job", extraTemplate), `spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"`},
		{extra("batch/v1", "CronJob", "jobTemplate: {spec: {"+extraTemplate+"}}"), "spec.jobTemplate.spec.template.spec.restartPolicy"},
	} {
		if _, err := Load(Options{Stdin: strings.NewReader(c.text), AllWorkloads: true}, "-"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want an error about %s\n%s", err, c.want, c.text)
		}
		set, err := DecodeLenient(Options{}, "-", []byte(c.text))
		if err != nil || len(set.Objects) != 1 || !strings.Contains(set.Objects[0].Problems.Error(), c.want) {
			t.Errorf("%v, %v, want a problem about %s\n%s", set, err, c.want, c.text)
		}
	}
}
