package deploy

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/probity-run/probity/internal/kube"
)

// TestSilentServer: a server that takes requests and answers none holds no step up for ever.
func TestSilentServer(t *testing.T) {
	set := Set{"s", "shop"}
	silent := func(r *http.Request) (int, any) {
		if r.Method == http.MethodGet && r.URL.Path == "/api/v1/namespaces/shop/any/web" { // but for what is pruned
			return 200, map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"uid": "u", "labels": map[string]any{labelPartOf: set.ID()}}}
		}
		<-r.Context().Done()
		return 0, nil
	}
	const text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, uid: u}\n"
	for name, step := range map[string]func(context.Context, *Deployment) error{
		"what is served": func(ctx context.Context, d *Deployment) error {
			_, err := Plan(ctx, d.options)
			return err
		},
		"the set": func(ctx context.Context, d *Deployment) error { return d.askSet(ctx) },
		"quotas, of which is only warned": func(ctx context.Context, d *Deployment) error {
			d.Entries[0].Planned = d.Entries[0].Unstructured
			d.tellQuotas(ctx)
			return context.DeadlineExceeded
		},
		"members": func(ctx context.Context, d *Deployment) error {
			_, err := d.members(ctx, d.Entries[0].kind(), kube.Deployments, "shop")
			return err
		},
		"what is pruned": func(ctx context.Context, d *Deployment) error {
			return d.pruneOne(ctx, &Leftover{At: d.Entries[0].At, object: d.Entries[0].Unstructured})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				begun := time.Now()
				d, _ := bound(t, text, silent)
				d.options.Set = set
				if err := step(ctx, d); err == nil || ctx.Err() != nil {
					t.Errorf("error %v", err)
				}
				if took := time.Since(begun); took != requestTime {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}
