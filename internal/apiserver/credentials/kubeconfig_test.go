package credentials

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func testEntry() Entry {
	return Entry{Name: "probity", Server: "https://127.0.0.1:6443", Authority: []byte("PEM"), Token: "t0ken"}
}

// ofProbity is what an entry becomes in an empty file.
const ofProbity = `apiVersion: v1
kind: Config
clusters:
- name: probity
  cluster:
    extensions:
    - name: probity.run
      extension:
        provider: probity.run
    server: https://127.0.0.1:6443
    certificate-authority-data: UEVN
users:
- name: probity
  user:
    extensions:
    - name: probity.run
      extension:
        provider: probity.run
    token: t0ken
contexts:
- name: probity
  context:
    extensions:
    - name: probity.run
      extension:
        provider: probity.run
    cluster: probity
    user: probity
current-context: probity
`

func TestMergeIntoNothing(t *testing.T) {
	for name, nothing := range map[string]string{
		"no file": "", "null": "null\n", "an empty mapping": "{}", "a marker": "---\n",
		"only the kind": "apiVersion: v1\nkind: Config\n",
		"empty lists":   "apiVersion: v1\nkind: Config\nclusters: null\nusers: []\ncontexts:\ncurrent-context: \"\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := merge([]byte(nothing), testEntry())
			if diff := cmp.Diff(ofProbity, string(got)); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
	got, err := merge([]byte("# mine\n"), testEntry())
	if want := "# mine\n\n" + ofProbity; err != nil || string(got) != want {
		t.Errorf("only a comment: error %v, it became\n%s", err, got)
	}
}

// production is somebody's kubeconfig, much of which is unknown here, and what it becomes.
const (
	production = `# of the platform team
apiVersion: v1
kind: Config
current-context: production # careful
preferences:
  colors: true
extensions:
- name: of.a.tool
  extension: {big: 9007199254740993, half: 0.50, on: "yes", "no": no, octal: 0644, date: 2026-11-28, long: '%LONG'}
clusters:
# the one that matters
- name: production
  cluster:
    server: https://api.example.com
    certificate-authority: /etc/ca.crt
    proxy-url: socks5://127.0.0.1:1080
    invented-later: [1, {a: null}]
users:
- name: admin
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, args: [eks, get-token], interactiveMode: IfAvailable}
contexts:
- name: production
  context: {cluster: production, user: admin, namespace: shop}
`
	mark3 = `    extensions:
    - name: probity.run
      extension:
        provider: probity.run
`
)

// TestMergeKeeps: nothing of what was there is lost or changed, the context that is in use stays
// so, and a second time nothing happens.
func TestMergeKeeps(t *testing.T) {
	before := strings.ReplaceAll(production, "%LONG", strings.Repeat("long ", 100))
	want := strings.NewReplacer(
		"users:\n", "- name: probity\n  cluster:\n"+mark3+"    server: https://127.0.0.1:6443\n    certificate-authority-data: UEVN\nusers:\n",
		"contexts:\n", "- name: probity\n  user:\n"+mark3+"    token: t0ken\ncontexts:\n",
	).Replace(before) + "- name: probity\n  context:\n" + mark3 + "    cluster: probity\n    user: probity\n"
	once, err := merge([]byte(before), testEntry())
	if diff := cmp.Diff(want, string(once)); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	twice, err := merge(once, testEntry())
	if diff := cmp.Diff(want, string(twice)); err != nil || diff != "" {
		t.Errorf("the second time: error %v (-want +got):\n%s", err, diff)
	}
}

// TestMergeRenews: the next run replaces address, authority and token, takes away what a user did
// against them, and keeps what a user added.
func TestMergeRenews(t *testing.T) {
	edited := strings.NewReplacer(
		"    server: https://127.0.0.1:6443\n", "    server: https://127.0.0.1:9 # mine\n    insecure-skip-tls-verify: true\n    certificate-authority: /x\n    tls-server-name: localhost\n",
		"    user: probity\n", "    user: other\n    namespace: shop\n",
		"    token: t0ken\n", "    token: {}\n    tokenFile: /y\n    as: somebody\n",
		"current-context: probity\n", "",
	).Replace(ofProbity)
	want := strings.NewReplacer(
		"    server: https://127.0.0.1:6443\n", "    server: https://127.0.0.1:6443 # mine\n    tls-server-name: localhost\n",
		"    user: probity\n", "    user: probity\n    namespace: shop\n",
		"    token: t0ken\n", "    token: t0ken\n    as: somebody\n",
	).Replace(ofProbity)
	got, err := merge([]byte(edited), testEntry())
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// TestMergeQuotes: what YAML would take for something else than a text is quoted.
func TestMergeQuotes(t *testing.T) {
	for _, text := range []string{"1234567890", "0644", "1e10", "1_000", "-1", "true", "null", "~", "0x1F", "a: b", "# c", "", "1:20", "2026-11-28", "=", "<<"} {
		e := testEntry()
		e.Token, e.Name = text, "probity-"+text
		got, err := merge(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		if user := entryOf(t, readAsKubectl(t, got), "users", e.Name)["user"].(map[string]any); user["token"] != text {
			t.Errorf("the token %q is %v for kubectl in\n%s", text, user["token"], got)
		}
	}
}

// readAsKubectl reads a file with the library that kubectl has.
func readAsKubectl(t *testing.T, text []byte) map[string]any {
	t.Helper()
	var config map[string]any
	if err := yaml.Unmarshal(text, &config, func(d *json.Decoder) *json.Decoder { d.UseNumber(); return d }); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return config
}

// entryOf returns the entry of a name, which has to be there once.
func entryOf(t *testing.T, config map[string]any, list, name string) map[string]any {
	t.Helper()
	var found []map[string]any
	entries, _ := config[list].([]any)
	for _, entry := range entries {
		if entry.(map[string]any)["name"] == name {
			found = append(found, entry.(map[string]any))
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d %s of the name %s", len(found), list, name)
	}
	return found[0]
}

func TestMergeRefuses(t *testing.T) {
	const head = "kind: Config\napiVersion: v1\n"
	for name, test := range map[string]struct{ kubeconfig, error string }{
		"no YAML":                     {"a: [", "yaml: line 1"},
		"no UTF-8":                    {"\xff\xfe", "not text in UTF-8"},
		"a list":                      {"- a\n", "not a mapping"},
		"a text":                      {"hello", "not a mapping"},
		"another kind":                {"apiVersion: v1\nkind: Pod\nclusters: []\n", `its kind is "Pod", not Config`},
		"another version":             {"apiVersion: v2\nkind: Config\n", `its apiVersion is "v2", not v1`},
		"some mapping":                {"name: value\n", "it is not a kubeconfig: it has no apiVersion"},
		"two documents":               {head + "---\nkind: Config\n", "more than one document"},
		"a second one that is broken": {head + "---\na: [\n", "yaml: line"},
		"a field twice":               {head + "users: []\nusers: []\n", `line 4: it has the field "users" twice`},
		"deeper":                      {head + "x: [{a: 1, a: 2}]\n", `line 3: it has the field "a" twice`},
		"lists that are none":         {head + "users: {}\n", "its users are not a list"},
		"an entry that is none":       {head + "contexts: [a]\n", "its contexts[0] is not a mapping"},
		"two entries":                 {head + "users: [{name: probity}, {name: probity}]\n", "two users of the name probity"},
		"somebody else's":             {head + "clusters: [{name: probity, cluster: {server: https://probity.example.com}}]\n", "a cluster probity that Probity did not make: rename"},
		"somebody else's, empty":      {head + "users: [{name: probity}]\n", "a user probity that Probity did not make"},
		"another's extension":         {head + "users: [{name: probity, user: {extensions: [{name: minikube}]}}]\n", "a user probity that Probity did not make"},
		"an alias":                    {head + "a: &a [1]\nb: *a\n", "line 4: it has an alias, *a"},
		"a merge key":                 {head + "a:\n  <<: {b: c}\n", "line 4: it has a merge key"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := merge([]byte(test.kubeconfig), testEntry())
			if err == nil || !strings.Contains(err.Error(), test.error) {
				t.Errorf("error %v, want %q; it became\n%s", err, test.error, got)
			}
		})
	}
}

// FuzzMerge: whatever is in a file, it is refused, or keeps all that was there, and has the entry,
// if you ask the library that kubectl has.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{"", ofProbity, production, "users: [{name: probity}]\n", "a: &a {b: 1}\nclusters: []\nc: {<<: *a}\n",
		"clusters: []\nx: !!binary aGk=\ny: 0x1F\nz: 1_000\nw: 1e400\nv: -0.0\n\"\\u007f\": \"\\ufffe\"\n", "{\"clusters\":[],\"a\":\"\\ud83d\\ude00\"}",
		"clusters: []\na: |+\n  b\n\n\nc: >2-\n    d\n? e\n: f\n", "%YAML 1.1\n---\nclusters: !!seq []\n'': \"\\x01\"\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, kubeconfig []byte) {
		e := testEntry()
		merged, err := merge(kubeconfig, e)
		if err != nil {
			return
		}
		again, err := merge(merged, e)
		if err != nil {
			t.Fatalf("the second time: %v in\n%s", err, merged)
		}
		var before map[string]any
		useNumber := func(d *json.Decoder) *json.Decoder { d.UseNumber(); return d }
		if err := yaml.Unmarshal(kubeconfig, &before, useNumber); err != nil {
			return // kubectl cannot read it, either
		}
		after := readAsKubectl(t, again)
		for _, s := range e.sections() {
			entry := entryOf(t, after, s.list, e.Name)
			for _, set := range s.sets {
				if got := entry[s.item].(map[string]any)[set[0]]; got != set[1] {
					t.Errorf("%s.%s is %v, want %s", s.item, set[0], got, set[1])
				}
			}
		}
		if diff := cmp.Diff(others(before, before, e), others(before, after, e)); diff != "" {
			t.Errorf("not all is kept (-before +after):\n%s", diff)
		}
	})
}

// others is what of a kubeconfig is not the entry's: before says what was not there.
func others(before, config map[string]any, e Entry) map[string]any {
	rest := map[string]any{}
	for name, value := range config {
		if before[name] != nil && before[name] != "" {
			rest[name] = value
		}
	}
	for _, s := range e.sections() {
		var entries []any
		list, _ := config[s.list].([]any)
		for _, entry := range list {
			if entry.(map[string]any)["name"] != e.Name {
				entries = append(entries, entry)
			}
		}
		rest[s.list] = entries
	}
	return rest
}
