package drill

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/manifest"
)

const namesServices = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  initContainers: [{name: once, image: a, env: [{name: INIT_URL, value: "http://init:80"}]}]
  containers:
  - name: web
    image: a
    envFrom: [{configMapRef: {name: settings}}]
    env:
    - {name: DB_URL, value: "postgres://u:p@db:5432/x"}
    - {name: CACHE_HOST, value: cache}
    - {name: MODE, value: queue}
    - {name: SELF, value: "http://web:80"}
    - {name: ELSEWHERE, value: "https://example.com"}
    - {name: HEADLESS, value: "http://headless:80"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {STORE: "store.other.svc:80,db:5432"}
`

// TestNamed: the Services that the variables of a manifest name are known, each by one variable.
func TestNamed(t *testing.T) {
	var text strings.Builder
	text.WriteString(namesServices)
	for _, name := range []string{"web", "init", "db", "cache", "queue", "store", "headless"} {
		ip := map[bool]string{true: "clusterIP: None, "}[name == "headless"]
		namespace := map[bool]string{true: ", namespace: other"}[name == "store"]
		fmt.Fprintf(&text, "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s%s}\nspec: {%sselector: {app: %[1]s}, ports: [{port: 80}]}\n", name, namespace, ip)
	}
	set, err := manifest.Load(manifest.Options{Stdin: strings.NewReader(text.String())}, "-")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range targetsOf(set.Objects)[0].named {
		got = append(got, n.dependency+" by "+n.variable)
	}
	slices.Sort(got)
	want := []string{"cache by CACHE_HOST", "db by STORE", "store.other by STORE"}
	if !slices.Equal(got, want) {
		t.Errorf("named are %q, want %q", got, want)
	}
	d := &drill{opts: Options{Dependencies: map[string]string{"warehouse": "STORE"}}}
	for _, n := range []namedService{{"store.other", "STORE"}, {"cache", "CACHE_HOST"}} {
		if name := d.nameOf(n); name != map[string]string{"STORE": "warehouse"}[n.variable] && name != n.dependency {
			t.Errorf("%+v is %s", n, name)
		}
	}
}

// TestWarmFor: the load alone lasts until each request was sent, if the budget has room.
func TestWarmFor(t *testing.T) {
	for _, c := range []struct {
		requests int
		rate     float64
		budget   time.Duration
		want     time.Duration
	}{
		{1, 20, 5 * time.Minute, warmTime}, {200, 20, 5 * time.Minute, 11 * time.Second}, {1000, 5, time.Minute, 15 * time.Second}, {1000, 20, time.Second, warmTime},
	} {
		if got := warmFor(c.requests, c.rate, c.budget); got != c.want {
			t.Errorf("%d requests at %g/s of %v: %v, want %v", c.requests, c.rate, c.budget, got, c.want)
		}
	}
}
