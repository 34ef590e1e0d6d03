//go:build kubectl && cluster

package kubectl

import (
	"testing"
)

// startCluster starts the real thing for one test.
func startCluster(t *testing.T) *Cluster {
	t.Helper()
	program := must(BuildKubernetes(t.Context()))(t)
	return must(StartCluster(t.Context(), program, t.TempDir()))(t)
}
