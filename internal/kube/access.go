package kube

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// Access is what somebody may do in a namespace, as far as the server tells.
type Access struct {
	// Incomplete says that there may be more than it tells, as with an authorizer that only answers
	// single questions.
	Incomplete bool `json:"incomplete"`
	Rules      []struct {
		Verbs         []string `json:"verbs"`
		APIGroups     []string `json:"apiGroups"`
		Resources     []string `json:"resources"`
		ResourceNames []string `json:"resourceNames"`
	} `json:"resourceRules"`
}

// Access asks what whoever has this client may do in a namespace: one SelfSubjectRulesReview, which
// every user may make. A server that knows no such thing answers with NotFound.
func (c *Client) Access(ctx context.Context, namespace string) (*Access, error) {
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": map[string]string{"namespace": namespace},
	})
	if err != nil {
		return nil, err
	}
	var review struct {
		Status Access `json:"status"`
	}
	err = c.do(ctx, http.MethodPost, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", nil, "application/json", body, &review)
	return &review.Status, err
}

// Forbids reports whether something is surely not allowed with all objects of a resource. nil
// forbids nothing.
func (a *Access) Forbids(verb, group, resource string) bool {
	if a == nil || a.Incomplete {
		return false
	}
	has := func(list []string, word string) bool {
		return slices.Contains(list, word) || slices.Contains(list, "*")
	}
	for _, r := range a.Rules {
		if len(r.ResourceNames) == 0 && has(r.Verbs, verb) && has(r.APIGroups, group) && has(r.Resources, resource) {
			return false
		}
	}
	return true
}

// NodeMetrics reads metrics of the kubelet of a node through the API server, which only few may: at
// /metrics/probes, for example. The caller closes it.
func (c *Client) NodeMetrics(ctx context.Context, node, path string) (io.ReadCloser, error) {
	response, err := c.send(ctx, http.MethodGet, "/api/v1/nodes/"+url.PathEscape(node)+"/proxy"+path, nil, "", nil)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}
