package manifest

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateNodeStatus is about what a node has, and where it is.
func validateNodeStatus(s *corev1.NodeStatus, path *field.Path) field.ErrorList {
	errs := validateNodeResources(s.Capacity, path.Child("capacity"))
	errs = append(errs, validateNodeResources(s.Allocatable, path.Child("allocatable"))...)
	type address struct { // as the API server prints it
		Type    corev1.NodeAddressType
		Address string
	}
	for i, a := range s.Addresses {
		if slices.Contains(s.Addresses[:i], a) {
			errs = append(errs, field.Duplicate(path.Child("addresses").Index(i), address(a)))
		}
	}
	return errs
}

func validateNodeResources(list corev1.ResourceList, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(list)) {
		at, value := path.Child(string(name)), list[name]
		if value.Sign() < 0 {
			errs = append(errs, field.Invalid(at, value.String(), "must be greater than or equal to 0"))
		}
		extended := strings.Contains(string(name), "/") && !strings.Contains(string(name), corev1.ResourceDefaultNamespacePrefix)
		if (name == corev1.ResourcePods || extended) && value.MilliValue()%1000 != 0 {
			errs = append(errs, field.Invalid(at, value.String(), "must be an integer"))
		}
	}
	return errs
}

// validateServiceStatus is about where a load balancer can be reached; others have none.
func validateServiceStatus(old, new *corev1.Service, path *field.Path) field.ErrorList {
	path = path.Child("loadBalancer", "ingress")
	ingress := new.Status.LoadBalancer.Ingress
	if new.Spec.Type != corev1.ServiceTypeLoadBalancer && len(ingress) > 0 {
		return field.ErrorList{field.Forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")}
	}
	var known []string
	for _, i := range old.Status.LoadBalancer.Ingress {
		known = append(known, i.IP)
	}
	var errs field.ErrorList
	for i, in := range ingress {
		at := path.Index(i)
		if in.IP != "" {
			errs = append(errs, utilvalidation.IsValidIPForLegacyField(at.Child("ip"), in.IP, false, known)...)
		}
		switch mode := in.IPMode; {
		case mode == nil:
		case in.IP == "":
			errs = append(errs, field.Forbidden(at.Child("ipMode"), "may not be specified when `ip` is not set"))
		default:
			errs = append(errs, supported(at.Child("ipMode"), *mode, corev1.LoadBalancerIPModeProxy, corev1.LoadBalancerIPModeVIP)...)
		}
		if in.Hostname != "" {
			errs = append(errs, invalid(at.Child("hostname"), in.Hostname, utilvalidation.IsDNS1123Subdomain(in.Hostname))...)
			if len(utilvalidation.IsValidIP(nil, in.Hostname)) == 0 {
				errs = append(errs, field.Invalid(at.Child("hostname"), in.Hostname, "must be a DNS name, not an IP address"))
			}
		}
	}
	return errs
}
