package scrape

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/metrics"
)

// TestExpressions: the dashboard and the alerts in docs/prometheus ask only for metrics and labels
// that there are. That they are PromQL, promtool finds out: see test/prometheus.
func TestExpressions(t *testing.T) {
	families := map[string]metrics.Family{}
	for _, f := range Families() {
		families[f.Name] = f
	}
	for _, name := range []string{"dashboard.json", "rules.yaml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = yaml.YAMLToJSON(data); err != nil {
			t.Fatal(err)
		}
		var content any
		if err := json.Unmarshal(data, &content); err != nil {
			t.Fatal(err)
		}
		all := valuesOf(content, "expr", "definition")
		if len(all) < 4 {
			t.Errorf("%s has %d expressions", name, len(all))
		}
		for _, expression := range all {
			for _, why := range unknownIn(expression, families) {
				t.Errorf("%s: %s in %s", name, why, expression)
			}
		}
	}
}

// valuesOf are the texts below keys, wherever these are.
func valuesOf(in any, keys ...string) (all []string) {
	switch in := in.(type) {
	case []any:
		for _, v := range in {
			all = append(all, valuesOf(v, keys...)...)
		}
	case map[string]any:
		for key, v := range in {
			if s, ok := v.(string); ok && slices.Contains(keys, key) {
				all = append(all, s)
			}
			all = append(all, valuesOf(v, keys...)...)
		}
	}
	return all
}

var (
	words   = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*|[(){}]`)
	literal = regexp.MustCompile(`"[^"]*"|\[[^\]]*\]`)
)

// unknownIn tells which metrics and labels of an expression there are not.
func unknownIn(expression string, families map[string]metrics.Family) (why []string) {
	labels := []string{"job", "instance", "le"} // that Prometheus adds
	var asked []string                          // labels
	tokens := words.FindAllString(literal.ReplaceAllString(expression, ""), -1)
	inBraces, inList := false, false
	for i, token := range tokens {
		next := ""
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch {
		case token == "{" || token == "}":
			inBraces = token == "{"
		case token == "(":
		case token == ")":
			inList = false
		case inBraces || inList:
			asked = append(asked, token)
		case next == "(" && slices.Contains([]string{"by", "without", "on", "ignoring"}, token):
			inList = true
		case slices.Contains([]string{"(", "by", "without"}, next) || slices.Contains([]string{"and", "or", "unless"}, token):
		case strings.HasPrefix(expression, "label_values(") && i == len(tokens)-2:
			asked = append(asked, token)
		default:
			f, ok := families[token]
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if g, is := families[strings.TrimSuffix(token, suffix)]; !ok && is && g.Type == metrics.Durations {
					f, ok = g, true
				}
			}
			if !ok {
				why = append(why, "no metric "+token)
			}
			labels = append(labels, f.Labels...)
		}
	}
	for _, label := range asked {
		if !slices.Contains(labels, label) {
			why = append(why, "no label "+label)
		}
	}
	return why
}

func TestUnknownIn(t *testing.T) {
	families := map[string]metrics.Family{
		"a_total":   {Name: "a_total", Type: metrics.Counter, Labels: []string{"pod"}},
		"b_seconds": {Name: "b_seconds", Type: metrics.Durations},
	}
	for expression, want := range map[string]string{
		`sum without (pod) (rate(a_total{job=~"$job",pod!="x"}[$__rate_interval])) > 0 or vector(0)`: "",
		`histogram_quantile(0.5, sum by (le) (rate(b_seconds_bucket[1m])))`:                          "",
		`b_seconds_count and b_seconds_sum`:                                                          "",
		`label_values(a_total{job="x"}, pod)`:                                                        "",
		`label_values(a_total, node)`:                                                                "no label node",
		`a_total_bucket`:                                                                             "no metric a_total_bucket",
		`rate(c_total{pod="a_total"}[1m])`:                                                           "no metric c_total, no label pod",
		`a_total{node="x"}`:                                                                          "no label node",
		`sum by (node) (a_total)`:                                                                    "no label node",
	} {
		if got := strings.Join(unknownIn(expression, families), ", "); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}
