package apiserver

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/probity-run/probity/internal/apiserver/openapi"
	"github.com/probity-run/probity/internal/apiserver/resources"
)

// serveDiscovery answers requests about the API itself. It returns false for other paths.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) bool {
	path := strings.TrimSuffix(r.URL.Path, "/")
	c := &call{server: s, w: w, r: r}
	if path == "/version" || strings.HasPrefix(path, "/openapi/") {
		return c.onlyRead() || s.serveDocument(w, r, path)
	}
	switch path {
	case "/api", "/apis":
		return s.serveGroups(c, path)
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	var o runtime.Object
	switch {
	case len(parts) == 2 && parts[0] == "api":
		o = s.resourceList(schema.GroupVersion{Version: parts[1]})
	case len(parts) == 3 && parts[0] == "apis":
		o = s.resourceList(schema.GroupVersion{Group: parts[1], Version: parts[2]})
	case len(parts) == 2 && parts[0] == "apis":
		o = s.group(parts[1])
	}
	if o == nil {
		return false
	}
	return c.answerAbout(o)
}

// serveDocument answers with the version or with an OpenAPI document.
func (s *Server) serveDocument(w http.ResponseWriter, r *http.Request, path string) bool {
	switch path {
	case "/version":
		return s.serveVersion(w, r)
	case "/openapi/v2":
		return serveOldOpenAPI(w, r)
	case "/openapi/v3":
		return s.serveOpenAPI(w, r, "")
	}
	name, ok := strings.CutPrefix(path, "/openapi/v3/")
	return ok && s.serveOpenAPI(w, r, name)
}

// onlyRead refuses a request that wants more than to read, and reports whether it has.
func (c *call) onlyRead() bool {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return false
	}
	c.w.Header().Set("Allow", "GET, HEAD")
	http.Error(c.w, "405 method not allowed", http.StatusMethodNotAllowed)
	return true
}

// answerAbout answers with a document of the plain form.
func (c *call) answerAbout(o runtime.Object) bool {
	if c.onlyRead() {
		return true
	}
	var err error
	if c.format, err = negotiate(c.r.Header.Get("Accept"), c.server.codecs, false); err != nil {
		c.format = c.server.defaultFormat()
		c.fail(err)
		return true
	}
	c.write(http.StatusOK, o)
	return true
}

// serveGroups answers with all groups: in one document with all their resources where the client
// takes that, else with a list of names.
func (s *Server) serveGroups(c *call, path string) bool {
	if acceptsAggregated(c.r.Header.Get("Accept")) {
		list := aggregated(path == "/api")
		var body bytes.Buffer
		if err := s.codecs[0].Serializer.Encode(list, &body); err != nil {
			c.format = s.defaultFormat()
			c.fail(err)
			return true
		}
		serveCached(c.w, c.r, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", body.Bytes(), hashOf(body.Bytes()))
		return true
	}
	if path == "/api" {
		return c.answerAbout(&metav1.APIVersions{
			TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}, Versions: []string{"v1"},
			ServerAddressByClientCIDRs: []metav1.ServerAddressByClientCIDR{{ClientCIDR: "0.0.0.0/0", ServerAddress: c.r.Host}},
		})
	}
	list := &metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
	for _, gv := range resources.GroupVersions() {
		if gv.Group != "" {
			list.Groups = append(list.Groups, newGroup(gv))
		}
	}
	return c.answerAbout(list)
}

// acceptsAggregated reports whether a client takes all of discovery in one document of version 2.
func acceptsAggregated(header string) bool {
	return slices.ContainsFunc(parseAccept(header), func(m mediaRange) bool {
		return m.name == runtime.ContentTypeJSON && m.params["g"] == apidiscoveryv2.GroupName && m.params["v"] == "v2" && m.params["as"] == "APIGroupDiscoveryList"
	})
}

// aggregated is the core group, or all others, with all their resources.
func aggregated(core bool) *apidiscoveryv2.APIGroupDiscoveryList {
	list := &apidiscoveryv2.APIGroupDiscoveryList{
		TypeMeta: metav1.TypeMeta{APIVersion: apidiscoveryv2.SchemeGroupVersion.String(), Kind: "APIGroupDiscoveryList"},
		Items:    []apidiscoveryv2.APIGroupDiscovery{},
	}
	for _, gv := range resources.GroupVersions() {
		if (gv.Group == "") != core {
			continue
		}
		v := apidiscoveryv2.APIVersionDiscovery{Version: gv.Version, Freshness: apidiscoveryv2.DiscoveryFreshnessCurrent}
		for _, r := range of(gv) {
			v.Resources = append(v.Resources, aggregatedResource(r))
		}
		list.Items = append(list.Items, apidiscoveryv2.APIGroupDiscovery{
			ObjectMeta: metav1.ObjectMeta{Name: gv.Group}, Versions: []apidiscoveryv2.APIVersionDiscovery{v},
		})
	}
	return list
}

func aggregatedResource(r resources.Resource) apidiscoveryv2.APIResourceDiscovery {
	scope := apidiscoveryv2.ScopeCluster
	if r.Namespaced {
		scope = apidiscoveryv2.ScopeNamespace
	}
	d := apidiscoveryv2.APIResourceDiscovery{
		Resource: r.Name, ResponseKind: groupVersionKind(r.GVK), Scope: scope, SingularResource: r.Singular, Verbs: r.Verbs,
		ShortNames: r.ShortNames, Categories: r.Categories,
	}
	for _, sub := range r.Subresources {
		d.Subresources = append(d.Subresources, apidiscoveryv2.APISubresourceDiscovery{Subresource: sub.Name, ResponseKind: groupVersionKind(sub.GVK), Verbs: sub.Verbs})
	}
	return d
}

func groupVersionKind(k schema.GroupVersionKind) *metav1.GroupVersionKind {
	return &metav1.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Kind}
}

// of are the resources of one version of a group.
func of(gv schema.GroupVersion) []resources.Resource {
	return slices.DeleteFunc(resources.All(), func(r resources.Resource) bool { return r.GVK.GroupVersion() != gv })
}

func newGroup(gv schema.GroupVersion) metav1.APIGroup {
	v := metav1.GroupVersionForDiscovery{GroupVersion: gv.String(), Version: gv.Version}
	return metav1.APIGroup{Name: gv.Group, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v}
}

// group is one group in the plain form; nil if there is none of that name.
func (s *Server) group(name string) runtime.Object {
	for _, gv := range resources.GroupVersions() {
		if gv.Group == name && name != "" {
			g := newGroup(gv)
			g.TypeMeta = metav1.TypeMeta{Kind: "APIGroup", APIVersion: "v1"}
			return &g
		}
	}
	return nil
}

// resourceList is one version of a group in the plain form; nil if there is none.
func (s *Server) resourceList(gv schema.GroupVersion) runtime.Object {
	list := &metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: gv.String()}
	for _, r := range of(gv) {
		list.APIResources = append(list.APIResources, metav1.APIResource{
			Name: r.Name, SingularName: r.Singular, Namespaced: r.Namespaced, Kind: r.GVK.Kind, Verbs: r.Verbs, ShortNames: r.ShortNames, Categories: r.Categories,
		})
		for _, sub := range r.Subresources {
			entry := metav1.APIResource{Name: r.Name + "/" + sub.Name, Namespaced: r.Namespaced, Kind: sub.GVK.Kind, Verbs: sub.Verbs}
			if sub.GVK.GroupVersion() != gv {
				entry.Group, entry.Version = sub.GVK.Group, sub.GVK.Version
			}
			list.APIResources = append(list.APIResources, entry)
		}
	}
	if len(list.APIResources) == 0 {
		return nil
	}
	return list
}

// serveVersion answers which Kubernetes the API is that of.
func (s *Server) serveVersion(w http.ResponseWriter, r *http.Request) bool {
	text, err := json.MarshalIndent(s.version(), "", "  ")
	if err != nil {
		panic(err) // strings alone
	}
	serveCached(w, r, runtime.ContentTypeJSON, text, hashOf(text))
	return true
}

// version says which Kubernetes the API is that of. Clients compare it with their own.
func (s *Server) version() version.Info {
	return version.Info{
		Major: "1", Minor: "36", GitVersion: resources.KubernetesVersion + "+probity", GitCommit: s.opts.Version, GitTreeState: "clean",
		BuildDate: time.Unix(0, 0).UTC().Format(time.RFC3339), GoVersion: goruntime.Version(), Compiler: goruntime.Compiler,
		Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
	}
}

// serveOpenAPI answers with the index of the OpenAPI documents, or with one of them.
func (s *Server) serveOpenAPI(w http.ResponseWriter, r *http.Request, name string) bool {
	documents := s.documents()
	if name == "" {
		index := openapi.Index(documents)
		serveCached(w, r, runtime.ContentTypeJSON, index, hashOf(index))
		return true
	}
	i := slices.IndexFunc(documents, func(d openapi.Document) bool { return d.Path == name })
	if i < 0 {
		return false
	}
	body := documents[i].Gzip()
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
	} else {
		text, err := documents[i].JSON()
		if err != nil {
			s.opts.Logger.Error("Cannot unpack an OpenAPI document", "error", err)
			http.Error(w, "cannot unpack the document", http.StatusInternalServerError)
			return true
		}
		body = text
	}
	w.Header().Set("Vary", "Accept, Accept-Encoding")
	serveCached(w, r, runtime.ContentTypeJSON, body, documents[i].Hash)
	return true
}

// serveOldOpenAPI answers with an OpenAPI document of version 2 that describes nothing. kubectl
// asks for one about kinds that version 3 does not have, and finds out by it that there are none.
func serveOldOpenAPI(w http.ResponseWriter, r *http.Request) bool {
	mediaType, body := runtime.ContentTypeJSON, openapi.Version2JSON()
	if strings.Contains(r.Header.Get("Accept"), "proto-openapi.spec.v2") {
		mediaType, body = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf", openapi.Version2Protobuf()
	}
	w.Header().Set("Vary", "Accept")
	serveCached(w, r, mediaType, body, hashOf(body))
	return true
}

// serveCached answers with what clients may keep for as long as its hash is the same.
func serveCached(w http.ResponseWriter, r *http.Request, mediaType string, body []byte, hash string) {
	header := w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("ETag", `"`+hash+`"`)
	header.Set("Cache-Control", "public")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func hashOf(body []byte) string {
	hash := sha256.Sum256(body)
	return strings.ToUpper(hex.EncodeToString(hash[:]))
}
