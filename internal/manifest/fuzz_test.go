package manifest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"
)

// FuzzLoad checks that nothing panics or hangs, that every error has the place it promises, and
// that what loads can be written and loads again to the same objects; an empty map may be left out.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		pod("livenessProbe: {httpGet: {port: http, path: /a}}\nreadinessProbe: &p {exec: {command: [a, 'b']}}\nstartupProbe: *p\nports: [{containerPort: 80, name: http}]\nenv: [{name: A, value: 'b'}, {name: C, valueFrom: {secretKeyRef: {name: a, key: b}}}]\nresources: {limits: {cpu: 0.5}}\nlifecycle: {preStop: {sleep: {seconds: 1}}}"),
		deployment("replicas: 3\nstrategy: {rollingUpdate: {maxSurge: 50%, maxUnavailable: 1}}"),
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80, targetPort: web}]}}\n---\n" + configMap("b") + "data: {k: \"v\"}\nbinaryData: {x: eA==}\n",
		"apiVersion: v1\nkind: Secret\nmetadata: {name: a, creationTimestamp: null}\nstringData: {k: v}\ntype: Opaque\n",
		"apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}\n",
		"a: &a\n  <<: *a\n---\n\"\\x00\"\n--- !!int yes\n...\n? {a: b}\n: c\n",
		"apiVersion: v1\nkind: PodList\nitems: &a [{spec: *a}, ~, 0x1F, on]\n",
		"\ufeff%YAML 1.1\n---\r\n{\"kind\": \"Pod\", \"apiVersion\": 'v1'}\r\n",
	} {
		f.Add(s)
	}
	opts := Options{MaxFileBytes: 64 << 10, MaxNodes: 5000, MaxDocuments: 50}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := loadText(opts, "a.yaml", []byte(text))
		if err != nil {
			checkErrors(t, err)
			return
		}
		if len(set.Objects) == 0 {
			return
		}
		again, err := loadText(opts, "b.yaml", []byte(encode(t, set)))
		if err != nil {
			if strings.Contains(err.Error(), ": refused") {
				return // with its defaults, or without its aliases, it is larger
			}
			t.Fatalf("written again it is refused: %v\n%s", err, encode(t, set))
		}
		if diff := cmp.Diff(resources(set), resources(again), cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 }), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("written again it differs (-first +second):\n%s", diff)
		}
	})
}

func checkErrors(t *testing.T, err error) {
	t.Helper()
	list, ok := errors.AsType[Errors](err)
	if !ok || len(list) == 0 {
		t.Fatalf("error is %T: %v", err, err)
	}
	for _, e := range list {
		if e.File != "a.yaml" || e.Line == 0 && e.Reason != ReasonRead && e.Reason != ReasonLimit || strings.ContainsAny(e.Error(), "\n\x1b") {
			t.Errorf("error %q of %+v", e.Error(), e)
		}
	}
}

func encode(t *testing.T, set *Set) string {
	t.Helper()
	var docs []string
	for _, o := range set.Objects {
		data, err := yaml.Marshal(o.Resource)
		if err != nil {
			t.Fatalf("cannot encode: %v", err)
		}
		docs = append(docs, string(data))
	}
	return strings.Join(docs, "---\n")
}

func resources(set *Set) []Resource {
	var out []Resource
	for _, o := range set.Objects {
		out = append(out, o.Resource)
	}
	return out
}
