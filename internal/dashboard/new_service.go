package dashboard

import (
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/probity-run/probity/internal/dashboard/draft"
	"github.com/probity-run/probity/internal/dashboard/form"
	"github.com/probity-run/probity/internal/manifest"
)

func newServiceOf(r *http.Request) draft.NewService {
	return draft.NewService{Name: r.Form.Get("service-name"), Namespace: r.Form.Get("service-namespace"), Image: r.Form.Get("service-image"), Command: r.Form.Get("service-command"), Port: r.Form.Get("service-port"), Replicas: r.Form.Get("service-replicas")}
}

// errNoImage takes the place of what is said when there is no command either, where none can be.
const errNoImage = "the image is missing: what the cluster runs, as in registry.example.com/shop:1.2"

// placeNew attaches the errors of a new service's Deployment to the fields of its form.
func (f *formView) placeNew() {
	if !f.IsNew {
		return
	}
	for i, x := range f.Draft.Errors {
		if x.Field == "" {
			f.Draft.Errors[i].Field = draft.NewServiceField(x.Text)
		}
	}
	for i, x := range f.Extra {
		if f.server.isCluster() && x.Field == "command" {
			f.Extra[i] = draft.Error{Field: "image", Text: errNoImage}
		}
	}
	said := map[string]bool{}
	var kept []draft.Error
	for _, x := range f.Extra {
		said["service-"+x.Field] = true
		x.Field = "service-" + x.Field
		kept = append(kept, x)
	}
	var others []draft.Error
	for _, x := range f.Draft.Errors {
		switch field := "service-" + x.Field; x.Field {
		case "name", "namespace", "command", "image", "port", "replicas":
			if !said[field] { // one slip, a missing name for example, breaks several rules
				said[field] = true
				kept = append(kept, draft.Error{Field: field, Text: x.Text})
			}
		default:
			others = append(others, x)
		}
	}
	f.Extra, f.Draft.Errors = kept, others
}

// newPage is /ui/new: a service that is made of a command, with its health checks.
func (s *Server) newPage(w http.ResponseWriter, r *http.Request) {
	load, service, _ := draft.NewService{Name: "my-service", Command: "./server", Port: "8080"}.Objects()
	values := draft.Values{}
	for probe, path := range map[string]string{draft.Readiness: "/readyz", draft.Liveness: "/livez"} {
		values[probe+".handler"], values[probe+".httpGet.path"], values[probe+".httpGet.port"] = draft.HTTP, path, "http"
	}
	d, err := load.New(values)
	if err != nil {
		s.notFound(w, r, err.Error())
		return
	}
	f := s.newFormView(d, r.URL.Query(), true)
	f.Probe, f.Service = draft.Readiness, service
	s.page(w, r, page{Tab: healthTab, Title: "New service", Scripts: []string{"health.js"}, Main: list{
		e("p.crumbs", e("a", at("href", "/ui/health"), text("Health checks")), text(" / New service")),
		e("div.title", e("h1", text("New service")), e("span", at("id", "chip"), f.chip()), e("span.muted.small", text(s.newOf()))),
		f.newForm(),
	}})
}

// newOf says what a new service is made of.
func (s *Server) newOf() string {
	if s.isCluster() {
		return "of an image, in the cluster; Copy YAML makes a manifest of it"
	}
	return "of a command or an image; Copy YAML makes a manifest of it"
}

// newForm is the form with the fields of the service above those of its probes.
func (f *formView) newForm() item {
	field := func(name string, p draft.Parameter, value string) item {
		name = "service-" + name
		return f.Labelled(name, p, f.Control(name, p, value))
	}
	program := list{
		field("command", draft.Parameter{Label: "Command", Help: "What starts the program; PORT tells it where to listen.", Kind: draft.Words, Default: "./server"}, "./server"),
		field("image", draft.Parameter{Label: "Image", Help: "What a cluster runs in its place; here only programs run. Empty: the name.", Kind: draft.Text}, ""),
	}
	if f.server.isCluster() {
		program = list{field("image", draft.Parameter{Label: "Image", Help: "What the cluster runs.", Kind: draft.Text}, "")}
	}
	service := e("section.card.edit-service", at("aria-label", "Service"), e("div.pane", e("div.fields",
		field("name", draft.Parameter{Label: "Name", Help: "Of its Deployment and its Service.", Default: "my-service"}, "my-service"),
		program,
		field("namespace", draft.Parameter{Label: "Namespace", Help: "Of its Deployment and its Service.", Kind: draft.Choice, Choices: f.server.namespaces()}, f.server.firstNamespace()),
		field("port", draft.Parameter{Label: "Port", Help: "Of the program and its Service. Empty: no Service.", Kind: draft.Number}, "8080"),
		field("replicas", draft.Parameter{Label: "Replicas", Help: "How many there are.", Kind: draft.Number, Default: "1"}, ""))))
	return f.form(manifest.Object{Resource: f.Draft.Workload.Resource}.Ref(), "", service, form.Hidden("new", "yes"))
}

// create makes a new service.
func (s *Server) create(w http.ResponseWriter, r *http.Request, f *formView) {
	refuse := func(err error) {
		parts(w, r, http.StatusConflict, e("div", at("id", "done"), e("div.pane", e("p.bad", text(err.Error())))))
	}
	if len(f.Errors()) > 0 {
		refuse(errRefused)
		return
	}
	all := []Wanted{{f.Draft.Resource, f.Draft.Workload.Document(f.Draft.Values)}}
	if f.Service != nil {
		service, err := newObject(f.Service)
		if err != nil {
			refuse(err)
			return
		}
		all = append(all, service)
	}
	made, err := s.writes.Create(r.Context(), all...)
	if err != nil {
		refuse(err)
		return
	}
	created := made[0]
	parts(w, r, http.StatusOK, e("div", at("id", "done"), at("data-follow", s.followPath(created, "Deployment")), at("data-made", healthPath("Deployment", created.GetNamespace(), created.GetName())),
		s.followed(created, "Deployment")))
}

// newObject is an object to be created, of which the dashboard owns what is in it.
func newObject(o manifest.Resource) (Wanted, error) {
	written, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return Wanted{}, err
	}
	delete(written, "status")
	next := o.DeepCopyObject().(manifest.Resource)
	manifest.Default(next)
	return Wanted{next, written}, nil
}

// namespaces are those in which something can be made.
func (s *Server) namespaces() (names []string) {
	if s.isCluster() {
		return s.seenNamespaces()
	}
	for _, n := range sorted[*corev1.Namespace](s) {
		if n.DeletionTimestamp == nil {
			names = append(names, n.Name)
		}
	}
	return names
}

// onlyImage reports whether the new service has no command.
func (f *formView) onlyImage() bool {
	meta, spec, _, ok := manifest.Object{Resource: f.Draft.Resource}.Template()
	return ok && len(spec.Containers) > 0 && meta.Annotations[manifest.AnnotationCommand+spec.Containers[0].Name] == ""
}
