//go:build prometheus

package prometheus

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/test/harness"
)

// files is the folder with the alerts, their tests and the dashboard.
const files = "../../docs/prometheus"

func TestMain(m *testing.M) { harness.Main(m) }

// program finds a program of Prometheus. If it is not installed, the test is skipped and says so.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: there is no %s here; on Debian, apt-get install prometheus", name)
	}
	return path
}

// promtool has to find nothing wrong.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "promtool"), args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	promtool(t, "", "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(files, "rules.yaml"))
	promtool(t, "", "test", "rules", filepath.Join(files, "rules_test.yaml"))
}

// TestDashboard: promtool knows no dashboards, but rules, so each expression is made one.
func TestDashboard(t *testing.T) {
	t.Parallel()
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, expression := range expressions(t) {
		fmt.Fprintf(&rules, "  - {record: 'expression:%d', expr: %q}\n", i, expression)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", "--lint=all", "--lint-fatal", path)
}

// expressions are those of the dashboard, with values for its variables.
func expressions(t *testing.T) (all []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(files, "dashboard.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$__range", "15m", "$job", ".*", "$namespace", ".*")
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expression := variables.Replace(target.Expr)
			if strings.Contains(expression, "$") {
				t.Errorf("panel %s has a variable that is not known: %s", panel.Title, expression)
			}
			all = append(all, expression)
		}
	}
	if len(all) == 0 {
		t.Fatal("the dashboard has no expressions")
	}
	return all
}
