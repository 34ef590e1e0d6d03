//go:build kubectl && cluster

package kubectl

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// startCluster starts the real thing for one test.
func startCluster(t *testing.T) *Cluster {
	t.Helper()
	program := must(BuildKubernetes(t.Context()))(t)
	return must(StartCluster(t.Context(), program, t.TempDir()))(t)
}

// TestClusterClients plays the tests in Go on the real thing: all that need nothing of Probity's,
// in this program started anew.
func TestClusterClients(t *testing.T) {
	cluster := startCluster(t)
	defer func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	}()
	program := exec.CommandContext(t.Context(), must(os.Executable())(t), "-test.v", "-test.skip=^Test(Cluster.*|Scripts|Mask|Server|Version)$")
	program.Env = append(os.Environ(), kubeconfigVariable+"="+cluster.Kubeconfig, bareVariable+"=1")
	output, err := program.CombinedOutput()
	if passed := strings.Count(string(output), "\n--- PASS: "); err != nil || passed < 15 {
		t.Errorf("%v, %d tests have passed:\n%s", err, passed, output)
	}
}
