package manifest

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	const (
		form  = "must be slow=2s, refuse or unready"
		time0 = "must be a time above 0 and at most 10m after slow="
	)
	for value, want := range map[string]struct {
		fault Fault
		err   string // a part of it
	}{
		"slow=2s":      {fault: Fault{FaultSlow, 2 * time.Second}},
		"slow=1m30s":   {fault: Fault{FaultSlow, 90 * time.Second}},
		"slow=10m":     {fault: Fault{FaultSlow, 10 * time.Minute}},
		"refuse":       {fault: Fault{Kind: FaultRefuse}},
		"unready":      {fault: Fault{Kind: FaultUnready}},
		"slow":         {err: time0},
		"slow=":        {err: time0},
		"slow=2":       {err: time0},
		"slow=0s":      {err: time0},
		"slow=-1s":     {err: time0},
		"slow=10m1ns":  {err: time0},
		"slow=1s,slow": {err: time0},
		"refuse=2s":    {err: "must be refuse alone: only slow takes a time"},
		"unready=":     {err: "must be unready alone"},
		"":             {err: form},
		"off":          {err: "a Pod without the annotation has no fault"},
		"refused":      {err: "did you mean refuse?"},
		"Unready":      {err: "did you mean unready?"},
		"hang":         {err: "hang happens to processes"},
	} {
		got, err := ParseFault(value)
		if diff := cmp.Diff(want.fault, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", value, diff)
		}
		if (err != nil) != (want.err != "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%q: %v, want %q", value, err, want.err)
		}
		if again, err := ParseFault(got.String()); want.err == "" && (err != nil || again != got) {
			t.Errorf("%q is written %q, which is %v, %v", value, got, again, err)
		}
	}
}

// TestFaultInManifest: a Pod in a file may have a fault, which is warned of; a template may not.
func TestFaultInManifest(t *testing.T) {
	fault := func(value, probe string) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {probity.run/fault: " + value + "}}\nspec: {containers: [{name: a, image: b" + probe + "}]}"
	}
	set, err := loadText(Options{}, "a.yaml", []byte(fault("slow=2s", "")))
	if err != nil {
		t.Fatal(err)
	}
	checkNotes(t, set.Warnings, []string{
		"a.yaml:3:54: Pod a: metadata.annotations[probity.run/fault]: the Pod has this fault from its start until the annotation is removed; a cluster ignores it",
	})
	for name, c := range map[string]struct{ text, want string }{
		"value":             {fault("slow", ""), "a.yaml:3:54: Pod a: metadata.annotations[probity.run/fault]: Invalid value: \"slow\": must be a time above 0 and at most 10m after slow=, as in slow=2s or slow=500ms"},
		"unready, no probe": {fault("unready", ""), "the Pod has no readiness probe: unready needs one over the network"},
		"unready, exec":     {fault("unready", ", readinessProbe: {exec: {command: [x]}}"), "the readiness probe of the Pod is a command, with which nothing can interfere: unready needs one over the network"},
		"template": {
			strings.Replace(deployment(""), "labels: {app: web}}\n", "labels: {app: web}, annotations: {probity.run/fault: refuse}}\n", 1),
			"Deployment web: spec.template.metadata.annotations[probity.run/fault]: Forbidden: a template with a fault would never become healthy",
		},
	} {
		if _, err := loadText(Options{}, "a.yaml", []byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := loadText(Options{}, "a.yaml", []byte(fault("unready", ", readinessProbe: {tcpSocket: {port: 80}}"))); err != nil {
		t.Error(err)
	}
	set, err = loadText(Options{}, "a.yaml", []byte(strings.Replace(deployment(""), "metadata: {name: web}", "metadata: {name: web, annotations: {probity.run/fault: refuse}}", 1)))
	if err != nil || len(set.Warnings) != 1 || !strings.Contains(set.Warnings[0].Message, "no effect here, it belongs on a Pod that runs") {
		t.Errorf("on a Deployment: %v, %v", set, err)
	}
}
