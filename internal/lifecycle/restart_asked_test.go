package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRestartAsked: what runs is stopped with its grace period and starts again whatever the policy
// says; what waits for its back-off starts now.
func TestRestartAsked(t *testing.T) {
	for name, test := range map[string]struct {
		policy corev1.RestartPolicy
		script script
		want   []string
	}{
		"a container that runs": {corev1.RestartPolicyAlways, script{term: exits(2*time.Second, 0)}, []string{
			"0s start app #1", "30s Normal Killing Container app is restarted as somebody asked for it", "30s SIGTERM to app", "32s exit app #1 code 0", "32s start app #2",
		}},
		"one that is not restarted by itself": {corev1.RestartPolicyNever, script{term: exits(2*time.Second, 0)}, []string{
			"0s start app #1", "30s Normal Killing Container app is restarted as somebody asked for it", "30s SIGTERM to app", "32s exit app #1 code 0", "32s start app #2",
		}},
		"one in back-off": {corev1.RestartPolicyAlways, script{life: func(n int) exit { return exit{after: 0, code: 1, never: n > 4} }}, []string{
			"0s start app #1", "0s exit app #1 code 1", "0s start app #2", "0s exit app #2 code 1", "10s start app #3", "10s exit app #3 code 1",
			"30s start app #4", "30s exit app #4 code 1",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestNode(t, withPolicy(test.policy, app()), Options{})
			w.scripts["app"] = &test.script
			w.at(30*time.Second, RestartAsked{})
			w.run(35 * time.Second)
			got := w.seen("start ", "exit ", "Killing", "SIG")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestRestartOfOneAsked: only the containers that were named are restarted.
func TestRestartOfOneAsked(t *testing.T) {
	spec := withPolicy(corev1.RestartPolicyAlways, app())
	other := *spec.Containers[0].DeepCopy()
	other.Name = "other"
	spec.Containers = append(spec.Containers, other)
	for name, test := range map[string]struct {
		asked []string
		want  []string
	}{
		"one":     {[]string{"other"}, []string{"30s SIGTERM to other", "30s start other #2"}},
		"none":    {[]string{"third"}, nil},
		"another": {[]string{"third", "app"}, []string{"30s SIGTERM to app", "30s start app #2"}},
		"all":     {[]string{""}, []string{"30s SIGTERM to app", "30s SIGTERM to other", "30s start app #2", "30s start other #2"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestNode(t, *spec.DeepCopy(), Options{})
			for _, c := range test.asked {
				w.at(30*time.Second, RestartAsked{Container: c})
			}
			w.run(35 * time.Second)
			got := slices.DeleteFunc(w.seen("start ", "SIG"), func(line string) bool { return strings.HasPrefix(line, "0s") })
			slices.Sort(got)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
