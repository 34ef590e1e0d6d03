package dashboard

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// maxFound is how many places are offered at a time.
const maxFound = 12

// foundPlace is where one can go.
type foundPlace struct{ kind, name, address string }

// find is GET /ui/find?q: places by their names, those first that begin with what is typed.
func (s *Server) find(w http.ResponseWriter, r *http.Request) {
	q := strings.ToLower(strings.TrimSpace(r.URL.Query().Get("q")))
	all := slices.DeleteFunc(s.places(), func(p foundPlace) bool { return !strings.Contains(strings.ToLower(p.name), q) })
	slices.SortStableFunc(all, func(a, b foundPlace) int {
		late := func(p foundPlace) int { return boolean(!strings.HasPrefix(strings.ToLower(p.name), q)) }
		return cmp.Compare(late(a), late(b))
	})
	var rows list
	for _, p := range all[:min(len(all), maxFound)] {
		rows = append(rows, e("li", e("a", at("href", p.address), text(p.name)), e("span.muted.small", text(" "+p.kind))))
	}
	if n := len(all) - maxFound; n > 0 {
		rows = append(rows, e("li.muted.small", text(plural(n, "other")+": type more")))
	}
	if len(all) == 0 {
		rows = append(rows, e("li.muted.small", text("Nothing of that name.")))
	}
	parts(w, r, http.StatusOK, e("ul", at("id", "found"), rows))
}

// places are all of them: pages, workloads, Services, Pods.
func (s *Server) places() (all []foundPlace) {
	for _, t := range s.tabs() {
		all = append(all, foundPlace{"page", string(t.tab), t.address})
	}
	all = append(all, foundPlace{"page", "New service", "/ui/new"})
	for _, o := range s.resources() {
		kind := kindOf(o).Kind
		if kind != "Pod" {
			all = append(all, foundPlace{"health checks of the " + kind, o.GetName(), healthPath(kind, o.GetNamespace(), o.GetName())})
		}
	}
	for _, service := range sorted[*corev1.Service](s) {
		all = append(all, foundPlace{"Pods of the Service", service.Name, "/ui/pods?service=" + url.QueryEscape(service.Name)})
	}
	for _, pod := range sorted[*corev1.Pod](s) {
		all = append(all, foundPlace{"Pod", pod.Name, podPath(pod.Namespace, pod.Name)}, foundPlace{"log of the Pod", pod.Name, logsPath(pod.Namespace, pod.Name)})
	}
	return all
}

// finder is where one types to go somewhere, on pages that have nothing of their own to filter.
func finder() item {
	return e("dialog.help", at("id", "finder"), at("aria-labelledby", "find-label"),
		e("form", at("method", "dialog"),
			e("label", at("for", "find-q"), at("id", "find-label"), text("Go to a Pod, workload, Service or page")),
			e("input", at("id", "find-q"), at("type", "text"), at("autocomplete", "off"), at("spellcheck", "false")),
			e("ul.choice", at("id", "found"), at("aria-live", "polite"))))
}
