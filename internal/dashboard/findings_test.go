package dashboard

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestFindingCounts: the Pods page says how many findings a workload has of each severity, of the
// files as they are, and leads to them.
func TestFindingCounts(t *testing.T) {
	f := newFixture(t)
	file := f.deployment(t, true)
	f.pod(t, "web-1")
	const link = `href="/ui/workloads/deployment/default/web/health#findings"`
	body := f.ask(http.MethodGet, "/ui/pods").Body.String()
	if !strings.Contains(body, link) || !strings.Contains(body, ">1 waste</span>") {
		t.Errorf("without %s, or a chip", link)
	}
	if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: none}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(checkedTime - time.Millisecond)
	if !strings.Contains(f.ask(http.MethodGet, "/ui/pods").Body.String(), link) {
		t.Error("the files are checked again for each page")
	}
	f.now = f.now.Add(time.Millisecond)
	if strings.Contains(f.ask(http.MethodGet, "/ui/pods").Body.String(), link) {
		t.Error("findings of a file that has changed stay")
	}
}
