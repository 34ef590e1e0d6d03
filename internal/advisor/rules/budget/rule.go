// Package budget finds disruption budgets that never let a pod go.
package budget

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/advisor"
)

// Rule is budget-allows-no-eviction.
func Rule() advisor.Rule {
	return advisor.Rule{
		ID:       "budget-allows-no-eviction",
		Severity: advisor.Waste,
		Doc: advisor.Doc{
			Title: "A PodDisruptionBudget allows no eviction, although all pods are healthy.",
			Consequence: advisor.Prose(`
				Draining a node waits for ever, and with it the upgrade of the cluster, until somebody deletes the pod or the budget. Percentages are
				rounded up: 51% of two pods are two. Two budgets that select the same pod forbid its eviction, too.`),
			Remedy: "Let maxUnavailable be 1, or have one replica more than minAvailable.",
			Before: `kind: PodDisruptionBudget
spec: {minAvailable: 51%}   # of 2 replicas`,
			After: `kind: PodDisruptionBudget
spec: {maxUnavailable: 1}`,
			KubeletRules: []string{"R105"},
			SeeAlso:      []string{"https://kubernetes.io/docs/tasks/run-application/configure-pdb/"},
		},
		Check: check,
	}
}

func check(w *advisor.Workload) []advisor.Finding {
	var found []advisor.Finding
	for i, b := range w.Budgets {
		if first := w.Budgets[0]; i > 0 && first.Object.Position.File == b.Object.Position.File {
			found = append(found, b.Finding("the pods of %s are in PodDisruptionBudget %s already, and the API server evicts no pod that is in two", w.Object.Ref(), first.Name()))
			continue
		}
		pods := b.Pods()
		if n, ok := b.Evictable(pods); ok && n == 0 && pods > 0 {
			found = append(found, b.Finding("%s: no pod may be evicted even if all are healthy, so draining a node waits for ever", limit(b, pods)))
		}
	}
	return found
}

func limit(b *advisor.Budget, pods int) string {
	var names []string
	for _, w := range b.Workloads {
		names = append(names, w.Object.Ref().String())
	}
	of := fmt.Sprintf("%d of the %d pods of %s", pods, pods, strings.Join(names, " and "))
	if b.Spec.MaxUnavailable != nil {
		return fmt.Sprintf("with maxUnavailable %s, %s must be available", b.Spec.MaxUnavailable, of)
	}
	return fmt.Sprintf("with minAvailable %s, %s must be available", b.Spec.MinAvailable, of)
}
