package cluster

import (
	"context"
	"net/http"
)

// OfferStorage has the node offer space for the files of containers, of which its kubelet does not
// know any: who asks for some, as services of TrueFoundry do, would never be placed.
func (c *Cluster) OfferStorage(ctx context.Context) error {
	room := map[string]any{"ephemeral-storage": "100G"}
	patch := map[string]any{"status": map[string]any{"capacity": room, "allocatable": room}}
	return c.API.do(ctx, http.MethodPatch, "/api/v1/nodes/"+nodeName+"/status", asPatch, patch, nil)
}
