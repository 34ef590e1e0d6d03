package credentials

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func testEntry() Entry {
	return Entry{Name: "probity", Server: "https://127.0.0.1:6443", Authority: []byte("PEM"), Token: "t0ken"}
}

// ofProbity is what an entry becomes in an empty file.
const ofProbity = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: UEVN
    extensions:
    - extension:
        provider: probity.run
      name: probity.run
    server: https://127.0.0.1:6443
  name: probity
contexts:
- context:
    cluster: probity
    extensions:
    - extension:
        provider: probity.run
      name: probity.run
    user: probity
  name: probity
current-context: probity
kind: Config
users:
- name: probity
  user:
    extensions:
    - extension:
        provider: probity.run
      name: probity.run
    token: t0ken
`

func TestMergeIntoNothing(t *testing.T) {
	for name, nothing := range map[string]string{
		"no file": "", "only a comment": "# mine\n", "null": "null\n", "an empty mapping": "{}",
		"what kubectl makes of no entry": "apiVersion: v1\nclusters: null\ncontexts: null\ncurrent-context: \"\"\nkind: Config\nusers: null\n",
		"JSON":                           `{"kind":"Config","apiVersion":"v1","clusters":[]}`,
		"without a kind":                 "clusters: []\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := merge([]byte(nothing), testEntry())
			if diff := cmp.Diff(ofProbity, string(got)); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// production is somebody's kubeconfig: much of it is unknown here.
const production = `apiVersion: v1
kind: Config
current-context: production
preferences:
  colors: true
extensions:
- name: of.a.tool
  extension: {big: 9007199254740993, half: 0.5, on: "yes", date: 2026-11-28}
clusters:
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

func mustParse(t *testing.T, text string) map[string]any {
	t.Helper()
	config, err := parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return config
}

// without removes an entry of that name from all three lists.
func without(config map[string]any, name string) map[string]any {
	for _, s := range (Entry{}).sections() {
		list, _ := config[s.list].([]any)
		others := slices.DeleteFunc(list, func(e any) bool { return e.(map[string]any)["name"] == name })
		config[s.list] = append([]any{}, others...)
	}
	return config
}

// TestMergeKeeps: nothing of what was there is lost or changed, the context that is in use stays
// so, and a second time nothing happens.
func TestMergeKeeps(t *testing.T) {
	once, err := merge([]byte(production), testEntry())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mustParse(t, production), without(mustParse(t, string(once)), "probity")); diff != "" {
		t.Errorf("what was there (-want +got):\n%s", diff)
	}
	if !strings.Contains(string(once), "big: 9007199254740993\n") {
		t.Errorf("a number has lost digits:\n%s", once)
	}
	twice, err := merge(once, testEntry())
	if diff := cmp.Diff(string(once), string(twice)); err != nil || diff != "" {
		t.Errorf("the second time: error %v (-want +got):\n%s", err, diff)
	}
}

// TestMergeRenews: a run's next one replaces address, authority and token, takes away what a user
// did against them, and keeps what a user added.
func TestMergeRenews(t *testing.T) {
	edited := strings.NewReplacer(
		"    server: https://127.0.0.1:6443\n", "    server: https://127.0.0.1:9\n    insecure-skip-tls-verify: true\n    certificate-authority: /x\n    tls-server-name: localhost\n",
		"    user: probity\n", "    user: other\n    namespace: shop\n",
		"    token: t0ken\n", "    token: old\n    tokenFile: /y\n    as: somebody\n",
		"current-context: probity\n", "",
	).Replace(ofProbity)
	want := strings.NewReplacer(
		"    server: https://127.0.0.1:6443\n", "    server: https://127.0.0.1:6443\n    tls-server-name: localhost\n",
		"    user: probity\n", "    namespace: shop\n    user: probity\n",
		"    extensions:\n    - extension:\n        provider: probity.run\n      name: probity.run\n    token: t0ken\n",
		"    as: somebody\n    extensions:\n    - extension:\n        provider: probity.run\n      name: probity.run\n    token: t0ken\n",
	).Replace(ofProbity)
	got, err := merge([]byte(edited), testEntry())
	if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

func TestMergeRefuses(t *testing.T) {
	for name, test := range map[string]struct{ kubeconfig, error string }{
		"no YAML":                      {"a: [", "yaml: "},
		"a list":                       {"- a\n", "not a mapping"},
		"a text":                       {"hello", "not a mapping"},
		"another kind":                 {"apiVersion: v1\nkind: Pod\nclusters: []\n", "its kind is Pod, not Config"},
		"another version":              {"apiVersion: v2\nkind: Config\n", "its apiVersion is v2, not v1"},
		"some mapping":                 {"name: value\n", "it is not a kubeconfig"},
		"two documents":                {"kind: Config\napiVersion: v1\n---\nkind: Config\n", "more than one document"},
		"a field twice":                {"kind: Config\napiVersion: v1\nusers: []\nusers: []\n", `key "users" already set`},
		"lists that are none":          {"kind: Config\napiVersion: v1\nusers: {}\n", "its users are not a list"},
		"an entry that is none":        {"kind: Config\napiVersion: v1\ncontexts: [a]\n", "its contexts[0] is not a mapping"},
		"two entries":                  {"kind: Config\napiVersion: v1\nusers: [{name: probity}, {name: probity}]\n", "two users of the name probity"},
		"somebody else's":              {"kind: Config\napiVersion: v1\nclusters: [{name: probity, cluster: {server: https://probity.example.com}}]\n", "a cluster probity that Probity did not make: rename"},
		"somebody else's, without any": {"kind: Config\napiVersion: v1\nusers: [{name: probity}]\n", "a user probity that Probity did not make"},
		"a context that is a number":   {"kind: Config\napiVersion: v1\ncurrent-context: 5\n", "current-context is not a text"},
		"not a number":                 {"kind: Config\napiVersion: v1\nx: .nan\n", "JSON cannot say"},
		"a key without a name":         {"kind: Config\napiVersion: v1\nx: {null: topsecret}\n", "JSON cannot say"},
		"many aliases": {"kind: Config\napiVersion: v1\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", "aliasing"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := merge([]byte(test.kubeconfig), testEntry())
			if err == nil || !strings.Contains(err.Error(), test.error) {
				t.Errorf("error %v, want %q; it became\n%s", err, test.error, got)
			}
			if err != nil && strings.Contains(err.Error(), "topsecret") {
				t.Errorf("error %v tells what is in the file", err)
			}
		})
	}
}

// FuzzMerge: whatever is in a file, it is refused, or keeps all that was there, and has the entry.
func FuzzMerge(f *testing.F) {
	for _, seed := range []string{"", ofProbity, production, "users: [{name: probity}]\n", "a: &a {b: 1}\nclusters: []\nc: {<<: *a}\n",
		"clusters: []\nx: !!binary aGk=\ny: 0x1F\nz: 1_000\nw: 1e400\nv: -0.0\n\"\\u007f\": \"\\ufffe\"\n", "{\"clusters\":[],\"a\":\"\\ud83d\\ude00\"}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, kubeconfig []byte) {
		e := testEntry()
		merged, err := merge(kubeconfig, e)
		if err != nil {
			return
		}
		before, after := mustParse(t, string(kubeconfig)), mustParse(t, string(merged))
		for _, s := range e.sections() {
			entry, err := s.find(after[s.list].([]any), e.Name)
			if err != nil || entry == nil {
				t.Fatalf("%s: %v, %v", s.list, entry, err)
			}
			for field, want := range s.sets {
				if got := entry[s.item].(map[string]any)[field]; got != want {
					t.Errorf("%s.%s is %v, want %v", s.item, field, got, want)
				}
			}
		}
		for _, config := range []map[string]any{before, after} {
			without(config, e.Name)
			for _, field := range []string{"apiVersion", "kind", "current-context"} {
				if before[field] == nil || before[field] == "" {
					delete(config, field)
				}
			}
		}
		if !reflect.DeepEqual(before, after) {
			t.Errorf("not all is kept (-before +after):\n%s", cmp.Diff(before, after))
		}
	})
}
