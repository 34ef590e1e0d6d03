package clusterdash

import (
	"context"
	"fmt"
	"strings"

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

// DeletePod implements [dashboard.Cluster].
func (v *view) DeletePod(ctx context.Context, namespace, name string) error {
	if err := v.client.Delete(ctx, kube.Ref{Kind: kube.Pods, Namespace: namespace, Name: name}, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("cannot delete pod %s: %w", name, err)
	}
	return nil
}
