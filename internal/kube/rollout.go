package kube

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	// AnnotationRestarted is kubectl's mark on the template of a workload that was restarted.
	AnnotationRestarted = "kubectl.kubernetes.io/restartedAt"
	annotationRevision  = "deployment.kubernetes.io/revision"
	labelTemplateHash   = appsv1.DefaultDeploymentUniqueLabelKey
)

// Restart has a workload roll its Pods, by a mark on their template.
func (c *Client) Restart(ctx context.Context, workload Ref, now time.Time, into any) error {
	patch := fmt.Appendf(nil, `{"spec":{"template":{"metadata":{"annotations":{%q:%q}}}}}`, AnnotationRestarted, now.Format(time.RFC3339))
	return c.Patch(ctx, workload, "", types.StrategicMergePatchType, patch, into)
}

// Revision is a Pod template that a workload had.
type Revision struct {
	Number int64
	// patch brings it back, of type kind.
	kind  types.PatchType
	patch []byte
}

// Undo brings back a template that a workload had: that of a revision, or for 0 the one before. The
// bool reports that it has that template already.
func (c *Client) Undo(ctx context.Context, s *Snapshot, workload metav1.Object, revision int64) (same bool, err error) {
	revisions, err := c.revisions(ctx, s, workload)
	if err != nil {
		return false, err
	}
	slices.SortFunc(revisions, func(a, b *Revision) int { return cmp.Compare(b.Number, a.Number) })
	i := 1
	if revision != 0 {
		i = slices.IndexFunc(revisions, func(r *Revision) bool { return r.Number == revision })
		if i < 0 {
			return false, fmt.Errorf("unable to find specified revision %d in history", revision)
		}
	}
	if i >= len(revisions) {
		return false, fmt.Errorf("no rollout history found for %s", RefTo(workload))
	}
	if i == 0 {
		return true, nil
	}
	return false, c.Patch(ctx, RefTo(workload), "", revisions[i].kind, revisions[i].patch, nil)
}

// revisions are what a workload had: the templates of a Deployment's ReplicaSets, or what a
// StatefulSet has noted.
func (c *Client) revisions(ctx context.Context, s *Snapshot, workload metav1.Object) (all []*Revision, err error) {
	if d, ok := workload.(*appsv1.Deployment); ok {
		for i := range s.ReplicaSets {
			if set := &s.ReplicaSets[i]; metav1.IsControlledBy(set, d) {
				number, _ := strconv.ParseInt(set.Annotations[annotationRevision], 10, 64) // 0 is the oldest
				patch, err := templatePatch(&set.Spec.Template)
				if err != nil {
					return nil, err
				}
				all = append(all, &Revision{number, types.JSONPatchType, patch})
			}
		}
		return all, nil
	}
	var list appsv1.ControllerRevisionList
	if err := c.List(ctx, Revisions, workload.GetNamespace(), metav1.ListOptions{}, &list); err != nil {
		return nil, err
	}
	for i := range list.Items {
		if r := &list.Items[i]; metav1.IsControlledBy(r, workload) {
			all = append(all, &Revision{r.Revision, types.StrategicMergePatchType, bytes.Clone(r.Data.Raw)})
		}
	}
	return all, nil
}

// templatePatch puts a template in the place of another, without what tells ReplicaSets apart.
func templatePatch(template *corev1.PodTemplateSpec) ([]byte, error) {
	template = template.DeepCopy()
	delete(template.Labels, labelTemplateHash)
	return json.Marshal([]map[string]any{{"op": "replace", "path": "/spec/template", "value": template}})
}
