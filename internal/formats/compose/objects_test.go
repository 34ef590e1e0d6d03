package compose_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// podOf is the spec of the Pods that the service a becomes, and set what is said of the file.
func podOf(t *testing.T, service string) (pod corev1.PodSpec, set *manifest.Set) {
	t.Helper()
	set, err := load("services: {a: {" + service + "}}\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range set.Objects {
		if d, ok := o.Resource.(*appsv1.Deployment); ok {
			return d.Spec.Template.Spec, set
		}
	}
	t.Fatal("no Deployment")
	return pod, set
}

// says reports whether there is a note of a field that begins so.
func says(notes []manifest.Note, field, text string) bool {
	return slices.ContainsFunc(notes, func(n manifest.Note) bool { return n.Field == field && strings.HasPrefix(n.Message, text) })
}

// TestEntrypoint: an entrypoint that is empty takes that of the image away.
func TestEntrypoint(t *testing.T) {
	for service, want := range map[string]struct {
		command, args []string
		different     bool
	}{
		`image: x, entrypoint: [], command: [a, b]`:   {command: []string{"a", "b"}},
		`image: x, entrypoint: "", command: a b`:      {command: []string{"a", "b"}},
		`image: x, entrypoint: null, command: [a]`:    {args: []string{"a"}},
		`image: x, entrypoint: [run], command: [a]`:   {command: []string{"run"}, args: []string{"a"}},
		`image: x, entrypoint: []`:                    {different: true},
		`image: x, entrypoint: [], command: []`:       {different: true},
		`build: ./site, entrypoint: [], command: [a]`: {command: []string{"a"}},
		`build: ./site, command: [a]`:                 {args: []string{"a"}},
	} {
		pod, set := podOf(t, service)
		c := pod.Containers[0]
		if diff := cmp.Diff([][]string{want.command, want.args}, [][]string{c.Command, c.Args}); diff != "" {
			t.Errorf("%s: command and args (-want +got):\n%s", service, diff)
		}
		if got := says(set.Differences, "entrypoint", "Docker would run the CMD of the image without its ENTRYPOINT"); got != want.different {
			t.Errorf("%s: it is said: %v", service, set.Differences)
		}
	}
}
