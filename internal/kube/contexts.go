package kube

import (
	"maps"
	"slices"

	"k8s.io/client-go/tools/clientcmd"
)

// Contexts are the names of the contexts that the kubeconfig has, in their order; none if it cannot
// be read.
func Contexts() []string {
	raw, err := clientcmd.NewDefaultClientConfigLoadingRules().Load()
	if err != nil {
		return nil
	}
	return slices.Sorted(maps.Keys(raw.Contexts))
}
