package dashboard

import (
	"context"
	"errors"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/probity-run/probity/internal/printable"
)

// errOnlyRun says that something is done by who runs Pods alone.
var errOnlyRun = errors.New("a cluster cannot do that: only a run of Probity can")

// isRolled reports whether a Pod is of a workload that can roll its Pods: a cluster restarts no
// single container.
func (p *podView) isRolled() bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, p.Workload.Kind)
}

// clusterMenu is the menu of actions for a Pod of a cluster.
func (s *Server) clusterMenu(p *podView, act func(do, label, key string) item) item {
	gone := p.Pod.DeletionTimestamp != nil
	kubectl := s.opts.Cluster.State().Kubectl
	return e("details.menu", at("data-at", podPath(p.Namespace, p.Name)),
		e("summary.btn.quiet.icon", at("title", "Actions"), iconMore(), e("span.sr", text("Actions for "+p.Name))),
		e("div.card.acts", e("div.choices",
			when(!gone && p.isRolled(), act("restart", "Restart "+strings.ToLower(p.Workload.Kind)+"…", "r")),
			when(!gone, act("delete", "Delete Pod…", "")),
			e("button", at("type", "button"), at("data-copy", p.Name), text("Copy name")),
			e("button", at("type", "button"), at("data-copy", kubectl+" -n "+printable.Shell(p.Namespace)+" describe pod "+p.Name), text("Copy kubectl line")),
		), e("p.small.muted", text("A cluster restarts no single container, sends no signals and takes no Pod out of rotation.")), e("div.answer", at("role", "status"))))
}

// clusterRestart asks whether a workload is to be restarted.
func (p *podView) clusterRestart(snap *snapshot) item {
	said := "Restart " + p.Workload.Kind + " " + p.Workload.Name + "? It replaces all its Pods, one after the other, by its rollout strategy."
	if d := snap.objects.workloads[p.Workload]; d != nil && d.recreates {
		said = "Restart Deployment " + p.Workload.Name + "? Its strategy is Recreate: all its Pods end before new ones start."
	}
	return e("p", text(said))
}

// recreates reports whether a Deployment ends all its Pods before it makes new ones.
func recreates(d *appsv1.Deployment) bool {
	return d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
}

// actOnCluster does what a person has chosen.
func (s *Server) actOnCluster(ctx context.Context, namespace, name, do string) (said string, err error) {
	c := s.opts.Cluster
	switch do {
	case "restart":
		p := s.snapshot().find(namespace, name)
		if p == nil || !p.isRolled() {
			return "", errOnlyRun
		}
		w := p.Workload
		return w.Kind + " " + w.Name + " replaces its Pods.", c.RestartWorkload(ctx, w.Kind, w.Namespace, w.Name)
	case "delete":
		return "It is asked to end.", c.DeletePod(ctx, namespace, name)
	}
	return "", errOnlyRun
}
