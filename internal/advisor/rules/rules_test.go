package rules_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/docs"
	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/rules"
	"github.com/probity-run/probity/internal/advisor/rules/seen"
)

// TestFixtures runs all rules over every fixture: a line with "# want RULE" has exactly that
// finding, and no other line has one. So each rule's fixtures also test that the other rules are
// silent about them.
func TestFixtures(t *testing.T) {
	folders := map[string]bool{}
	files, err := filepath.Glob("*/testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		folder := strings.Split(file, string(filepath.Separator))[0]
		folders[folder] = true
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := wanted(string(text))
			if isBad := strings.Contains(file, "bad"); isBad != (len(want) > 0) {
				t.Errorf("the fixture wants %d findings", len(want))
			}
			if diff := gocmp.Diff(want, found(t, file, text)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	if len(folders) != len(rules.All()) {
		t.Errorf("%d folders have fixtures, and there are %d rules", len(folders), len(rules.All()))
	}
}

var want = regexp.MustCompile(`# want ([a-z-]+)`)

// wanted lists "line: rule" for every mark.
func wanted(text string) []string {
	var list []string
	for i, line := range strings.Split(text, "\n") {
		for _, m := range want.FindAllStringSubmatch(line, -1) {
			list = append(list, fmt.Sprintf("%d: %s", i+1, m[1]))
		}
	}
	return list
}

func found(t *testing.T, name string, text []byte) []string {
	t.Helper()
	m, err := advisortest.ParseMixed(name, text)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range advisor.Check(m, rules.All()) {
		if f.Suppressed == "" {
			list = append(list, fmt.Sprintf("%d: %s", f.Region.Line, f.Rule))
		}
	}
	return list
}

// TestCorpus checks a folder of files whose first line says what is expected of them.
// PROBITY_CORPUS names it.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("PROBITY_CORPUS")
	if folder == "" {
		t.Skip("PROBITY_CORPUS names no folder")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", folder, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			_, expected, ok := strings.Cut(first, "expect: ")
			if !ok {
				t.Fatalf("no expectation in %q", first)
			}
			var want []string
			if !strings.HasPrefix(expected, "no ") {
				want = []string{strings.TrimSpace(expected)}
			}
			var got []string
			for _, f := range found(t, file, text) {
				_, rule, _ := strings.Cut(f, ": ")
				got = append(got, rule)
			}
			if got = slices.Compact(got); !slices.Equal(want, got) {
				t.Errorf("found %v, want %v", got, want)
			}
		})
	}
}

// TestDocs holds every rule to complete documentation, with examples that are YAML, and with ids
// and rules of the kubelet that exist.
func TestDocs(t *testing.T) {
	kubelet, err := advisor.ParseKubeletRules(docs.KubeletRules())
	if err != nil {
		t.Fatal(err)
	}
	ids, made := map[string]bool{}, []string{advisor.UnusedSuppression, advisor.ManifestInvalid, advisor.FormatWarning} // findings that are made elsewhere
	for _, r := range seen.Rules() {
		made = append(made, r.ID)
	}
	for _, r := range rules.Documented() {
		if ids[r.ID] {
			t.Errorf("%s is there twice", r.ID)
		}
		ids[r.ID] = true
	}
	for _, r := range rules.Documented() {
		t.Run(r.ID, func(t *testing.T) {
			for name, text := range map[string]string{"title": r.Doc.Title, "consequence": r.Doc.Consequence, "remedy": r.Doc.Remedy, "before": r.Doc.Before, "after": r.Doc.After} {
				if text == "" {
					t.Errorf("no %s", name)
				}
			}
			if !strings.HasSuffix(r.Doc.Title, ".") || r.Severity == 0 || r.Check == nil && !slices.Contains(made, r.ID) {
				t.Errorf("title %q, severity %v, check %v", r.Doc.Title, r.Severity, r.Check != nil)
			}
			for _, text := range []string{r.Doc.Before, r.Doc.After} {
				for doc := range strings.SplitSeq(text, "\n---\n") {
					var v any
					if err := yaml.Unmarshal([]byte(doc), &v); err != nil {
						t.Errorf("not YAML: %v\n%s", err, doc)
					}
				}
			}
			for _, id := range r.Covers {
				if !ids[id] {
					t.Errorf("covers %q, which is no rule", id)
				}
			}
			if _, err := rules.Find(r.ID); err != nil {
				t.Error(err)
			}
			text := advisor.Explain(r, kubelet)
			if !strings.Contains(text, r.Doc.Before[:5]) {
				t.Error("explain does not show the example")
			}
			for _, number := range r.Doc.KubeletRules {
				rule, ok := kubelet[number]
				if !ok {
					t.Errorf("%s is not in %s", number, advisor.KubeletRulesPage)
				}
				if link := advisor.KubeletRulesPage + "#" + rule.Anchor + "\n"; !strings.Contains(text, link) || !strings.Contains(strings.Join(strings.Fields(text), " "), rule.Text) {
					t.Errorf("explain does not quote and link %s:\n%s", number, text)
				}
			}
		})
	}
}

func TestFindSuggests(t *testing.T) {
	if _, err := rules.Find("drain"); err == nil || !strings.Contains(err.Error(), "did you mean no-drain?") {
		t.Errorf("error is %v", err)
	}
	if _, err := rules.Find("nonsense"); err == nil || !strings.Contains(err.Error(), "probity explain") {
		t.Errorf("error is %v", err)
	}
}

// TestSeverities pins where one finding of a rule is worse than another of it.
func TestSeverities(t *testing.T) {
	const head = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}}\nspec:\n  containers:\n  - name: a\n    image: a\n    ports: [{name: http, containerPort: 80}]\n"
	const service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {app: a}, ports: [{port: 80}]}\n"
	const deadline = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  selector: {matchLabels: {app: a}}\n  template:\n" +
		"    metadata: {labels: {app: a}}\n    spec: {containers: [{name: a, image: a, readinessProbe: {tcpSocket: {port: 80}, initialDelaySeconds: 110}}]}\n"
	same := "    readinessProbe: {tcpSocket: {port: 81}}\n    livenessProbe: {tcpSocket: {port: 81}}\n"
	for name, c := range map[string]struct {
		text string
		rule string
		want advisor.Severity
	}{
		"readiness of a name that is missing": {head + "    readinessProbe: {tcpSocket: {port: x}}\n", "probe-named-port-missing", advisor.Outage},
		"liveness of a name that is missing":  {head + "    livenessProbe: {tcpSocket: {port: x}}\n", "probe-named-port-missing", advisor.Risk},
		"equal, with traffic":                 {head + same + service, "liveness-equals-readiness", advisor.Risk},
		"equal, without traffic":              {head + same, "liveness-equals-readiness", advisor.Waste},
		"no readiness":                        {head + service, "readiness-missing", advisor.Risk},
		"no readiness, headless":              {head + strings.Replace(service, "spec: {", "spec: {clusterIP: None, ", 1), "readiness-missing", advisor.Waste},
		"a line in one word, readiness":       {head + "    readinessProbe: {exec: {command: [check it]}}\n", "exec-without-shell", advisor.Outage},
		"a line in one word, startup":         {head + "    startupProbe: {exec: {command: [check it]}}\n", "exec-without-shell", advisor.Outage},
		"a line in one word, liveness":        {head + "    livenessProbe: {exec: {command: [check it]}}\n", "exec-without-shell", advisor.Risk},
		"a deadline that is refused":          {deadline + "  minReadySeconds: 600\n", "progress-deadline-below-startup", advisor.Outage},
		"a deadline that is too short":        {deadline + "  minReadySeconds: 500\n", "progress-deadline-below-startup", advisor.Waste},
		"a target port that is missing":       {head + strings.Replace(service, "port: 80", "port: 80, targetPort: x", 1), "service-target-port-missing", advisor.Outage},
		"the same, headless": {head + strings.Replace(service, "spec: {selector: {app: a}, ports: [{port: 80", "spec: {clusterIP: None, selector: {app: a}, ports: [{port: 80, targetPort: x", 1),
			"service-target-port-missing", advisor.Style},
		"a port that is not declared": {head + "    readinessProbe: {tcpSocket: {port: 81}}\n", "probe-port-undeclared", advisor.Style},
		"another host":                {head + "    readinessProbe: {tcpSocket: {port: 80, host: b}}\n", "probe-host-set", advisor.Risk},
		"the node":                    {head + "    readinessProbe: {tcpSocket: {port: 80, host: 127.0.0.1}}\n", "probe-host-set", advisor.Risk},
		"the node, which hands the port on": {strings.Replace(head, "containerPort: 80", "containerPort: 80, hostPort: 80", 1) +
			"    readinessProbe: {tcpSocket: {port: http, host: localhost}}\n", "probe-host-set", advisor.Style},
		"certain loop": {head + "    env: [{name: STARTUP_SECONDS, value: '90'}]\n    livenessProbe: {tcpSocket: {port: 80}}\n", "startup-restart-loop", advisor.Outage},
		"lottery":      {head + "    env: [{name: STARTUP_SECONDS, value: '25'}]\n    livenessProbe: {tcpSocket: {port: 80}}\n", "startup-restart-loop", advisor.Risk},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := advisortest.Parse("a.yaml", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			findings := advisor.Check(m, rules.All())
			i := slices.IndexFunc(findings, func(f advisor.Finding) bool { return f.Rule == c.rule })
			if i < 0 {
				t.Fatalf("no %s among %v", c.rule, findings)
			}
			if got := findings[i].Severity; cmp.Compare(got, c.want) != 0 {
				t.Errorf("severity %v, want %v", got, c.want)
			}
		})
	}
}
