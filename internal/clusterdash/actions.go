package clusterdash

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
)

// kindOf is a kind of workloads by its name in Kubernetes.
func kindOf(name string) (kube.Kind, bool) {
	if name == "DaemonSet" {
		return daemonSets(), true
	}
	return kube.ParseKind(strings.ToLower(name))
}

// RestartWorkload implements [dashboard.Cluster].
func (v *view) RestartWorkload(ctx context.Context, kind, namespace, name string) error {
	of, ok := kindOf(kind)
	if !ok {
		return fmt.Errorf("cannot restart %s %s: it rolls no Pods", kind, name)
	}
	if err := v.client.Restart(ctx, kube.Ref{Kind: of, Namespace: namespace, Name: name}, v.client.Now(), nil); err != nil {
		return fmt.Errorf("cannot restart %s %s: %w", strings.ToLower(kind), name, err)
	}
	return nil
}

// DeletePod implements [dashboard.Cluster]: the Pod that is shown, and not one that has its name
// since, as the next one of a StatefulSet has, or one of a namespace that is not shown.
func (v *view) DeletePod(ctx context.Context, namespace, name string) error {
	pod := v.Get((*corev1.Pod)(nil), namespace, name)
	if pod == nil {
		return fmt.Errorf("cannot delete pod %s: it is not there any more", name)
	}
	options := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: new(pod.GetUID())}}
	if err := v.client.Delete(ctx, kube.Ref{Kind: kube.Pods, Namespace: namespace, Name: name}, options); err != nil {
		return fmt.Errorf("cannot delete pod %s: %w", name, err)
	}
	return nil
}
