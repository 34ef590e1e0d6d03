package fix_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/advisor"
	"github.com/probity-run/probity/internal/advisor/advisortest"
	"github.com/probity-run/probity/internal/advisor/fix"
)

// holds checks what must be true of every fix: the text is valid, JSON stays JSON, comments and
// lines that no patch is about stay, nothing is worse, and a second fix changes nothing. It returns
// the findings before and after.
func holds(t *testing.T, name, text string) (before, after []advisor.Finding) {
	t.Helper()
	m, err := advisortest.ParseMixed(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := fix.All(m, judge)
	out := string(r.Manifests.Text(name))
	again, err := advisortest.ParseMixed(name, []byte(out))
	if err != nil {
		t.Fatalf("what comes out cannot be read: %v\n%s", err, out)
	}
	if isJSON(text) && !isJSON(out) {
		t.Errorf("JSON did not stay JSON:\n%s", out)
	}
	if len(again.Workloads) != len(m.Workloads) || len(again.Services) != len(m.Services) {
		t.Errorf("%d workloads became %d", len(m.Workloads), len(again.Workloads))
	}
	before, after = judge(m), judge(again)
	checkLines(t, text, out, len(slices.DeleteFunc(slices.Clone(before), func(f advisor.Finding) bool { return f.Patch == nil })))
	checkNothingWorse(t, before, after)
	if second := fix.All(again, judge); len(second.Changed) > 0 {
		t.Errorf("a second fix makes of\n%s\nthis\n%s", out, second.Manifests.Text(name))
	}
	return before, after
}

// checkLines: few lines are not there any more, and every comment is.
func checkLines(t *testing.T, text, out string, patches int) {
	t.Helper()
	left, missing := map[string]int{}, 0
	for line := range strings.Lines(out) {
		left[line]++
	}
	for line := range strings.Lines(text) {
		if left[line]--; left[line] >= 0 {
			continue
		}
		missing++
		if comment, ok := commentOf(line); ok && !isJSON(text) && !strings.Contains(out, strings.TrimSpace(comment)) {
			t.Errorf("the comment %q is lost", comment)
		}
	}
	if missing > 6*patches { // a patch may make another one necessary, and each changes a few lines
		t.Errorf("%d patches changed %d lines", patches, missing)
	}
}

// commentOf is the comment of a line, unless its # may stand in a string in quotes.
func commentOf(line string) (string, bool) {
	before, comment, ok := strings.Cut(strings.NewReplacer(`\\`, "", `\"`, "").Replace(line), "# ")
	return comment, ok && strings.Count(before, `"`)%2 == 0
}

func checkNothingWorse(t *testing.T, before, after []advisor.Finding) {
	t.Helper()
	known := map[string]advisor.Severity{}
	for _, f := range before {
		known[f.Key()] = max(known[f.Key()], f.Severity)
	}
	for _, f := range after {
		if f.Severity > known[f.Key()] {
			t.Errorf("the fix led to %s %s: %s", f.Severity, f.Key(), f.Message)
		}
	}
}

func isJSON(text string) bool {
	decoder := json.NewDecoder(strings.NewReader(text))
	for n := 0; ; n++ {
		var v any
		if err := decoder.Decode(&v); err != nil {
			return n > 0 && err == io.EOF
		}
	}
}

// layouts writes the documents of a text in other ways.
func layouts(t *testing.T, text string) map[string]string {
	t.Helper()
	list := map[string]string{"as it is": text}
	for doc := range strings.SplitSeq(text, "\n---\n") {
		data, err := yaml.YAMLToJSON([]byte(doc))
		if err != nil {
			t.Skipf("not YAML for another library: %v", err)
		}
		if string(data) == "null" {
			continue
		}
		var pretty, tabs bytes.Buffer
		if err := errJoin(json.Indent(&pretty, data, "", "  "), json.Indent(&tabs, data, "", "\t")); err != nil {
			t.Fatal(err)
		}
		block, err := yaml.JSONToYAML(data)
		if err != nil {
			t.Fatal(err)
		}
		list["compact JSON"] += string(data) + "\n"
		list["pretty JSON"] += pretty.String() + "\n"
		list["JSON with tabs"] += tabs.String() + "\n"
		list["flow YAML"] += "---\n" + strings.NewReplacer(`,"`, `, "`, `":`, `": `).Replace(string(data)) + "\n"
		list["JSON in YAML"] += "---\n# a comment\n" + pretty.String() + "\n"
		list["Windows"] += "---\r\n" + strings.ReplaceAll(string(block), "\n", "\r\n")
		list["block YAML"] += "---\n" + string(block)
	}
	return list
}

func errJoin(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A patch whose consequences are put right is made, and so are the patches that follow.
func TestAllSettles(t *testing.T) {
	for name, text := range map[string]string{
		"readiness gets slower than liveness": "        livenessProbe: {httpGet: {path: /l, port: 8080}, periodSeconds: 2, failureThreshold: 3}\n" +
			"        readinessProbe: {httpGet: {path: /r, port: 8080}, periodSeconds: 2, failureThreshold: 1}\n",
		"the period gets longer": "        livenessProbe: {httpGet: {path: /l, port: 8080}, periodSeconds: 10, failureThreshold: 3}\n" +
			"        readinessProbe: {httpGet: {path: /r, port: 8080}, periodSeconds: 10, timeoutSeconds: 30}\n",
		"the grace period is shorter than the hook": "        lifecycle: {preStop: {exec: {command: [sleep, '90']}}}\n        livenessProbe: {httpGet: {path: /l, port: 8080}, periodSeconds: 10, timeoutSeconds: 11, failureThreshold: 5}\n" +
			"        readinessProbe: {httpGet: {path: /r, port: 8080}}\n      terminationGracePeriodSeconds: 600\n",
		"the deadline is shorter than the new startupProbe": "        livenessProbe: {httpGet: {path: /l, port: 8080}, initialDelaySeconds: 300}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(deployment(text), "spec:\n  selector", "spec:\n  progressDeadlineSeconds: 200\n  selector", 1)
			if _, after := holds(t, "a.yaml", text); len(after) > 0 {
				t.Errorf("there is still %v", after)
			}
			// the hook's 90 s and the 65 s after which a hang is surely noticed
			if grace := "terminationGracePeriodSeconds: 155,"; strings.Contains(text, "'90'") && !strings.Contains(fixed(t, text), grace) {
				t.Errorf("no %q:\n%s", grace, fixed(t, text))
			}
		})
	}
}

// A patch that would leave something worse, which no patch puts right, is refused with the reason.
func TestAllRefuses(t *testing.T) {
	text := deployment("        livenessProbe: {httpGet: {path: /l, port: 8080}, failureThreshold: 1}\n        readinessProbe: {httpGet: {path: /r, port: 8080}}\n")
	m, err := advisortest.Parse("a.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	strict := func(m *advisor.Manifests) []advisor.Finding {
		found := judge(m)
		if bytes.Contains(m.Text("a.yaml"), []byte("failureThreshold: 3")) {
			worse := found
			worse = append(worse, m.Workloads[0].Finding("spec", "three is too many"))
			worse[len(worse)-1].Rule, worse[len(worse)-1].Severity = "no-three", advisor.Risk
			return worse
		}
		return found
	}
	r := fix.All(m, strict)
	if len(r.Changed) > 0 || len(r.Skipped) != 1 || !strings.Contains(r.Skipped[0].Err.Error(), "it would lead to no-three: three is too many") {
		t.Errorf("changed %v, skipped %v", r.Changed, r.Skipped)
	}
}

// One patch that cannot be made keeps none of the others from being made, neither the one that
// would change the same object nor those of other objects.
func TestAllButOne(t *testing.T) {
	for name, c := range map[string]struct {
		impossible advisor.Edit
		pods       string
	}{
		"the text has no such field":         {advisor.Edit{Path: "spec.nothing", Remove: true}, "abcd"},
		"the outcome says something else":    {advisor.Edit{Path: "spec.priority", Value: "&anchor 1"}, "abcd"},
		"and there is nothing else to do":    {advisor.Edit{Path: "spec.nothing", Remove: true}, "c"},
		"which the outcome alone would tell": {advisor.Edit{Path: "spec.priority", Value: "&anchor 1"}, "c"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Join(strings.Split(c.pods, ""), `"}, "spec": {"dnsPolicy": "Default"}},`+"\n"+`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "`)
			m, err := advisortest.ParseMixed("a.json", []byte(`{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "`+text+`"}, "spec": {"dnsPolicy": "Default"}}]}`))
			if err != nil {
				t.Fatal(err)
			}
			r := fix.All(m, func(m *advisor.Manifests) (found []advisor.Finding) {
				for _, w := range m.Workloads {
					if w.Object.Resource.GetName() == "c" {
						found = append(found, finding(w, "impossible", advisor.Outage, c.impossible))
					}
					if !w.Object.Has("spec.hostname") {
						found = append(found, finding(w, "no-host-name", advisor.Style, advisor.Edit{Path: "spec.hostname", Value: "h"}))
					}
				}
				return found
			})
			if len(r.Skipped) != 1 || r.Skipped[0].Finding.Rule != "impossible" {
				t.Errorf("skipped %v", r.Skipped)
			}
			if text := string(r.Manifests.Text("a.json")); strings.Count(text, `"hostname": "h"`) != len(c.pods) {
				t.Errorf("not all have a host name:\n%s", text)
			}
		})
	}
}

// finding is one with a patch.
func finding(w *advisor.Workload, rule string, severity advisor.Severity, edit advisor.Edit) advisor.Finding {
	f := w.Finding("spec", "%s", rule)
	f.Rule, f.Severity, f.Patch = rule, severity, &advisor.Patch{Edits: []advisor.Edit{edit}}
	return f
}

// TestCorpus fixes every manifest of a folder, with all below it, in all layouts. PROBITY_CORPUS
// names it.
func TestCorpus(t *testing.T) {
	folder := os.Getenv("PROBITY_CORPUS")
	if folder == "" {
		t.Skip("PROBITY_CORPUS names no folder")
	}
	m, err := advisor.Read(nil, nil, folder)
	if err != nil {
		t.Log(err)
	}
	files, variants, fixed := 0, 0, 0
	for _, file := range m.FileNames() {
		if one, err := advisortest.ParseMixed(file, m.Text(file)); err != nil || len(judge(one)) == 0 {
			continue
		}
		files++
		t.Run(file, func(t *testing.T) {
			for layout, text := range layouts(t, string(m.Text(file))) {
				variants++
				t.Run(layout, func(t *testing.T) {
					if len(text) > 3<<20 {
						t.Skip("larger than a manifest may be")
					}
					before, after := holds(t, "a.yaml", text)
					fixed += len(before) - len(after)
				})
			}
		})
	}
	t.Logf("%d files with findings in %d layouts: %d findings fixed", files, variants, fixed)
}
