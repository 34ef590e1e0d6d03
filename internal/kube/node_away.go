package kube

import (
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/probity-run/probity/internal/printable"
)

// AwayNode says of the error of a request that the API server passes on to the kubelet of a Pod's
// node, such as exec or log, that the server has not reached that. Others stay what they are.
func AwayNode(pod *corev1.Pod, err error) error {
	if _, ok := errors.AsType[*UnheardError](err); ok {
		return err // it is the server that is away
	}
	text := err.Error()
	if status, ok := errors.AsType[*apierrors.StatusError](err); ok {
		text = status.ErrStatus.Message
	}
	for _, sign := range []string{"error dialing backend", "error sending request", "/containerLogs/", "No agent available"} { // the last is Konnectivity's
		if strings.Contains(text, sign) {
			return fmt.Errorf("its node %s does not answer the API server: %s", printable.Line(pod.Spec.NodeName), printable.Line(text))
		}
	}
	return err
}
