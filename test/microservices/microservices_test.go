//go:build microservices

package microservices

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/probity-run/probity/test/harness"
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "standin" {
		os.Exit(Main(os.Args[1:]))
	}
	harness.Main(m)
}

// plainUser is a user that is not root.
const plainUser = 65534

// TestShop: every service becomes ready and reaches its neighbours by the names in the manifest,
// which is unchanged. A plain user cannot have port 80, so that a name is not enough there. The
// environment variable MICROSERVICES_MANIFEST names another file to try instead, such as the one
// that is published.
func TestShop(t *testing.T) {
	for name, c := range map[string]struct {
		user uint32
		args []string
	}{
		"root":       {},
		"plain user": {plainUser, []string{"--names=env"}},
	} {
		t.Run(name, func(t *testing.T) { runShop(t, c.user, c.args) })
	}
}

func runShop(t *testing.T, user uint32, args []string) {
	ledger := t.TempDir()
	standin := filepath.Join(ledger, "standin")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, standin); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(ledger, 0o777); err != nil {
		t.Fatal(err)
	}
	text := manifest()
	if file := os.Getenv("MICROSERVICES_MANIFEST"); file != "" {
		text = harness.ReadFile(t, file)
	}
	r := harness.StartWith(t, harness.Options{Args: append(commands(standin), args...), User: user, Env: []string{ledgerVariable + "=" + ledger}}, text)
	r.WaitPods(len(shop), "ready", harness.Ready)
	for _, d := range shop {
		for _, address := range d.calls {
			host, _, _ := strings.Cut(address, ":")
			harness.WaitFor(t, fmt.Sprintf("%s reaches %s", d.name, address), func() bool {
				return address == notThere || reached(t, filepath.Join(ledger, d.name), host)
			})
		}
	}
	for name, pod := range r.Newest() {
		for _, status := range pod.Status.ContainerStatuses {
			if status.RestartCount > 0 {
				t.Errorf("%s was restarted %d times", name, status.RestartCount)
			}
		}
	}
}

// reached reports whether a ledger says that a neighbour answered. Another one than a name stands
// for fails the test.
func reached(t *testing.T, ledger, neighbour string) (found bool) {
	text, err := os.ReadFile(ledger)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		to, who, _ := strings.Cut(strings.TrimSpace(line), " ")
		host, _, _ := strings.Cut(to, ":")
		if _, err := netip.ParseAddr(host); err != nil && who != host {
			t.Fatalf("%s: %s answered for %s", ledger, who, to)
		}
		found = found || who == neighbour
	}
	return found
}

// commands are the arguments that name the programs.
func commands(standin string) (args []string) {
	for _, d := range shop {
		args = append(args, "--command", fmt.Sprintf("deployment/%s:%s=%s", d.name, d.containerName(), d.command(standin)))
	}
	return append(args, "--command", "deployment/loadgenerator:frontend-check="+standin+" -once loadgenerator")
}
