package kubectl

import (
	"os"
	"strings"
	"testing"
)

// TestVersion: the client is of the version whose API Probity has.
func TestVersion(t *testing.T) {
	version, _, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	ours, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ours), "\tk8s.io/api v0."+version+"\n") {
		t.Errorf("kubectl is of v0.%s, which is not the k8s.io/api of Probity", version)
	}
}
