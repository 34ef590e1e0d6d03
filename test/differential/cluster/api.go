package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
)

// API talks to the API server: as much of it as the scenarios need.
type API struct{ client *http.Client }

func newAPI() API {
	// the server's certificate is its own, and so is the network
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	return API{&http.Client{Transport: transport}}
}

// do sends a request and decodes the answer into out, unless that is nil.
func (a API) do(ctx context.Context, method, path, contentType string, in, out any) error {
	response, err := a.send(ctx, method, path, contentType, in)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(data, out)
}

func (a API) send(ctx context.Context, method, path, contentType string, in any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, server+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", contentType)
	response, err := a.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body) // what came of it says more than why the rest did not
		return nil, &refusal{method + " " + path, response.StatusCode, text}
	}
	return response, nil
}

// refusal is an answer of the API server that says no.
type refusal struct {
	request string
	code    int
	text    []byte // a Status, as JSON
}

// Error implements error.
func (r *refusal) Error() string { return fmt.Sprintf("cannot %s: %d %s", r.request, r.code, r.text) }

const (
	asJSON  = "application/json"
	asMerge = "application/merge-patch+json"
	asPatch = "application/strategic-merge-patch+json"
)

func (a API) get(ctx context.Context, path string, out any) error {
	return a.do(ctx, http.MethodGet, path, asJSON, nil, out)
}

func (a API) nodeReady(ctx context.Context) error {
	var node corev1.Node
	if err := a.get(ctx, "/api/v1/nodes/"+nodeName, &node); err != nil {
		return err
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && len(node.Spec.Taints) == 0 {
			return nil
		}
	}
	return errors.New("the node is not ready")
}

// change is a line of a watch.
type change struct {
	Type   watch.EventType `json:"type"`
	Object json.RawMessage `json:"object"`
	at     time.Time
}

// watch hands on all changes in a collection from its beginning until the context is done.
func (a API) watch(ctx context.Context, path string, on func(change) error) error {
	response, err := a.send(ctx, http.MethodGet, path+"?watch=1", asJSON, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(response.Body)
	for {
		var c change
		if err := decoder.Decode(&c); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("cannot watch %s: %w", path, err)
		}
		c.at = time.Now()
		if err := on(c); err != nil {
			return err
		}
	}
}
