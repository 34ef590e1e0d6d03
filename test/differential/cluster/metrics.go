package cluster

import (
	"context"
	"io"
	"net/http"
)

// Listener is where something listens all the time, as seen by the kubelet: the API server.
func (c *Cluster) Listener() (host string, port int) { return nodeIP, 6443 }

// ProbeMetrics is what the kubelet tells Prometheus of its probes.
func (c *Cluster) ProbeMetrics(ctx context.Context) (string, error) {
	response, err := c.API.send(ctx, http.MethodGet, "/api/v1/nodes/"+nodeName+"/proxy/metrics/probes", asJSON, nil)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
