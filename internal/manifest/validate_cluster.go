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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		standard := f == corev1.FinalizerKubernetes || name == metav1.FinalizerOrphanDependents || name == metav1.FinalizerDeleteDependents
		if !strings.Contains(name, "/") && !standard {
			errs = append(errs, field.Invalid(path, name, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

// The longest texts of an Event with an eventTime.
const (
	maxEventWord = 128
	maxEventNote = 1024
)

// validateEvent has the rules of core/v1: they are strict only for an Event with an eventTime.
func validateEvent(e *corev1.Event) field.ErrorList {
	var errs field.ErrorList
	about := e.InvolvedObject.Namespace
	mismatch := field.Invalid(field.NewPath("involvedObject", "namespace"), about, "does not match event.namespace")
	if e.EventTime.IsZero() {
		if about != e.Namespace && (about != "" || e.Namespace != metav1.NamespaceDefault) {
			errs = append(errs, mismatch)
		}
		return errs
	}
	if about == "" && e.Namespace != metav1.NamespaceDefault && e.Namespace != metav1.NamespaceSystem {
		errs = append(errs, mismatch)
	}
	controller := field.NewPath("reportingComponent")
	if e.ReportingController == "" {
		errs = append(errs, field.Required(controller, ""))
	}
	errs = append(errs, invalid(controller, e.ReportingController, utilvalidation.IsQualifiedName(e.ReportingController))...)
	for _, word := range []struct{ name, value string }{{"reportingInstance", e.ReportingInstance}, {"action", e.Action}, {"reason", e.Reason}} {
		path := field.NewPath(word.name)
		if word.value == "" {
			errs = append(errs, field.Required(path, ""))
		}
		if len(word.value) > maxEventWord {
			errs = append(errs, field.Invalid(path, "", fmt.Sprintf("can have at most %v characters", maxEventWord)))
		}
	}
	if len(e.Message) > maxEventNote {
		errs = append(errs, field.Invalid(field.NewPath("message"), "", fmt.Sprintf("can have at most %v characters", maxEventNote)))
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
