package ownership

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Owner says what keeps an object, so that a change by hand would not last: a Helm release, a
// program that brings it to what a repository says, or the object that controls it. Empty if
// nothing is known to.
func Owner(o metav1.Object) string {
	labels, annotations := o.GetLabels(), o.GetAnnotations()
	if owner := metav1.GetControllerOfNoCopy(o); owner != nil {
		return owner.Kind + " " + owner.Name
	}
	for _, mark := range []struct{ value, owner string }{
		{annotations["meta.helm.sh/release-name"], "Helm, release "},
		{labels["helm.toolkit.fluxcd.io/name"], "Flux, HelmRelease "},
		{labels["kustomize.toolkit.fluxcd.io/name"], "Flux, Kustomization "},
		{labels["argocd.argoproj.io/instance"], "Argo CD, application "},
	} {
		if mark.value != "" {
			return mark.owner + mark.value
		}
	}
	if id, _, _ := strings.Cut(annotations["argocd.argoproj.io/tracking-id"], ":"); id != "" {
		return "Argo CD, application " + id
	}
	return ""
}
