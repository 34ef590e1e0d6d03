package dashboard

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/probity-run/probity/internal/advisor"
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

// TestFindingsOfTheSameFiles: files that have not changed are not read again but once a minute, and
// one that would block is not read at all.
func TestFindingsOfTheSameFiles(t *testing.T) {
	pipe, file, folder := filepath.Join(t.TempDir(), "pipe.yaml"), filepath.Join(t.TempDir(), "app.yaml"), t.TempDir()
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(content string, modified time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, []byte(content), 0o600), os.Chtimes(file, noon, modified)); err != nil {
			t.Fatal(err)
		}
	}
	write("a", noon)
	var c checked
	reads := 0
	check := func(files []string) []advisor.Finding {
		reads++
		if len(files) != 1 || files[0] != file {
			t.Fatalf("%q are read, want %s alone", files, file)
		}
		return []advisor.Finding{{Rule: "a"}}
	}
	files := []string{advisor.StdinName, pipe, folder, file}
	for _, step := range []struct {
		name  string
		after time.Duration
		do    func()
		reads int
	}{
		{"at first", 0, func() {}, 1},
		{"soon", checkedTime - 1, func() { write("ab", noon) }, 1},
		{"another size", checkedTime, func() {}, 2},
		{"the same", 2 * checkedTime, func() {}, 2},
		{"another time", 3 * checkedTime, func() { write("cd", noon.Add(1)) }, 3},
		{"the same for a while", checkedLongest, func() {}, 3},
		{"the same for long", 3*checkedTime + checkedLongest, func() {}, 4},
		{"no file", 4*checkedTime + checkedLongest, func() { _ = os.Remove(file) }, 4},
	} {
		step.do()
		found := c.findings(noon.Add(step.after), files, check)
		if reads != step.reads || (len(found) == 1) != (step.name != "no file") {
			t.Errorf("%s: read %d times, want %d; found %v", step.name, reads, step.reads, found)
		}
	}
}

// TestFindingsWhileReading: who asks while the files are read gets what was found before.
func TestFindingsWhileReading(t *testing.T) {
	file := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(file, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c checked
	rule := func(now time.Time, check func([]string) []advisor.Finding) string {
		found := c.findings(now, []string{file}, check)
		if len(found) != 1 {
			t.Fatalf("found %v", found)
		}
		return found[0].Rule
	}
	rule(noon, func([]string) []advisor.Finding { return []advisor.Finding{{Rule: "old"}} })
	got := rule(noon.Add(checkedLongest), func([]string) []advisor.Finding {
		meanwhile := rule(noon.Add(checkedLongest), func([]string) []advisor.Finding {
			t.Error("two read at one time")
			return nil
		})
		if meanwhile != "old" {
			t.Errorf("meanwhile %q", meanwhile)
		}
		return []advisor.Finding{{Rule: "new"}}
	})
	if got != "new" {
		t.Errorf("then %q", got)
	}
}
