package playground

import (
	"net/url"
	"strings"
	"testing"

	"github.com/probity-run/probity/internal/dashboard/draft"
)

const shop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: shop
        image: shop
        ports: [{name: http, containerPort: 8080}]
        # asks nothing but the process
        livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 5, timeoutSeconds: 9}
      - name: side
        image: side
        ports: [{containerPort: 9090}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: http}]}
`

// ask is the answer to a question about a text; fields are names and values.
func ask(t *testing.T, kind, text string, fields ...string) string {
	t.Helper()
	q := url.Values{"ask": {kind}, "text": {text}}
	for i := 0; i < len(fields); i += 2 {
		q.Set(fields[i], fields[i+1])
	}
	page, err := Answer(q.Encode())
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// typed are the fields of the health checks of shop with another time-out.
func typed(timeout string) []string {
	return []string{"workload", "deployment/default/shop", "container", "shop", draft.Liveness + ".handler", draft.HTTP, draft.Liveness + ".httpGet.path", "/livez",
		draft.Liveness + ".httpGet.port", "http", draft.Liveness + ".periodSeconds", "5", draft.Liveness + ".timeoutSeconds", timeout}
}

func TestAnswer(t *testing.T) {
	tests := map[string]struct {
		kind, text string
		fields     []string
		want       []string
	}{
		"fields of a simulation": {"start", "", nil, []string{`value="hang@60s"`, `value="3m"`}},
		"nothing":                {"check", " \n", nil, []string{"Paste a manifest"}},
		"no YAML":                {"check", "a: [", nil, []string{`data-line="1"`, "> not valid YAML", "not all of it can be read"}},
		"no manifest":            {"check", "hello", nil, []string{"f-bad"}},
		"no workload":            {"read", "hello", nil, []string{"No workload yet"}},
		"findings with lines":    {"check", shop, nil, []string{`data-line="15"`, "timeout-ge-period", "readiness-missing", "in 1 workload"}},
		"the form as written":    {"read", shop, nil, []string{"Health checks of shop", `value="9"`, "As written", `value="shop" selected`}},
		"another container":      {"read", shop, []string{"container", "side"}, []string{`value="side" selected`}},
		"one that is not there":  {"read", shop, []string{"container", "gone", "workload", "pod/default/gone"}, []string{"Health checks of shop", `value="shop" selected`}},
		"a draft":                {"draft", shop, typed("2"), []string{"Draft, not written", "is solved by this draft", "timeoutSeconds: 2"}},
		"an error of a draft":    {"draft", shop, typed("x"), []string{"Fix 1 error to write it", "livenessProbe.timeoutSeconds"}},
		"the fact that is slow":  {"many", shop, typed("2"), []string{"<tr>", "Restarts for nothing, 2 Pods"}},
		"comments stay":          {"write", shop, typed("2"), []string{"# asks nothing but the process", "timeoutSeconds: 2}", "Written into the manifest"}},
		"no write of errors":     {"write", shop, typed("x"), []string{"the draft has errors"}},
		"a workload that left":   {"write", "", typed("2"), []string{"is not in the manifest any more"}},
		"a fault":                {"simulate", shop, []string{"simulated-fault", "hang@60s", "horizon", "3m"}, []string{"<svg", "hang"}},
		"a fault that is none":   {"simulate", shop, []string{"simulated-fault", "nonsense", "horizon", "3m"}, []string{"nonsense"}},
		"too long":               {"simulate", shop, []string{"simulated-fault", "", "horizon", "30d"}, []string{"at most 24h"}},
		"nothing to simulate":    {"simulate", "", []string{"horizon", "3m"}, []string{"there is no workload to simulate"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := ask(t, test.kind, test.text, test.fields...)
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, got)
				}
			}
		})
	}
}

func TestAnswerToNothing(t *testing.T) {
	for _, question := range []string{"", "ask=nothing", "%zz"} {
		if _, err := Answer(question); err == nil {
			t.Errorf("%q is answered", question)
		}
	}
}

// TestOnlyTheWorkloadsOwn: a Service of another namespace, or with another selector, does not
// count.
func TestOnlyTheWorkloadsOwn(t *testing.T) {
	m := Read(shop + "---\napiVersion: v1\nkind: Service\nmetadata: {name: far, namespace: far}\nspec: {selector: {app: shop}, ports: [{port: 1}]}\n" +
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: other}\nspec: {selector: {app: other}, ports: [{port: 1}]}\n")
	o, ok := m.workload("deployment/default/shop")
	if !ok {
		t.Fatal("there is no workload")
	}
	others := m.others(o)
	if len(others) != 1 || others[0].GetName() != "shop" {
		t.Errorf("these belong to it: %v", others)
	}
}

// FuzzAnswer: whatever the text is, there is an answer, and nothing of the text becomes markup.
func FuzzAnswer(f *testing.F) {
	f.Add(shop)
	f.Add("a: [")
	f.Add("kind: Pod\nmetadata: {name: \"<script>\"}")
	f.Add("services: {web: {image: x, healthcheck: {test: [CMD, x]}}}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []string{"check", "read", "draft", "write"} {
			page, err := Answer(url.Values{"ask": {kind}, "text": {text}, "workload": {"deployment/default/shop"}, "w": {"640"}}.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(page), "<script") || strings.Contains(string(page), "<img") {
				t.Errorf("the text became markup: %s", page)
			}
		}
	})
}
