package kube

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// APIVersion is the group and version as manifests write it.
func (k Kind) APIVersion() string {
	if k.Group == "" {
		return k.Version
	}
	return k.Group + "/" + k.Version
}

// ApplyOptions say how an object is applied.
type ApplyOptions struct {
	// Manager is who keeps the fields from then on.
	Manager string
	// Force takes fields that others keep; otherwise that is a conflict.
	Force bool
	// DryRun has the server say what it would do, and do nothing.
	DryRun bool
}

// Applied is what a server made of an applied object.
type Applied struct {
	Object *unstructured.Unstructured
	// Created says that it was not there before.
	Created bool
	// Warnings are those of the server, for people.
	Warnings []string
}

// Apply has the server merge an object, in JSON or YAML, with the one that it has (server-side
// apply). A field that the server does not know is an error.
func (c *Client) Apply(ctx context.Context, at Ref, body []byte, o ApplyOptions) (Applied, error) {
	query := url.Values{"fieldManager": {o.Manager}, "fieldValidation": {"Strict"}}
	if o.Force {
		query.Set("force", "true")
	}
	if o.DryRun {
		query.Set("dryRun", "All")
	}
	response, err := c.send(ctx, http.MethodPatch, at.path(), query, string(types.ApplyPatchType), body)
	if err != nil {
		return Applied{}, err
	}
	applied := Applied{Object: &unstructured.Unstructured{}, Created: response.StatusCode == http.StatusCreated, Warnings: warnings(response.Header)}
	return applied, readAnswer(response, applied.Object)
}

// PatchAs changes an object as a manager of its fields, and reads what it became.
func (c *Client) PatchAs(ctx context.Context, at Ref, manager string, kind types.PatchType, patch []byte, into any) error {
	query := url.Values{"fieldManager": {manager}, "fieldValidation": {"Strict"}}
	return c.do(ctx, http.MethodPatch, at.path(), query, string(kind), patch, into)
}

// warnings are what the server tells people beside its answer.
func warnings(header http.Header) (texts []string) {
	parsed, _ := utilnet.ParseWarningHeaders(header["Warning"]) // what cannot be read is none
	for _, w := range parsed {
		if text := strings.TrimSpace(w.Text); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// Get reads one object.
func (c *Client) Get(ctx context.Context, at Ref, into any) error {
	return c.do(ctx, http.MethodGet, at.path(), nil, "", nil, into)
}
