package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
)

// environmentCard is what the manifest and Probity put into the environment. Values of Secrets are
// not part of the page.
func (s *Server) environmentCard(p *podView) item {
	var rows list
	several := len(lifecycle.Containers(&p.Pod.Spec)) > 1
	row := func(container, name string, value item) {
		if several {
			name = container + ": " + name
		}
		rows = append(rows, e("dt.mono", text(name)), e("dd", value))
	}
	for _, c := range lifecycle.Containers(&p.Pod.Spec) {
		own := s.isCluster() || slices.ContainsFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == "PORT" })
		if ports := p.Facts.Containers[c.Name].Ports; len(ports) > 0 && !own {
			row(c.Name, "PORT", e("span.mono", text(strconv.Itoa(ports[0].Actual))))
		}
		for _, v := range c.Env {
			row(c.Name, v.Name, s.variable(p, c.Name, v))
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil {
				row(c.Name, from.Prefix+"…", e("span.muted", text("all of Secret "+from.SecretRef.Name)))
			}
			if from.ConfigMapRef != nil {
				row(c.Name, from.Prefix+"…", e("span.muted", text("all of ConfigMap "+from.ConfigMapRef.Name)))
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return e("section.card.pane", at("id", "environment"), e("h2", text("Environment")), e("dl.kv.environment", rows), s.yamlOf(p))
}

func (s *Server) variable(p *podView, container string, v corev1.EnvVar) item {
	from := v.ValueFrom
	switch {
	case from == nil:
		return e("span.mono", text(v.Value))
	case from.SecretKeyRef != nil && s.isCluster(): // no value of a Secret is read from a cluster
		return e("span.muted", text("from Secret "+from.SecretKeyRef.Name+", key "+from.SecretKeyRef.Key))
	case from.ConfigMapKeyRef != nil && s.isCluster():
		return e("span.muted", text("from ConfigMap "+from.ConfigMapKeyRef.Name+", key "+from.ConfigMapKeyRef.Key))
	case from.SecretKeyRef != nil:
		return list{e("span.muted", text("from Secret "+from.SecretKeyRef.Name+", key "+from.SecretKeyRef.Key+" ")),
			e("button.btn.quiet", at("type", "button"), at("data-secret", podPath(p.Namespace, p.Name)+"/secret"), at("data-container", container), at("data-name", v.Name), text("Show"), e("span.sr", text(" the value of "+v.Name)))}
	case from.ConfigMapKeyRef != nil:
		value := "(not there)"
		if m, ok := named[*corev1.ConfigMap](s, p.Namespace, from.ConfigMapKeyRef.Name); ok {
			value = m.Data[from.ConfigMapKeyRef.Key]
		}
		return list{e("span.mono", text(value)), e("span.muted.small", text(" from ConfigMap "+from.ConfigMapKeyRef.Name))}
	case from.FieldRef != nil:
		return e("span.muted", text("from "+from.FieldRef.FieldPath))
	}
	return e("span.muted", text("from elsewhere"))
}

// showSecret is POST /ui/pods/{namespace}/{name}/secret: one value of a Secret that a container
// gets, as text. That somebody looked at it is an Event, without the value.
func (s *Server) showSecret(w http.ResponseWriter, r *http.Request) {
	if s.isCluster() {
		http.Error(w, "Secrets of a cluster are not read", http.StatusNotFound)
		return
	}
	pod, ok := named[*corev1.Pod](s, r.PathValue("namespace"), r.PathValue("name"))
	if !ok {
		http.Error(w, "the Pod is gone", http.StatusNotFound)
		return
	}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		for _, v := range c.Env {
			if c.Name != r.FormValue("container") || v.Name != r.FormValue("name") || v.ValueFrom == nil || v.ValueFrom.SecretKeyRef == nil {
				continue
			}
			ref := v.ValueFrom.SecretKeyRef
			secret, ok := named[*corev1.Secret](s, pod.Namespace, ref.Name)
			if !ok {
				http.Error(w, "there is no such Secret", http.StatusNotFound)
				return
			}
			value, ok := secret.StringData[ref.Key]
			if !ok {
				value = string(secret.Data[ref.Key])
			}
			s.opts.Store.Record(store.Occurrence{
				About: corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID}, Type: corev1.EventTypeNormal, Reason: "SecretShown",
				Message: fmt.Sprintf("Variable %s of container %s, from Secret %s, was shown in the dashboard", v.Name, c.Name, ref.Name), Component: "probity-dashboard",
			})
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = fmt.Fprint(w, value) // who has left does not get it
			return
		}
	}
	http.Error(w, "there is no such variable", http.StatusNotFound)
}

// eventsCard are the newest Events about the Pod.
func (s *Server) eventsCard(p *podView) item {
	events := foldEvents(sorted[*corev1.Event](s), func(e *corev1.Event) bool { return e.InvolvedObject.UID == p.UID })
	var rows list
	for _, event := range events[:min(len(events), 12)] {
		rows = append(rows, event.short())
	}
	if len(rows) == 0 {
		return nil
	}
	return e("section.card.pane", at("id", "events"), e("h2", text("Events"), e("a.small", at("href", eventsAbout(p.Namespace, p.Name)), text("all"))), e("table.plain.small", e("tbody", rows)))
}
