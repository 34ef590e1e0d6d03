package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/advisor/fix"
	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/dashboard/markup"
	"github.com/probity-run/probity/internal/dashboard/shape"
	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// valuesOf are the values of a posted form; those whose names begin with was. are what was read.
func valuesOf(r *http.Request) (values, was draft.Values) {
	values, was = draft.Values{}, draft.Values{}
	for name := range r.Form {
		value := strings.ReplaceAll(r.Form.Get(name), "\r\n", "\n")
		if field, ok := strings.CutPrefix(name, "was."); ok {
			was[field] = value
		} else if probe, _, ok := strings.Cut(name, "."); ok && strings.HasSuffix(probe, "Probe") {
			values[name] = value
		}
	}
	return values, was
}

// parts answers with parts of a page, each with its id.
func parts(w http.ResponseWriter, r *http.Request, status int, parts ...item) {
	writeZipped(w, r, status, markup.Page(e("html", e("head", e("title", text("Part"))), e("body", parts...))))
}

// posted is the form of a request. What is not there is answered.
func (s *Server) posted(w http.ResponseWriter, r *http.Request) (f *formView, ok bool) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "cannot read the form", http.StatusBadRequest)
		return nil, false
	}
	values, _ := valuesOf(r)
	var load draft.Workload
	var service *corev1.Service
	var extra []draft.Error
	isNew := r.Form.Get("new") != ""
	if isNew {
		load, service, extra = newServiceOf(r).Objects()
	} else {
		o := s.resource(r.Form.Get("kind"), r.Form.Get("namespace"), r.Form.Get("name"))
		if o == nil {
			http.Error(w, "the workload is gone", http.StatusNotFound)
			return nil, false
		}
		load = draft.Workload{Resource: o, Container: r.Form.Get("container")}
	}
	d, err := load.New(values)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return nil, false
	}
	f = s.newFormView(d, r.Form, isNew)
	f.Service, f.Extra = service, extra
	if !isNew {
		f.file, f.fileProblem = s.fileOf(load)
	}
	f.placeNew()
	return f, true
}

// draftAnswer is POST /ui/draft: what would follow from what is typed. Nothing is changed.
func (s *Server) draftAnswer(w http.ResponseWriter, r *http.Request) {
	f, ok := s.posted(w, r)
	if !ok {
		return
	}
	if r.Form.Get("many") != "" {
		s.many(w, r, f)
		return
	}
	named := func(id string, content item) item { return e("div", at("id", id), content) }
	parts(w, r, http.StatusOK, append(f.Parts(), named("chip", f.chip()), named("why-not", f.whyNot()), named("file", f.filePart()))...)
}

// many answers with the one fact that takes long. One request at a time is worked on; who has left
// is not waited for.
func (s *Server) many(w http.ResponseWriter, r *http.Request, f *formView) {
	select {
	case s.counting <- struct{}{}:
		defer func() { <-s.counting }()
	case <-r.Context().Done():
		return
	}
	if r.Context().Err() != nil {
		return
	}
	fact, err := f.Draft.Many(f.Draft.Workload.Replicas())
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	parts(w, r, http.StatusOK, e("table", e("tbody", form.FactRow(fact))))
}

// refused says that a draft has errors.
var errRefused = errors.New("the draft has errors")

// apply is POST /ui/apply: it writes the probes by a server-side apply. What others have changed of
// the object meanwhile stays; that they have changed the same probes, or own what is changed here,
// is a conflict.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) {
	f, ok := s.posted(w, r)
	if !ok {
		return
	}
	if f.IsNew {
		s.create(w, r, f)
		return
	}
	if f.isPod() && r.Form.Get("replace") != "" && !s.isCluster() {
		s.applyReplacement(w, r, f)
		return
	}
	updated, err := f.apply(r)
	if f.isImmutable(err) && !s.isCluster() {
		parts(w, r, http.StatusConflict, f.offerReplacement(err))
		return
	}
	s.applied(w, r, f, updated, err)
}

// applyReplacement replaces a Pod, and answers with where that is followed.
func (s *Server) applyReplacement(w http.ResponseWriter, r *http.Request, f *formView) {
	live, err := f.replace(r)
	if err != nil {
		s.applied(w, r, f, nil, err)
		return
	}
	said, state := s.replacement(live.Namespace, live.Name, string(live.UID))
	parts(w, r, http.StatusOK, e("div", at("id", "done"), at("data-follow", s.followPath(live, "Pod")+"?old="+string(live.UID)), followLine(said, "", state)))
}

// applied answers with what became of an apply.
func (s *Server) applied(w http.ResponseWriter, r *http.Request, f *formView, updated store.Object, err error) {
	if changed, ok := errors.AsType[*changedMeanwhile](err); ok {
		parts(w, r, http.StatusConflict, conflict(changed.now, changed.markup(), ""))
		return
	}
	if owned := ownersOf(err); len(owned) > 0 {
		parts(w, r, http.StatusConflict, f.ownedByOthers(owned))
		return
	}
	if err != nil {
		parts(w, r, http.StatusConflict, e("div", at("id", "done"), e("div.pane", e("p.bad", text(err.Error())))))
		return
	}
	kind := kindOf(updated).Kind
	parts(w, r, http.StatusOK, e("div", at("id", "done"), at("data-follow", s.followPath(updated, kind)), s.followed(updated, kind)))
}

// apply writes the probes of the form. What belongs to the manifests of this run is this person's
// own; that of other managers is taken over only if the form says so.
func (f *formView) apply(r *http.Request) (updated store.Object, err error) {
	force := r.Form.Get("force") != ""
	updated, err = f.write(r, force)
	others := f.server.isCluster() || slices.ContainsFunc(ownersOf(err), func(o owned) bool { return o.manager != registry.Manager })
	if len(ownersOf(err)) > 0 && !others {
		updated, err = f.write(r, true)
	}
	return updated, err
}

func (f *formView) write(r *http.Request, force bool) (store.Object, error) {
	values, was := valuesOf(r)
	return f.server.writes.Apply(r.Context(), f.Draft.Workload.Resource, func(current store.Object) (Wanted, error) {
		load := draft.Workload{Resource: current, Container: f.Draft.Workload.Container}
		now := load.Values()
		if differences := draft.Differences(was, now); len(differences) > 0 {
			return Wanted{}, &changedMeanwhile{now, differences}
		}
		d, err := load.New(values)
		if err == nil && len(d.Errors) > 0 {
			err = errRefused
		}
		if err != nil {
			return Wanted{}, err
		}
		return Wanted{d.Resource, load.Probes(values)}, nil
	}, force)
}

// followPath is where the rollout of an object is followed.
func (s *Server) followPath(o store.Object, kind string) string {
	ref := workloadRef{kind, o.GetNamespace(), o.GetName()}
	return "/ui/workloads/" + ref.path() + "/rollout"
}

// rollout is GET /ui/workloads/{kind}/{namespace}/{name}/rollout: how far it is.
func (s *Server) rollout(w http.ResponseWriter, r *http.Request) {
	namespace, name := r.PathValue("namespace"), r.PathValue("name")
	if old := r.URL.Query().Get("old"); old != "" {
		said, state := s.replacement(namespace, name, old)
		parts(w, r, http.StatusOK, followLine(said, "", state))
		return
	}
	o := s.resource(r.PathValue("kind"), namespace, name)
	if o == nil {
		http.Error(w, "the workload is gone", http.StatusNotFound)
		return
	}
	parts(w, r, http.StatusOK, s.followed(o.(store.Object), o.GetObjectKind().GroupVersionKind().Kind))
}

// followed is a line about the rollout; over says that there is nothing more to follow.
func (s *Server) followed(o store.Object, kind string) item {
	return followLine(s.progress(o, kind))
}

func followLine(said, waits, state string) item {
	class := map[string]string{"over": "p.ok.state", "failed": "p.bad.state", "": "p.wait.state"}[state]
	mark := map[string]func() item{"over": shape.Ready, "failed": shape.Failed, "": shape.Starting}[state]()
	return e("div.pane", at("data-rollout", state), e(class, mark, text(said), when(waits != "", e("span.muted", text(waits)))))
}

// progress is how far a rollout is: over, failed, or "" while it goes on.
func (s *Server) progress(o store.Object, kind string) (said, waits, state string) {
	switch x := o.(type) {
	case *appsv1.Deployment:
		switch failed := stuck(x); {
		case failed != "":
			return failed, "", "failed"
		case x.Spec.Paused:
			return "Applied. The Deployment is paused: nothing is rolled out before it goes on.", "", "over"
		case deploymentDone(x):
			return "Applied, and rolled out.", "", "over"
		}
		said = fmt.Sprintf("Rollout: %d of %d updated", x.Status.UpdatedReplicas, replicas(x.Spec.Replicas))
	case *appsv1.StatefulSet:
		if statefulSetDone(x) {
			return "Applied, and rolled out.", "", "over"
		}
		said = fmt.Sprintf("Rollout: %d of %d updated", x.Status.UpdatedReplicas, replicas(x.Spec.Replicas))
	default:
		return "Applied: Pods that are made from now on have the new probes.", "", "over"
	}
	for _, g := range s.snapshot().groups {
		if g.Kind == kind && g.Namespace == o.GetNamespace() && g.Name == o.GetName() && g.text != "" {
			if said = g.text; g.waits != "" {
				waits = " · " + g.waits
			}
		}
	}
	return said, waits, ""
}

// deploymentDone reports whether a rollout is over, as kubectl rollout status has it.
func deploymentDone(d *appsv1.Deployment) bool {
	n := replicas(d.Spec.Replicas)
	status := d.Status
	return status.ObservedGeneration >= d.Generation && int(status.UpdatedReplicas) >= n && status.Replicas <= status.UpdatedReplicas && status.AvailableReplicas >= status.UpdatedReplicas
}

// statefulSetDone reports the same of a StatefulSet.
func statefulSetDone(set *appsv1.StatefulSet) bool {
	n := replicas(set.Spec.Replicas)
	return set.Status.ObservedGeneration >= set.Generation && int(set.Status.UpdatedReplicas) >= n && int(set.Status.ReadyReplicas) >= n
}

// stuck is why a Deployment's rollout counts as failed, "" if it does not.
func stuck(d *appsv1.Deployment) string {
	if d.Status.ObservedGeneration < d.Generation {
		return ""
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse {
			return "The rollout is stuck: " + c.Message
		}
	}
	return ""
}

// writeFile is POST /ui/write: it writes the probes into the file of the workload.
func (s *Server) writeFile(w http.ResponseWriter, r *http.Request) {
	f, ok := s.posted(w, r)
	if !ok {
		return
	}
	values := f.Draft.Workload.Values()
	if f.Draft.Workload.Resource.GetObjectKind().GroupVersionKind().Kind == "Pod" {
		values = f.Draft.Values
	}
	said, err := f.writeTo(values)
	if err != nil {
		parts(w, r, http.StatusConflict, e("div", at("id", "file"), e("div.pane", e("p.small.bad", text(err.Error())))))
		return
	}
	parts(w, r, http.StatusOK, e("div", at("id", "file"), e("div.pane", e("p.small.ok.state", shape.Ready(), text(said)))))
}

func (f *formView) writeTo(values draft.Values) (said string, err error) {
	if f.file == nil {
		return "", f.fileProblem
	}
	next, err := f.file.Write(values)
	if err != nil {
		return "", err
	}
	if err := fix.Overwrite(f.file.Name, f.file.Text, next); err != nil {
		return "", fmt.Errorf("cannot write %s: %w", filepath.Base(f.file.Name), err)
	}
	return "Written to " + filepath.Base(f.file.Name) + ".", nil
}
