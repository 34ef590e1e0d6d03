package kube

import (
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// TestAwayNode: what an API server says that does not reach a kubelet is about the node; what the
// kubelet itself has said, or that the server is away, is not.
func TestAwayNode(t *testing.T) {
	const refused = "dial tcp 10.0.0.9:10250: connect: connection refused"
	away := "its node n\\u001b1 does not answer the API server: "
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"exec":         {errors.New(`Internal error occurred: error sending request: Post "https://10.0.0.9:10250/exec/shop/web/app": ` + refused), away + `Internal error occurred: error sending request: Post "https://10.0.0.9:10250/exec/shop/web/app": ` + refused},
		"port-forward": {apierrors.NewInternalError(errors.New("error dialing backend: " + refused)), away + "Internal error occurred: error dialing backend: " + refused},
		"a log":        {fmt.Errorf("reading: %w", apierrors.NewInternalError(errors.New(`Get "https://10.0.0.9:10250/containerLogs/shop/web/app": `+refused))), away + `Internal error occurred: Get "https://10.0.0.9:10250/containerLogs/shop/web/app": ` + refused},
		"a port":       {errors.New("error forwarding port 80 to pod web: failed to connect to localhost:80: dial tcp4 127.0.0.1:80: connect: connection refused"), "error forwarding port 80 to pod web: failed to connect to localhost:80: dial tcp4 127.0.0.1:80: connect: connection refused"},
		"the server":   {&UnheardError{"https://c", errors.New("error dialing backend")}, "https://c cannot be asked: error dialing backend"},
	} {
		t.Run(name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{NodeName: "n\x1b1"}}
			if got := AwayNode(pod, test.err).Error(); got != test.want {
				t.Errorf("error %q, want %q", got, test.want)
			}
		})
	}
}
