package deploy

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const readers = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {annotations: {mine: stays}}
    spec:
      initContainers: [{name: i, envFrom: [{configMapRef: {name: init}}]}]
      containers:
      - name: c
        envFrom: [{secretRef: {name: all}}]
        env: [{name: A, value: a}, {name: B, valueFrom: {configMapKeyRef: {name: key, key: k}}}, {name: C, valueFrom: {secretKeyRef: {name: token, key: k}}}]
      volumes:
      - {name: a, configMap: {name: files}}
      - {name: b, secret: {secretName: certificate}}
      - {name: c, projected: {sources: [{configMap: {name: part}}, {secret: {name: piece}}, {downwardAPI: {}}]}}
      - {name: d, emptyDir: {}}
`

// TestReadBy: variables and volumes, of all containers.
func TestReadBy(t *testing.T) {
	var got []string
	for _, c := range readBy(template(object(t, readers))) {
		got = append(got, c.String())
	}
	want := []string{"configmap/files", "configmap/init", "configmap/key", "configmap/part", "secret/all", "secret/certificate", "secret/piece", "secret/token"}
	if !slices.Equal(got, want) {
		t.Errorf("it reads %q, want %q", got, want)
	}
}

// TestStampConfig: the hash follows what is read of the set, and nothing else, and tells none of
// it.
func TestStampConfig(t *testing.T) {
	stamp := func(t *testing.T, text string) string {
		t.Helper()
		all, err := objects(t, readers+text)
		if err != nil {
			t.Fatal(err)
		}
		if err := stampConfig(all); err != nil {
			t.Fatal(err)
		}
		annotations, _, err := unstructured.NestedStringMap(template(all[0].Unstructured), "metadata", "annotations")
		if err != nil || annotations["mine"] != "stays" {
			t.Fatalf("annotations %v, %v", annotations, err)
		}
		return annotations[annotationConfig]
	}
	token := func(data string) string {
		return "---\napiVersion: v1\nkind: Secret\nmetadata: {name: token, namespace: shop, labels: {a: " + data[:1] + "}}\n" + data[1:] + "\n"
	}
	base := stamp(t, token("xstringData: {k: hunter2}"))
	if len(base) != 2*configHash || strings.Contains(base, "hunter2") {
		t.Errorf("the stamp is %q", base)
	}
	for name, test := range map[string]struct {
		text string
		same bool
	}{
		"another label":      {token("ystringData: {k: hunter2}"), true},
		"another value":      {token("xstringData: {k: hunter3}"), false},
		"another key":        {token("xstringData: {l: hunter2}"), false},
		"another object":     {token("xstringData: {k: hunter2}") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: key, namespace: shop}\ndata: {}\n", false},
		"what nobody reads":  {token("xstringData: {k: hunter2}") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: unread, namespace: shop}\ndata: {}\n", true},
		"of another room":    {token("xstringData: {k: hunter2}") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: key, namespace: eu}\ndata: {}\n", true},
		"nothing of the set": {"", false},
	} {
		if got := stamp(t, test.text); (got == base) != test.same {
			t.Errorf("%s: the stamp is %q, before %q", name, got, base)
		}
	}
	if got := stamp(t, ""); got != "" {
		t.Errorf("what reads nothing of the set is stamped: %q", got)
	}
}

// TestTellUnrestarted: it is said once for each that reads what changes and stays as it is.
func TestTellUnrestarted(t *testing.T) {
	const settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: key, namespace: shop}\ndata: {k: VALUE}\n"
	const said = "nothing restarts: deployment/web reads configmap/key, which changes, and its template does not (--restart-on-config)"
	for name, test := range map[string]struct {
		value, image string // afterwards
		want         string
	}{
		"the ConfigMap alone": {"new", "", said},
		"nothing":             {"old", "", ""},
		"both":                {"new", "new", ""},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := bound(t, readers+"---\n"+settings, nil)
			var told []string
			d.options.Report = func(e Event) { told = append(told, e.Text) }
			web, key := d.Entries[0], d.Entries[1]
			web.Before, web.Planned = web.Unstructured, web.Unstructured.DeepCopy()
			if test.image != "" {
				template(web.Planned)["x"] = test.image
			}
			key.Before = object(t, strings.ReplaceAll(settings, "VALUE", "old"))
			key.Planned = object(t, strings.ReplaceAll(settings, "VALUE", test.value))
			d.tellUnrestarted()
			if got := strings.Join(told, "\n"); got != test.want {
				t.Errorf("it says %q, want %q", got, test.want)
			}
		})
	}
}
