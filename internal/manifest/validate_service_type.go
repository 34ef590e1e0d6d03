package manifest

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validateServiceType checks what the type of a Service asks for and what it rules out.
func validateServiceType(s *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	isHeadless := s.ClusterIP == corev1.ClusterIPNone
	switch s.Type {
	case corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort:
		if isHeadless {
			errs = append(errs, field.Invalid(path.Child("clusterIPs").Index(0), s.ClusterIP, fmt.Sprintf("may not be set to 'None' for %s services", s.Type)))
		}
	case corev1.ServiceTypeExternalName:
		errs = validateExternalName(s, path)
	}
	return append(errs, validateExternalTraffic(s, path)...)
}

func validateExternalName(s *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	forbid := func(name string, isSet bool) {
		if isSet {
			errs = append(errs, field.Forbidden(path.Child(name), "may not be set for ExternalName services"))
		}
	}
	forbid("clusterIPs", s.ClusterIP != "" || len(s.ClusterIPs) > 0)
	forbid("ipFamilies", len(s.IPFamilies) > 0)
	forbid("ipFamilyPolicy", s.IPFamilyPolicy != nil)
	if s.ExternalName == "" {
		return append(errs, field.Required(path.Child("externalName"), ""))
	}
	name := strings.TrimSuffix(s.ExternalName, ".")
	return append(errs, invalid(path.Child("externalName"), name, utilvalidation.IsDNS1123Subdomain(name))...)
}

// validateExternalTraffic is about how a Service is reached from outside of a cluster. What only a
// load balancer does is not looked into further.
func validateExternalTraffic(s *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	isBalanced := s.Type == corev1.ServiceTypeLoadBalancer
	if !isBalanced {
		const only = "may only be used when `type` is 'LoadBalancer'"
		if len(s.LoadBalancerSourceRanges) > 0 {
			errs = append(errs, field.Forbidden(path.Child("LoadBalancerSourceRanges"), only)) // so written there
		}
		if s.AllocateLoadBalancerNodePorts != nil {
			errs = append(errs, field.Forbidden(path.Child("allocateLoadBalancerNodePorts"), only))
		}
	}
	isOutside := isBalanced || s.Type == corev1.ServiceTypeNodePort || s.Type == corev1.ServiceTypeClusterIP && len(s.ExternalIPs) > 0
	switch policy := path.Child("externalTrafficPolicy"); {
	case s.ExternalTrafficPolicy == "":
	case !isOutside:
		errs = append(errs, field.Invalid(policy, s.ExternalTrafficPolicy, "may only be set for externally-accessible services"))
	default:
		errs = append(errs, supported(policy, s.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster, corev1.ServiceExternalTrafficPolicyLocal)...)
	}
	if policy := s.InternalTrafficPolicy; policy != nil {
		errs = append(errs, supported(path.Child("internalTrafficPolicy"), *policy, corev1.ServiceInternalTrafficPolicyCluster, corev1.ServiceInternalTrafficPolicyLocal)...)
	}
	return errs
}
