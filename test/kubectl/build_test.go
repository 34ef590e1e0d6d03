package kubectl

import (
	"os"
	"strings"
	"testing"
)

// TestVersion: client and server are of the version whose API Probity has.
func TestVersion(t *testing.T) {
	ours, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []released{kubectlProgram(), kubernetesProgram()} {
		version, _, err := program.version()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(ours), "\tk8s.io/api v0."+version+"\n") {
			t.Errorf("%s is of v0.%s, which is not the k8s.io/api of Probity", program.name, version)
		}
	}
}
