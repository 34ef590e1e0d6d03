package cli

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/printable"
)

// awayNode says of an error that an API server, which leads to Pods through the kubelets of their
// nodes, has not reached the one of this Pod. Others stay what they are.
func awayNode(pod *corev1.Pod, err error) error {
	if _, ok := errors.AsType[*kube.UnheardError](err); ok {
		return err // it is the server that is away
	}
	text := err.Error()
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		text = status.ErrStatus.Message
	}
	for _, sign := range []string{"error dialing backend", "error sending request", "No agent available"} { // the last is Konnectivity's
		if strings.Contains(text, sign) {
			return fmt.Errorf("its node %s does not answer the API server: %s", printable.Line(pod.Spec.NodeName), printable.Line(text))
		}
	}
	return err
}
