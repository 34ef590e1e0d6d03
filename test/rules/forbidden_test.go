//go:build !race

package rules

import (
	"strings"
	"testing"
)

// TestNoGRPC: gRPC attempts do without grpc-go and what it brings, protobuf too. In the module
// test/grpc it is the oracle. Only the API server has the Go library of protobuf, by the schemas of
// OpenAPI that managed fields are made of.
func TestNoGRPC(t *testing.T) {
	for dependency := range strings.Lines(run(t, "go", "list", "-deps", "./...")) {
		if strings.HasPrefix(dependency, "google.golang.org/") && !strings.HasPrefix(dependency, "google.golang.org/protobuf/") {
			t.Errorf("the module depends on %s", strings.TrimSpace(dependency))
		}
	}
	for dependency := range strings.Lines(run(t, "go", "list", "-deps", "./probe/...", "./internal/node/...", "./internal/proxy/...", "./internal/simulate/...", "./internal/advisor/...")) {
		if strings.HasPrefix(dependency, "google.golang.org/") {
			t.Errorf("what probes and runs Pods depends on %s", strings.TrimSpace(dependency))
		}
	}
}

// TestForbiddenClientGo: of client-go the transport is used. These packages register every group of
// Kubernetes, which is twelve megabytes of the program.
func TestForbiddenClientGo(t *testing.T) {
	for dependency := range strings.FieldsSeq(run(t, "go", "list", "-deps", "./cmd/probity")) {
		rest, ok := strings.CutPrefix(dependency, "k8s.io/client-go/")
		if !ok {
			continue
		}
		for _, forbidden := range []string{"discovery", "restmapper", "kubernetes", "applyconfigurations"} {
			if within(rest, forbidden) {
				t.Errorf("the program depends on %s: internal/kube has what is needed of it", dependency)
			}
		}
	}
}
