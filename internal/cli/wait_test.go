package cli

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/kube"
)

// TestWaitForTheEnd: what is waited for is the object that was found, not the one that has its name
// since; and that one of several is gone already is no reason not to wait for the others.
func TestWaitForTheEnd(t *testing.T) {
	next := otherPod
	next.UID = "next"
	for name, test := range map[string]struct {
		args    []string
		later   corev1.Pod // what the lists show after the first one
		deleted bool
		want    string // what is printed, or a part of the error
	}{
		"replaced before the watch": {[]string{"other"}, next, false, "pod/other condition met\n"},
		"still there":               {[]string{"other"}, otherPod, true, "pod/other condition met\n"},
		"one is gone":               {[]string{"gone", "other"}, otherPod, true, "pod/other condition met\n"},
		"a kind that is none":       {[]string{"pot/other"}, otherPod, false, `there is no kind "pot"`},
		"a Secret":                  {[]string{"secret/key"}, otherPod, false, "secret/key condition met\n"},
	} {
		t.Run(name, func(t *testing.T) {
			run := &fakeRun{
				list: func(kind string, before int) any {
					if kind != "pods" {
						return struct{}{}
					}
					if before > 0 {
						return corev1.PodList{Items: []corev1.Pod{test.later}}
					}
					return corev1.PodList{Items: []corev1.Pod{otherPod}}
				},
				watch: func(kind string, send func(string, any)) {
					if test.deleted {
						send("DELETED", test.later)
					}
				},
			}
			var out bytes.Buffer
			err := run.open(t).wait(t.Context(), Streams{Out: &out}, waitFlags{what: "delete"}, &kube.Condition{Delete: true}, test.args)
			if got := out.String(); err == nil && got != test.want || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("printed %q, error %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestWaitForWhatIsNotThere: of a kind that is not looked for by a bare name, too.
func TestWaitForWhatIsNotThere(t *testing.T) {
	run := &fakeRun{list: func(string, int) any { return struct{}{} }}
	condition := kube.Condition{Type: "ready", Value: "true"}
	err := run.open(t).wait(t.Context(), Streams{}, waitFlags{what: "condition=Ready"}, &condition, []string{"configmap", "settings"})
	if err == nil || err.Error() != "there is no configmap/settings" {
		t.Errorf("error %v", err)
	}
}
