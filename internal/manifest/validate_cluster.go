package manifest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The kinds here are in no manifest: clients and controllers write them.

// validateNamespace has one path for all finalizers, as the API server has.
func validateNamespace(n *corev1.Namespace) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec", "finalizers")
	for _, f := range n.Spec.Finalizers {
		name := string(f)
		errs = append(errs, validation.ValidateFinalizerName(name, path)...)
		if !strings.Contains(name, "/") && !isStandardFinalizer(name) {
			errs = append(errs, field.Invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

// validateEndpointSlice leaves the addresses alone: on a cluster none may be 127.0.0.1, and here
// they are.
func validateEndpointSlice(s *discoveryv1.EndpointSlice) field.ErrorList {
	var errs field.ErrorList
	if path := field.NewPath("addressType"); s.AddressType == "" {
		errs = append(errs, field.Required(path, ""))
	} else {
		errs = append(errs, supported(path, s.AddressType, discoveryv1.AddressTypeFQDN, discoveryv1.AddressTypeIPv4, discoveryv1.AddressTypeIPv6)...)
	}
	var names []string
	for i, port := range s.Ports {
		path := field.NewPath("ports").Index(i)
		if name := *port.Name; slices.Contains(names, name) {
			errs = append(errs, field.Duplicate(path.Child("name"), name))
		} else if name != "" {
			errs = append(errs, invalid(path.Child("name"), name, utilvalidation.IsDNS1123Label(name))...)
		}
		names = append(names, *port.Name)
		errs = append(errs, supported(path.Child("protocol"), *port.Protocol, corev1.ProtocolSCTP, corev1.ProtocolTCP, corev1.ProtocolUDP)...)
		if port.AppProtocol != nil {
			errs = append(errs, invalid(path.Child("appProtocol"), *port.AppProtocol, utilvalidation.IsQualifiedName(*port.AppProtocol))...)
		}
	}
	return append(errs, validateEndpoints(s.Endpoints, field.NewPath("endpoints"))...)
}

func validateEndpoints(endpoints []discoveryv1.Endpoint, path *field.Path) field.ErrorList {
	const mostEndpoints, mostAddresses = 1000, 100
	if len(endpoints) > mostEndpoints {
		return field.ErrorList{field.TooMany(path, len(endpoints), mostEndpoints)}
	}
	var errs field.ErrorList
	for i, endpoint := range endpoints {
		at := path.Index(i)
		switch {
		case len(endpoint.Addresses) == 0:
			errs = append(errs, field.Required(at.Child("addresses"), "must contain at least 1 address"))
		case len(endpoint.Addresses) > mostAddresses:
			errs = append(errs, field.TooMany(at.Child("addresses"), len(endpoint.Addresses), mostAddresses))
		}
		if endpoint.NodeName != nil {
			errs = append(errs, invalid(at.Child("nodeName"), *endpoint.NodeName, validation.NameIsDNSSubdomain(*endpoint.NodeName, false))...)
		}
		if endpoint.Hostname != nil {
			errs = append(errs, invalid(at.Child("hostname"), *endpoint.Hostname, utilvalidation.IsDNS1123Label(*endpoint.Hostname))...)
		}
	}
	return errs
}

func validateRevision(r *appsv1.ControllerRevision) field.ErrorList {
	path := field.NewPath("data")
	var errs field.ErrorList
	if r.Revision < 0 {
		errs = append(errs, field.Invalid(field.NewPath("revision"), r.Revision, "must be greater than or equal to 0"))
	}
	var data any
	switch err := json.Unmarshal(r.Data.Raw, &data); {
	case r.Data.Raw == nil, err == nil && data == nil:
		return append(errs, field.Required(path, "data is mandatory"))
	case err != nil:
		return append(errs, field.Invalid(path, "<value omitted>", fmt.Sprintf("error parsing data: %v", err)))
	}
	if _, isObject := data.(map[string]any); !isObject {
		errs = append(errs, field.Required(path, "data must be a valid JSON object"))
	}
	return errs
}

func validateLease(s *coordinationv1.LeaseSpec) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if d := s.LeaseDurationSeconds; d != nil && *d <= 0 {
		errs = append(errs, field.Invalid(path.Child("leaseDurationSeconds"), *d, "must be greater than 0"))
	}
	if n := s.LeaseTransitions; n != nil && *n < 0 {
		errs = append(errs, field.Invalid(path.Child("leaseTransitions"), *n, "must be greater than or equal to 0"))
	}
	strategy := path.Child("strategy", "strategy") // the API server says it twice
	switch {
	case s.Strategy == nil:
	case strings.Contains(string(*s.Strategy), "/"):
		errs = append(errs, invalid(strategy, *s.Strategy, utilvalidation.IsQualifiedName(string(*s.Strategy)))...)
	default:
		errs = append(errs, supported(strategy, *s.Strategy, coordinationv1.OldestEmulationVersion)...)
	}
	if holder := s.PreferredHolder; holder != nil && *holder != "" && (s.Strategy == nil || *s.Strategy == "") {
		errs = append(errs, field.Forbidden(path.Child("preferredHolder"), "may only be specified if `strategy` is defined"))
	}
	return errs
}
