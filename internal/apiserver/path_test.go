package apiserver

import (
	"net/url"
	"strings"
	"testing"
)

func parse(path string) (target, bool) {
	u, err := url.ParseRequestURI(path)
	if err != nil {
		return target{}, false
	}
	return parseTarget(u)
}

func TestParseTarget(t *testing.T) {
	for path, want := range map[string]target{
		"/api/v1":                                        {version: "v1"},
		"/api/v1/pods":                                   {version: "v1", resource: "pods"},
		"/api/v1/pods/":                                  {version: "v1", resource: "pods"},
		"/api/v1/nodes/probity":                          {version: "v1", resource: "nodes", name: "probity"},
		"/api/v1/namespaces":                             {version: "v1", resource: "namespaces"},
		"/api/v1/namespaces/a":                           {version: "v1", resource: "namespaces", name: "a"},
		"/api/v1/namespaces/a/status":                    {version: "v1", resource: "namespaces", name: "a", subresource: "status"},
		"/api/v1/namespaces/a/pods":                      {version: "v1", namespace: "a", resource: "pods"},
		"/api/v1/namespaces/a/pods/web":                  {version: "v1", namespace: "a", resource: "pods", name: "web"},
		"/api/v1/namespaces/a/pods/web/log":              {version: "v1", namespace: "a", resource: "pods", name: "web", subresource: "log"},
		"/apis/apps/v1/namespaces/a/deployments/w/scale": {group: "apps", version: "v1", namespace: "a", resource: "deployments", name: "w", subresource: "scale"},
		"/apis/apps/v1/deployments":                      {group: "apps", version: "v1", resource: "deployments"},
	} {
		if got, ok := parse(path); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", path, got, ok, want)
		}
	}
	for _, path := range []string{
		"", "/", "/api", "/apis", "/apis/apps", "/other", "/api/v1//pods", "//api/v1/pods", "/api/v1/namespaces//pods", "/api/v1/pods/../nodes",
		"/api/v1/pods/%2e%2e", "/api/v1/pods/b%2fc", "/api/v1/pods/%252f/x/y/z", "/api/v1/namespaces/a/pods/web/log/more", "/api/v1/pods/./web",
	} {
		if got, ok := parse(path); ok {
			t.Errorf("%s: %+v, want none", path, got)
		}
	}
}

// FuzzTarget: a path names what it spells, and nothing that climbs out of it.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/api/v1/pods", "/apis/apps/v1/namespaces/a/deployments/web/scale", "/api/v1/namespaces/a%2fb/pods/%2e%2e", "//", "/api/v1/%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		got, ok := parse(path)
		if !ok {
			return
		}
		for _, segment := range []string{got.group, got.version, got.namespace, got.resource, got.name, got.subresource} {
			if segment == "." || segment == ".." || len(segment) > len(path) {
				t.Errorf("%q gives the segment %q", path, segment)
			}
		}
		if got.version == "" || !strings.HasPrefix(strings.TrimPrefix(path, "/"), "api") {
			t.Errorf("%q is a target: %+v", path, got)
		}
	})
}
