package program

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

func TestCommandLine(t *testing.T) {
	const name = manifest.AnnotationCommand + "app"
	for title, test := range map[string]struct {
		command, args []string
		annotation    *string
		want          []string
		wantErr       string
	}{
		"command and args":            {[]string{"run"}, []string{"-v"}, nil, []string{"run", "-v"}, ""},
		"the annotation comes first":  {[]string{"run"}, []string{"-v"}, new("./app --name 'a b'"), []string{"./app", "--name", "a b"}, ""},
		"an empty annotation":         {[]string{"run"}, nil, new("  "), nil, "cannot run container app: annotation " + name + " is empty"},
		"an open quote":               {[]string{"run"}, nil, new("./app 'a"), nil, "cannot read annotation " + name + ": "},
		"args of an image's command":  {nil, []string{"-v"}, nil, nil, `cannot run image "example" of container app here: `},
		"neither command nor program": {nil, nil, nil, nil, `cannot run image "example" of container app here: `},
	} {
		t.Run(title, func(t *testing.T) {
			pod := examplePod(corev1.Container{Name: "app", Image: "example", Command: test.command, Args: test.args})
			if test.annotation != nil {
				pod.Annotations = map[string]string{name: *test.annotation}
			}
			got, err := CommandLine(pod, &pod.Spec.Containers[0])
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("command (-want +got):\n%s", diff)
			}
			if (err != nil) != (test.wantErr != "") || !strings.HasPrefix(fmt.Sprint(err), test.wantErr) {
				t.Errorf("error = %v, want %q", err, test.wantErr)
			}
		})
	}
}
