package dashboard

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
)

// healthPath is the page with the health checks of a workload.
func healthPath(kind, namespace, name string) string {
	return "/ui/workloads/" + workloadRef{kind, namespace, name}.path() + "/health"
}

// resources are the objects whose probes can be configured, by namespace and name.
func (s *Server) resources() (all []store.Object) {
	for _, d := range sorted[*appsv1.Deployment](s) {
		all = append(all, d)
	}
	for _, d := range sorted[*appsv1.StatefulSet](s) {
		all = append(all, d)
	}
	for _, d := range sorted[*appsv1.ReplicaSet](s) {
		if metav1.GetControllerOf(d) == nil {
			all = append(all, d)
		}
	}
	for _, d := range sorted[*corev1.Pod](s) {
		if metav1.GetControllerOf(d) == nil {
			all = append(all, d)
		}
	}
	return all
}

// resource is one of them, with its kind; nil if there is none of that name. kind is in lower case.
func (s *Server) resource(kind, namespace, name string) manifest.Resource {
	for _, o := range s.resources() {
		if gvk := kindOf(o); strings.EqualFold(gvk.Kind, kind) && o.GetNamespace() == namespace && o.GetName() == name {
			return s.withKind(o)
		}
	}
	return nil
}

// withKind is a copy of an object that says what it is.
func (s *Server) withKind(o store.Object) manifest.Resource {
	gvk := kindOf(o)
	o = o.DeepCopyObject().(store.Object)
	o.GetObjectKind().SetGroupVersionKind(gvk)
	return o
}

// others are the objects that belong to a workload when it is judged: the Services in front of it.
func (s *Server) others(r manifest.Resource) (all []manifest.Resource) {
	meta, _, _, ok := manifest.Object{Resource: r}.Template()
	if !ok {
		return nil
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: r.GetNamespace(), Labels: meta.Labels}}
	for _, service := range sorted[*corev1.Service](s) {
		if selects(service, pod) {
			all = append(all, s.withKind(service))
		}
	}
	return all
}

// healthList is /ui/health.
func (s *Server) healthList(w http.ResponseWriter, r *http.Request) {
	var rows list
	for _, o := range s.resources() {
		kind := kindOf(o).Kind
		load := draft.Workload{Resource: s.withKind(o)}
		for i, container := range load.Containers() {
			load.Container = container
			rows = append(rows, s.healthRow(load, kind, i == 0))
		}
	}
	main := list{e("div.title", e("h1", text("Health checks")), e("div.right", e("a.btn.main", at("href", "/ui/new"), text("New service"))))}
	if len(rows) == 0 {
		main = append(main, e("div.card.empty", e("h2", text("Nothing is run yet")), e("p", text("A service that is made of a command gets its health checks at once.")), e("p", e("a.btn", at("href", "/ui/new"), text("New service")))))
	} else {
		head := list{}
		for _, word := range []string{"Workload", "Startup", "Readiness", "Liveness"} {
			head = append(head, e("th", at("scope", "col"), text(word)))
		}
		main = append(main, e("div.card", e("div.pane.scroll", at("tabindex", "0"), at("role", "region"), at("aria-label", "Health checks"), e("table.plain.health", e("thead", e("tr", head)), e("tbody", rows)))))
	}
	s.page(w, r, page{Tab: healthTab, Title: "Health checks", Main: main})
}

// healthRow is a container with its three probes.
func (s *Server) healthRow(load draft.Workload, kind string, first bool) item {
	o, v := load.Resource, load.Values()
	address := healthPath(kind, o.GetNamespace(), o.GetName()) + "?container=" + load.Container
	name := list{e("a", at("href", address), text(o.GetName()))}
	if len(load.Containers()) > 1 {
		name = append(name, e("span.muted", text(" · "+load.Container)))
	}
	if first {
		name = append(name, e("div.small.muted", text(kind)))
	}
	cells := list{e("td", name)}
	for _, probe := range draft.Probes() {
		what := e("span.muted", text("none"))
		if handler := v.Handler(probe); handler != "" {
			what = list{e("span.mono", text(asked(v, probe))), e("div.small.muted", text(timingWords(v, probe)))}
		}
		cells = append(cells, e("td", what, e("div.small", e("a", at("href", address+"&probe="+probe), at("aria-label", "Edit the "+strings.ToLower(draft.Title(probe))+" probe of "+o.GetName()), text("Edit")))))
	}
	return e("tr", cells)
}

// asked is what a probe asks, in one line.
func asked(v draft.Values, probe string) string {
	port := func(handler string) string { return ":" + v[probe+"."+handler+".port"] }
	switch v.Handler(probe) {
	case draft.HTTP:
		path := v[probe+".httpGet.path"]
		if path == "" {
			path = "/"
		}
		return "GET " + port(draft.HTTP) + path
	case draft.TCP:
		return "connect " + port(draft.TCP)
	case draft.GRPC:
		return "gRPC " + port(draft.GRPC) + " " + v[probe+".grpc.service"]
	}
	return v[probe+".exec.command"]
}

// timingWords are the numbers of a probe, defaults filled in.
func timingWords(v draft.Values, probe string) string {
	number := func(name, otherwise string) string {
		if n := v[probe+"."+name]; n != "" {
			return n
		}
		return otherwise
	}
	return "every " + number("periodSeconds", "10") + " s · timeout " + number("timeoutSeconds", "1") + " s · " + failures(number("failureThreshold", "3"))
}

func failures(n string) string {
	if n == "1" {
		return "1 failure"
	}
	return n + " failures"
}

// healthPage is /ui/workloads/{kind}/{namespace}/{name}/health.
func (s *Server) healthPage(w http.ResponseWriter, r *http.Request) {
	o := s.resource(r.PathValue("kind"), r.PathValue("namespace"), r.PathValue("name"))
	if o == nil {
		s.notFound(w, r, "There is no such workload: it may have been deleted.")
		return
	}
	query := r.URL.Query()
	load := draft.Workload{Resource: o, Container: query.Get("container")}
	if c, _ := load.Spec(); c == nil {
		s.notFound(w, r, "The workload has no such container.")
		return
	}
	d, err := load.New(load.Values())
	if err != nil {
		s.notFound(w, r, err.Error())
		return
	}
	f := s.newFormView(d, query, false)
	if !slices.Contains(draft.Probes(), f.Probe) {
		f.Probe = draft.Liveness
	}
	f.file, f.fileProblem = s.fileOf(load)
	ref := manifest.Object{Resource: o}.Ref()
	c, _ := load.Spec()
	main := list{
		e("p.crumbs", e("a", at("href", "/ui/health"), text("Health checks")), text(" / "+ref.Kind)),
		e("div.title", e("h1", text("Health checks of "+ref.Name)), e("span", at("id", "chip"), f.chip()),
			e("span.muted.small", f.containers(c.Name), f.place())),
		f.form(ref, c.Name),
	}
	s.page(w, r, page{Tab: healthTab, Title: "Health checks of " + ref.Name, Main: main, Scripts: []string{"health.js"}})
}

// containers is the name of the container, with links to the others.
func (f *formView) containers(name string) item {
	all := f.Draft.Workload.Containers()
	if len(all) == 1 {
		return text("container " + name)
	}
	items := []item{text("containers ")}
	for _, other := range all {
		items = append(items, e("a", at("href", "?container="+other), when(other == name, at("aria-current", "true")), text(other)), text(" "))
	}
	return list(items)
}

// place says from which file the workload is.
func (f *formView) place() item {
	if f.file == nil {
		return nil
	}
	return text(" · from " + filepath.Base(f.file.Name) + ", line " + strconv.Itoa(f.file.Line))
}

// widthOf is the width of pictures that a page has room for.
func widthOf(word string) int {
	n, err := strconv.Atoi(word)
	if err != nil {
		return 640
	}
	return min(max(n, 240), 2000)
}

// maxFile is how large a manifest may be that a page writes to.
const maxFile = 1 << 20

var (
	errNoFile  = errors.New("it comes from no file of the command line")
	errTooLong = errors.New("the file is too large to be edited here")
)

// fileOf is the file of the command line in which a workload stands. The error says why there is
// none to write to.
func (s *Server) fileOf(load draft.Workload) (*draft.File, error) {
	path := load.Resource.GetAnnotations()[manifest.AnnotationManifest]
	given := slices.ContainsFunc(s.opts.Files, func(file string) bool { return path != "" && sameFile(file, path) })
	if !given {
		return nil, errNoFile
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxFile:
		return nil, errTooLong
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return load.Open(path, content)
}

// sameFile reports whether two paths lead to one file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
