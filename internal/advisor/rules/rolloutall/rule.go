// Package rolloutall finds rollouts that may take all pods away at once.
package rolloutall

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is rollout-takes-all-replicas.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "rollout-takes-all-replicas",
		Severity: advisor.Risk,
		Doc: advisor.Doc{
			Title: "A rollout may take all pods away before a new one is ready.",
			Consequence: advisor.Prose(`
				As many pods as maxUnavailable may be missing during an update, so if that is all of them the Service has no endpoint until the first new
				pod is ready; if the new version never is, that stays so. The strategy Recreate does the same on purpose.`),
			Remedy:       "Leave the default of 25%, or set maxUnavailable: 0 with a maxSurge of at least 1.",
			Before:       "strategy: {rollingUpdate: {maxUnavailable: 100%}}",
			After:        "strategy: {rollingUpdate: {maxUnavailable: 25%}}",
			KubeletRules: []string{"R206", "R208", "R209", "R216"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	if len(w.Traffic()) == 0 {
		return nil
	}
	switch o := w.Object.Resource.(type) {
	case *appsv1.Deployment:
		return deployment(w, o.Spec.Strategy)
	case *appsv1.DaemonSet:
		if u := o.Spec.UpdateStrategy.RollingUpdate; u != nil && isAll(u.MaxUnavailable) {
			return []advisor.Finding{finding(w, "spec.updateStrategy.rollingUpdate.maxUnavailable", "maxUnavailable "+u.MaxUnavailable.String()+" is all pods")}
		}
	case *appsv1.StatefulSet:
		u := o.Spec.UpdateStrategy.RollingUpdate
		if u == nil || u.MaxUnavailable == nil || w.Least < 2 {
			return nil
		}
		if n, err := intstr.GetScaledValueFromIntOrPercent(u.MaxUnavailable, w.Least, false); err == nil && n >= w.Least {
			return []advisor.Finding{finding(w, "spec.updateStrategy.rollingUpdate.maxUnavailable",
				fmt.Sprintf("maxUnavailable %s is all %d pods", u.MaxUnavailable, w.Least))}
		}
	}
	return nil
}

func isAll(limit *intstr.IntOrString) bool { return limit != nil && limit.String() == "100%" }

func deployment(w *advisor.Workload, s appsv1.DeploymentStrategy) []advisor.Finding {
	if s.Type == appsv1.RecreateDeploymentStrategyType {
		if w.Least < 2 { // with one replica it is how a volume changes hands
			return nil
		}
		f := finding(w, "spec.strategy.type", fmt.Sprintf("Recreate ends all %d pods first", w.Least))
		f.Severity = advisor.Waste // as somebody has asked for
		return []advisor.Finding{f}
	}
	const field = "spec.strategy.rollingUpdate.maxUnavailable"
	u := s.RollingUpdate
	if u == nil || u.MaxUnavailable == nil || !w.Object.Has(field) {
		return nil
	}
	pods := w.Least
	n, err := intstr.GetScaledValueFromIntOrPercent(u.MaxUnavailable, pods, false) // R206
	if err != nil || n < pods || pods == 0 {
		return nil
	}
	f := finding(w, field, fmt.Sprintf("maxUnavailable %s is all %d pods", u.MaxUnavailable, pods))
	if pods == 1 {
		f = finding(w, field, fmt.Sprintf("maxUnavailable %s is the only pod", u.MaxUnavailable))
		f.Severity = advisor.Waste // one replica is no promise that there always is one
	}
	if surge := u.MaxSurge; surge != nil && surge.String() != "0" && surge.String() != "0%" {
		f.Patch = &advisor.Patch{Summary: "maxUnavailable: 0", Edits: []advisor.Edit{{Path: field, Value: "0"}}}
	}
	return []advisor.Finding{f}
}

func finding(w *advisor.Workload, field, what string) advisor.Finding {
	return w.Finding(field, "%s: during an update Service %s has no endpoint until a new pod is ready", what, w.Traffic()[0].Name())
}
