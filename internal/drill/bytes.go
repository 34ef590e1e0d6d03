package drill

import "k8s.io/apimachinery/pkg/api/resource"

// parseBytes reads an amount as manifests have it, such as 64Mi.
func parseBytes(text string) (int64, error) {
	q, err := resource.ParseQuantity(text)
	return q.Value(), err
}

// formatBytes writes an amount as manifests have it.
func formatBytes(n int64) string { return resource.NewQuantity(n, resource.BinarySI).String() }
