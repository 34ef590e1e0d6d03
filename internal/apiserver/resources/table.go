package resources

import "k8s.io/apimachinery/pkg/runtime/schema"

// every are the verbs of a resource whose objects clients make, change and delete.
func every() []string {
	return []string{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
}

func core() []Resource {
	v1 := schema.GroupVersion{Version: "v1"}
	return []Resource{
		{GVK: v1.WithKind("ConfigMap"), Name: "configmaps", Singular: "configmap", ShortNames: []string{"cm"}, Namespaced: true, Verbs: every()},
		{GVK: v1.WithKind("Event"), Name: "events", Singular: "event", ShortNames: []string{"ev"}, Namespaced: true, Verbs: every()},
		{
			GVK: v1.WithKind("Namespace"), Name: "namespaces", Singular: "namespace", ShortNames: []string{"ns"},
			// no deletecollection, as on a cluster: it would be the end of everything
			Verbs:        []string{"create", "delete", "get", "list", "patch", "update", "watch"},
			Subresources: []Subresource{status(v1.WithKind("Namespace"))},
		},
		{
			GVK: v1.WithKind("Node"), Name: "nodes", Singular: "node", ShortNames: []string{"no"}, Verbs: every(),
			Subresources: []Subresource{status(v1.WithKind("Node"))},
		},
		{
			GVK: v1.WithKind("Pod"), Name: "pods", Singular: "pod", ShortNames: []string{"po"}, Categories: []string{"all"}, Namespaced: true,
			Verbs: every(), Subresources: ofPods(v1),
		},
		{GVK: v1.WithKind("Secret"), Name: "secrets", Singular: "secret", Namespaced: true, Verbs: every()},
		{
			GVK: v1.WithKind("Service"), Name: "services", Singular: "service", ShortNames: []string{"svc"}, Categories: []string{"all"},
			Namespaced: true, Verbs: every(), Subresources: []Subresource{status(v1.WithKind("Service"))},
		},
	}
}

func ofPods(v1 schema.GroupVersion) []Subresource {
	// a client over WebSocket gets a stream, one over SPDY posts for it
	stream := func() []string { return []string{"create", "get"} }
	return []Subresource{
		{Name: "attach", GVK: v1.WithKind("PodAttachOptions"), Verbs: stream()},
		{Name: "eviction", GVK: schema.GroupVersionKind{Group: "policy", Version: "v1", Kind: "Eviction"}, Verbs: []string{"create"}},
		{Name: "exec", GVK: v1.WithKind("PodExecOptions"), Verbs: stream()},
		{Name: "log", GVK: v1.WithKind("Pod"), Verbs: []string{"get"}},
		{Name: "portforward", GVK: v1.WithKind("PodPortForwardOptions"), Verbs: stream()},
		status(v1.WithKind("Pod")),
	}
}

func apps() []Resource {
	v1 := schema.GroupVersion{Group: "apps", Version: "v1"}
	workload := func(kind, name, singular, short string) Resource {
		return Resource{
			GVK: v1.WithKind(kind), Name: name, Singular: singular, ShortNames: []string{short}, Categories: []string{"all"}, Namespaced: true,
			Verbs: every(), Subresources: []Subresource{scale(), status(v1.WithKind(kind))},
		}
	}
	return []Resource{
		{GVK: v1.WithKind("ControllerRevision"), Name: "controllerrevisions", Singular: "controllerrevision", Namespaced: true, Verbs: every()},
		workload("Deployment", "deployments", "deployment", "deploy"),
		workload("ReplicaSet", "replicasets", "replicaset", "rs"),
		workload("StatefulSet", "statefulsets", "statefulset", "sts"),
	}
}

// status is the subresource of what is observed.
func status(gvk schema.GroupVersionKind) Subresource {
	return Subresource{Name: "status", GVK: gvk, Verbs: []string{"get", "patch", "update"}}
}

// scale is the number of replicas of any workload.
func scale() Subresource {
	return Subresource{
		Name: "scale", GVK: schema.GroupVersionKind{Group: "autoscaling", Version: "v1", Kind: "Scale"}, Verbs: []string{"get", "patch", "update"},
	}
}

// events are the same objects as the core group's, seen through the newer API.
func events() []Resource {
	v1 := schema.GroupVersion{Group: "events.k8s.io", Version: "v1"}
	return []Resource{{GVK: v1.WithKind("Event"), Name: "events", Singular: "event", ShortNames: []string{"ev"}, Namespaced: true, Verbs: every()}}
}

func authentication() []Resource {
	v1 := schema.GroupVersion{Group: "authentication.k8s.io", Version: "v1"}
	return []Resource{question(v1.WithKind("SelfSubjectReview"), "selfsubjectreviews", "selfsubjectreview")}
}

func authorization() []Resource {
	v1 := schema.GroupVersion{Group: "authorization.k8s.io", Version: "v1"}
	return []Resource{
		question(v1.WithKind("SelfSubjectAccessReview"), "selfsubjectaccessreviews", "selfsubjectaccessreview"),
		question(v1.WithKind("SelfSubjectRulesReview"), "selfsubjectrulesreviews", "selfsubjectrulesreview"),
	}
}

// question is a resource whose objects are asked and answered and not kept.
func question(gvk schema.GroupVersionKind, name, singular string) Resource {
	return Resource{GVK: gvk, Name: name, Singular: singular, Verbs: []string{"create"}}
}

func coordination() []Resource {
	v1 := schema.GroupVersion{Group: "coordination.k8s.io", Version: "v1"}
	return []Resource{{GVK: v1.WithKind("Lease"), Name: "leases", Singular: "lease", Namespaced: true, Verbs: every()}}
}

func discovery() []Resource {
	v1 := schema.GroupVersion{Group: "discovery.k8s.io", Version: "v1"}
	return []Resource{{GVK: v1.WithKind("EndpointSlice"), Name: "endpointslices", Singular: "endpointslice", Namespaced: true, Verbs: every()}}
}

// probity is what no cluster has: what the probes of a Pod found last, which only the node writes,
// and what probity apply asks for.
func probity() []Resource {
	v1 := schema.GroupVersion{Group: "probity.run", Version: "v1"}
	return []Resource{
		question(v1.WithKind("ApplyRequest"), "applyrequests", "applyrequest"),
		{
			GVK: v1.WithKind("ProbeReport"), Name: "probereports", Singular: "probereport", Namespaced: true, Verbs: []string{"get", "list", "watch"},
			Subresources: []Subresource{{Name: "attempts", GVK: v1.WithKind("ProbeReport"), Verbs: []string{"get"}}},
		},
	}
}
