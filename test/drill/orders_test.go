//go:build drill

package drill

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testOrders drills an example in another language by its manifest alone: what it depends on is
// found.
func (b built) testOrders(t *testing.T, language, manifestFile string) {
	if _, err := exec.LookPath(language); err != nil {
		t.Skipf("NOT TESTED: the example for %s, which is not there", language)
	}
	folder, err := filepath.Abs("../../examples/orders")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(folder, manifestFile))
	if err != nil {
		t.Fatal(err)
	}
	manifest, found := string(text), map[string]bool{}
	for _, usual := range []string{"127.0.0.1:5432", "127.0.0.1:5672"} {
		address := standIn(t, folder)
		manifest = strings.ReplaceAll(manifest, `"`+usual+`"`, `"`+address+`"`)
		found[address] = false
	}
	manifest = strings.Replace(manifest, "    metadata:\n", "    metadata:\n      annotations: {probity.run/directory."+containerName(manifest)+": "+folder+"}\n", 1)
	args := []string{"--repeat", "1", "--fault", "hang"}
	for address := range found {
		args = append(args, "--fault", "dependency-outage:"+address)
	}
	for range 3 {
		r := b.drillText(t, manifest, slices.Concat(args, []string{"--request", `POST /orders {"item":"tea"}`, "--request", "GET /"})...)
		if len(r.of("inconclusive")) > 0 && len(r.of("fail")) == 0 {
			continue
		}
		if len(r.of("fail")) > 0 || len(r.Failures) > 0 {
			t.Errorf("the example does not pass:\n%s", &r)
		}
		for _, d := range r.Dependencies {
			found[d.Address] = true
		}
		for address, was := range found {
			if !was {
				t.Errorf("the dependency at %s was not found:\n%s", address, &r)
			}
		}
		if len(r.LeftOut) > 0 {
			t.Errorf("something was left out:\n%s", &r)
		}
		return
	}
	b.couldNotTell(t)
}

// containerName is the name of the container of a manifest that has one.
func containerName(manifest string) string {
	_, name, _ := strings.Cut(manifest, "      - name: ")
	name, _, _ = strings.Cut(name, "\n")
	return name
}

// standIn starts what stands for a database or a queue, and returns its address.
func standIn(t *testing.T, folder string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	cmd := exec.CommandContext(t.Context(), python, "standin.py", "127.0.0.1:0")
	cmd.Dir = folder
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "listens at "))
}
