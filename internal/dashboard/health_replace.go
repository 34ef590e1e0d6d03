package dashboard

import (
	"net/http"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/registry"
)

// isPod reports whether the form is that of a bare Pod, whose probes cannot be changed.
func (f *formView) isPod() bool {
	_, ok := f.Draft.Workload.Resource.(*corev1.Pod)
	return ok && !f.IsNew
}

// offerReplacement says why a Pod cannot be changed, in the API server's words, and what can be
// done instead.
func (f *formView) offerReplacement(refused error) item {
	said, _, _ := strings.Cut(refused.Error(), "\n") // what follows is the difference, which stands above
	return e("div", at("id", "done"), at("data-conflict", "{}"), e("div.pane",
		e("p.warn.state", shape.Warning(), e("b", text("The API server changes no probes of a Pod."))),
		e("p.small.mono", text(said)),
		e("p.small", text("It can be deleted and created anew, as kubectl replace --force does: its program gets "+strconv.FormatInt(f.Draft.Workload.Grace(), 10)+
			" s to end, nothing takes its requests until the new one is ready, and its log and history begin anew.")),
		e("p.buttons", e("button.btn", at("type", "button"), at("data-replace", ""), text("Delete it and create it anew")))))
}

// replace deletes the Pod of the form and has another one made with the probes of the form.
func (f *formView) replace(r *http.Request) (live *corev1.Pod, err error) {
	values, was := valuesOf(r)
	live = f.Draft.Workload.Resource.(*corev1.Pod)
	if differences := draft.Differences(was, f.Draft.Workload.Values()); len(differences) > 0 {
		return nil, &changedMeanwhile{f.Draft.Workload.Values(), differences}
	}
	if len(f.Draft.Errors) > 0 {
		return nil, errRefused
	}
	written := &unstructured.Unstructured{Object: f.Draft.Workload.Document(values)}
	written.SetNamespace(live.Namespace)
	notes := written.GetAnnotations()
	for _, note := range []string{manifest.AnnotationManifest, corev1.LastAppliedConfigAnnotation} {
		if value, ok := live.Annotations[note]; ok {
			if notes == nil {
				notes = map[string]string{}
			}
			notes[note] = value
		}
	}
	written.SetAnnotations(notes)
	next := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(written.Object, next); err != nil {
		return nil, err
	}
	manifest.Default(next)
	owned, err := f.server.opts.Fields.Change(nil, next, written.Object, Manager, false)
	if err != nil {
		return nil, err
	}
	return live, f.server.opts.Runner.ReplacePod(r.Context(), live, owned.(*corev1.Pod), registry.WriteOptions{Manager: Manager, Applied: true})
}

// isImmutable reports whether an update of a Pod was refused because of what cannot be changed.
func (f *formView) isImmutable(err error) bool {
	return f.isPod() && apierrors.IsInvalid(err) && strings.Contains(err.Error(), "pod updates may not change")
}

// replacement is how far it is with a Pod that replaces another one.
func (s *Server) replacement(namespace, name, old string) (said, state string) {
	waits := s.opts.Runner.Waits(namespace, name) // before the Pod, which is made before it waits no more
	pod, ok := named[*corev1.Pod](s, namespace, name)
	switch {
	case !ok && waits:
		return "The old Pod is gone; the new one is made.", ""
	case !ok:
		return "The old Pod is gone, and so is the new one, or it could not be made: the output of the run says why.", "failed"
	case string(pod.UID) == old:
		return "The old Pod ends.", ""
	case isReady(pod):
		return "Replaced, and the new Pod is ready.", "over"
	case pod.Status.Phase == corev1.PodFailed:
		return "Replaced, and the new Pod has failed.", "failed"
	case pod.Status.Phase == corev1.PodSucceeded:
		return "Replaced, and the new Pod is complete.", "over"
	}
	return "The new Pod is starting.", ""
}
