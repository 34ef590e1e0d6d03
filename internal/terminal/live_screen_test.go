package terminal

import "testing"

func TestFieldNames(t *testing.T) {
	const path = "spec.template.spec.containers[0].livenessProbe.successThreshold"
	if got := lastFields(path); got != "livenessProbe.successThreshold" {
		t.Errorf("lastFields = %q", got)
	}
	for in, want := range map[string]string{path: "spec.….livenessProbe.successThreshold", "spec.replicas": "spec.replicas", "": ""} {
		if got := shortened(in); got != want {
			t.Errorf("shortened(%q) = %q, want %q", in, got, want)
		}
	}
}
