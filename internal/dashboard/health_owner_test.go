package dashboard

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/registry"
	"github.com/probity-run/probity/internal/store"
)

// by changes the Deployment as another client does with kubectl edit.
func (f *fixture) by(t *testing.T, client string, change func(*appsv1.Deployment)) {
	t.Helper()
	like := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	_, err := f.opts.Registry.ModifyObject(like, func(current store.Object) (store.Object, error) {
		d := current.DeepCopyObject().(*appsv1.Deployment)
		d.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("Deployment"))
		change(d)
		return d, nil
	}, registry.WriteOptions{Manager: client})
	if err != nil {
		t.Fatal(err)
	}
}

// owners are the managers that own a field of the container, with how.
func (f *fixture) owners(t *testing.T, field string) (all []string) {
	t.Helper()
	d, err := store.Get[*appsv1.Deployment](f.opts.Store, "default", "web")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range d.ManagedFields {
		var fields map[string]any
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			t.Fatal(err)
		}
		if hasField(fields, strings.Split(field, ".")) {
			all = append(all, entry.Manager+" "+string(entry.Operation))
		}
	}
	return all
}

// hasField reports whether a set of fields has one, at any depth.
func hasField(fields map[string]any, steps []string) bool {
	into, here := fields, true
	for _, step := range steps {
		into, here = into["f:"+step].(map[string]any)
		if !here {
			break
		}
	}
	for _, inner := range fields {
		if inner, ok := inner.(map[string]any); !here && ok && hasField(inner, steps) {
			return true
		}
	}
	return here
}

// TestApplyOwners: what is applied belongs to the dashboard, by a server-side apply; what belongs
// to another client is a conflict, unless a person insists; what the manifests say is not.
func TestApplyOwners(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	owns := func(field string, want ...string) {
		t.Helper()
		if got := f.owners(t, field); strings.Join(got, ", ") != strings.Join(want, ", ") {
			t.Errorf("%s belongs to %q, want %q", field, got, want)
		}
	}
	w := f.post("/ui/apply", webForm("livenessProbe.periodSeconds", "7")...)
	if w.Code != http.StatusOK || f.liveness(t).PeriodSeconds != 7 {
		t.Fatalf("what the manifest says: %d: %s", w.Code, w.Body)
	}
	owns("livenessProbe.periodSeconds", "probity-dashboard Apply")
	owns("livenessProbe.httpGet.path", "probity Update")

	f.by(t, "kubectl-edit", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].LivenessProbe.TimeoutSeconds = 4 })
	owns("livenessProbe.timeoutSeconds", "kubectl-edit Update")
	mine := webForm("livenessProbe.periodSeconds", "7", "was.livenessProbe.periodSeconds", "7", "livenessProbe.timeoutSeconds", "2", "was.livenessProbe.timeoutSeconds", "4")
	w = f.post("/ui/apply", mine...)
	for _, want := range []string{"data-conflict", "kubectl-edit", "livenessProbe.timeoutSeconds", "<td>4</td>", "<td>2</td>", "data-mine"} {
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), want) {
			t.Errorf("of another client: %d, without %q: %s", w.Code, want, w.Body)
		}
	}
	if got := f.liveness(t).TimeoutSeconds; got != 4 {
		t.Errorf("a conflict has changed the probe: timeoutSeconds %d", got)
	}
	if w = f.post("/ui/apply", append(mine, "force", "yes")...); w.Code != http.StatusOK || f.liveness(t).TimeoutSeconds != 2 {
		t.Errorf("insisted: %d: %s", w.Code, w.Body)
	}
	owns("livenessProbe.timeoutSeconds", "probity-dashboard Apply")
	owns("livenessProbe.periodSeconds", "probity-dashboard Apply")
}

// TestApplyTakesAway: a probe that belongs to another client goes only if a person insists, and
// nobody owns it then; what is back at its default belongs to who has put it there.
func TestApplyTakesAway(t *testing.T) {
	f := newFixture(t)
	f.deployment(t, true)
	f.by(t, "kubectl-edit", func(d *appsv1.Deployment) { d.Spec.Template.Spec.Containers[0].LivenessProbe.PeriodSeconds = 5 })
	gone := webForm("was.livenessProbe.periodSeconds", "5", "livenessProbe.handler", "")
	if w := f.post("/ui/apply", gone...); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "kubectl-edit") || f.liveness(t) == nil {
		t.Errorf("of another client: %d: %s", w.Code, w.Body)
	}
	if w := f.post("/ui/apply", append(gone, "force", "yes")...); w.Code != http.StatusOK || f.liveness(t) != nil {
		t.Errorf("insisted: %d: %s", w.Code, w.Body)
	}
	if got := f.owners(t, "livenessProbe"); len(got) > 0 {
		t.Errorf("what is gone belongs to %q", got)
	}
	back := webForm("was.livenessProbe.handler", "", "livenessProbe.periodSeconds", "", "livenessProbe.handler", "tcpSocket", "livenessProbe.tcpSocket.port", "http")
	if w := f.post("/ui/apply", back...); w.Code != http.StatusOK || f.liveness(t).PeriodSeconds != 10 {
		t.Errorf("a probe of another kind: %d: %s", w.Code, w.Body)
	}
	if got := f.owners(t, "livenessProbe.tcpSocket"); strings.Join(got, ", ") != "probity-dashboard Apply" {
		t.Errorf("the new probe belongs to %q", got)
	}
	if got := f.owners(t, "livenessProbe.periodSeconds"); len(got) > 0 {
		t.Errorf("a default that nobody wrote belongs to %q", got)
	}
	if w := f.post("/ui/apply", webForm("was.livenessProbe.handler", "tcpSocket", "was.livenessProbe.tcpSocket.port", "http", "was.livenessProbe.periodSeconds", "")...); w.Code != http.StatusOK || f.liveness(t).TCPSocket != nil {
		t.Errorf("as it was: %d: %s", w.Code, w.Body)
	}
}

// TestCreateOwns: what the dashboard makes belongs to it, and stays when its probes are changed.
func TestCreateOwns(t *testing.T) {
	f := newFixture(t)
	if w := f.post("/ui/apply", "new", "yes", "service-name", "web", "service-command", "./web", "service-port", "8080", "service-replicas", "2", "readinessProbe.handler", "httpGet", "readinessProbe.httpGet.port", "http"); w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	for _, field := range []string{"replicas", "image", "readinessProbe.httpGet"} {
		if got := f.owners(t, field); strings.Join(got, ", ") != "probity-dashboard Apply" {
			t.Errorf("%s belongs to %q", field, got)
		}
	}
	w := f.post("/ui/apply", "kind", "deployment", "namespace", "default", "name", "web", "container", "web",
		"was.readinessProbe.handler", "httpGet", "was.readinessProbe.httpGet.port", "http", "was.readinessProbe.httpGet.path", "/",
		"readinessProbe.handler", "httpGet", "readinessProbe.httpGet.port", "http", "readinessProbe.httpGet.path", "/readyz")
	d, err := store.Get[*appsv1.Deployment](f.opts.Store, "default", "web")
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%v, %d: %s", err, w.Code, w.Body)
	}
	if c := d.Spec.Template.Spec.Containers[0]; *d.Spec.Replicas != 2 || c.ReadinessProbe.HTTPGet.Path != "/readyz" || len(c.Ports) != 1 || d.Labels != nil {
		t.Errorf("a change of a probe leaves %+v", d.Spec)
	}
}

// TestCreateOfImage: a service may be made of an image, and in another Namespace; that nothing
// starts without a command is said, and is no error.
func TestCreateOfImage(t *testing.T) {
	f := newFixture(t)
	if _, err := registry.Create(f.opts.Registry, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}); err != nil {
		t.Fatal(err)
	}
	if page := f.ask(http.MethodGet, "/ui/new").Body.String(); !strings.Contains(page, `<option value="shop">shop</option>`) || !strings.Contains(page, `name="service-image"`) {
		t.Error("the form offers no Namespace, or no image")
	}
	of := []string{"new", "yes", "service-name", "cart", "service-image", "example.com/cart:1", "service-namespace", "shop", "service-port", "8080"}
	w := f.post("/ui/draft", of...)
	for _, want := range []string{"Without a command nothing starts here", "image: example.com/cart:1", "namespace: shop"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d, without %q", w.Code, want)
		}
	}
	if strings.Contains(w.Body.String(), "to apply") {
		t.Error("it cannot be applied")
	}
	if w := f.post("/ui/apply", of...); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `data-made="/ui/workloads/deployment/shop/cart/health"`) {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	d, err := store.Get[*appsv1.Deployment](f.opts.Store, "shop", "cart")
	if err != nil || d.Spec.Template.Spec.Containers[0].Image != "example.com/cart:1" || d.Spec.Template.Annotations != nil {
		t.Errorf("%v: %+v", err, d)
	}
	if _, err := store.Get[*corev1.Service](f.opts.Store, "shop", "cart"); err != nil {
		t.Error(err)
	}
	if w := f.post("/ui/apply", append(of, "service-name", "other", "service-namespace", "none")...); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "not found") {
		t.Errorf("in a Namespace that is not there: %d: %s", w.Code, w.Body)
	}
	for field, change := range map[string][]string{"service-name": {"service-name", ""}, "service-command": {"service-image", ""}} {
		if w := f.post("/ui/draft", append(of, change...)...); !strings.Contains(w.Body.String(), `data-field="`+field+`"`) {
			t.Errorf("%q: no error at %s", change, field)
		}
	}
}
