package manifest

import (
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validatePod(p *corev1.Pod) field.ErrorList {
	path := field.NewPath("spec")
	errs := validatePodSpec(&p.Spec, path, nil)
	errs = append(errs, validatePodAnnotations(&p.ObjectMeta, &p.Spec, field.NewPath("metadata"))...)
	errs = append(errs, validateFault(&p.ObjectMeta, &p.Spec)...)
	errs = append(errs, validateImages(p.Spec.InitContainers, path.Child("initContainers"))...)
	errs = append(errs, validateImages(p.Spec.Containers, path.Child("containers"))...)
	if p.Spec.HostNetwork {
		errs = append(errs, validateHostNetwork(p.Spec.Containers, path.Child("containers"))...)
	}
	if len(p.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(path.Child("ephemeralContainers"), "cannot be set on create"))
	}
	return errs
}

// validatePodSpec checks a Pod's spec or a template's. claims are volumes that come from elsewhere.
func validatePodSpec(s *corev1.PodSpec, path *field.Path, claims []corev1.PersistentVolumeClaim) field.ErrorList {
	volumes, errs := validateVolumes(s.Volumes, path.Child("volumes"))
	for _, c := range claims {
		volumes[c.Name] = true
	}
	v := containerValidator{volumes: volumes, grace: *s.TerminationGracePeriodSeconds, names: map[string]bool{}}
	errs = append(errs, v.containers(s.Containers, path.Child("containers"))...)
	errs = append(errs, v.initContainers(s.InitContainers, path.Child("initContainers"))...)
	errs = append(errs, supported(path.Child("restartPolicy"), s.RestartPolicy,
		corev1.RestartPolicyAlways, corev1.RestartPolicyOnFailure, corev1.RestartPolicyNever)...)
	errs = append(errs, validateDNS(s, path)...)
	errs = append(errs, metavalidation.ValidateLabels(s.NodeSelector, path.Child("nodeSelector"))...)
	for i, gate := range s.ReadinessGates { // R190
		name := string(gate.ConditionType)
		errs = append(errs, invalid(path.Child("readinessGates").Index(i).Child("conditionType"), name, utilvalidation.IsQualifiedName(name))...)
	}
	if seconds := s.ActiveDeadlineSeconds; seconds != nil && (*seconds < 1 || *seconds > math.MaxInt32) {
		errs = append(errs, field.Invalid(path.Child("activeDeadlineSeconds"), *seconds, utilvalidation.InclusiveRangeError(1, math.MaxInt32)))
	}
	return append(errs, validatePodNames(s, path)...)
}

func validatePodNames(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.ServiceAccountName != "" {
		errs = append(errs, invalid(path.Child("serviceAccountName"), s.ServiceAccountName, validation.ValidateServiceAccountName(s.ServiceAccountName, false))...)
	}
	if s.Hostname != "" {
		errs = append(errs, validateLabelName(path.Child("hostname"), s.Hostname)...)
	}
	if s.Subdomain != "" {
		errs = append(errs, validateLabelName(path.Child("subdomain"), s.Subdomain)...)
	}
	for _, reference := range []struct {
		field string
		name  *string
	}{{"nodeName", &s.NodeName}, {"priorityClassName", &s.PriorityClassName}, {"runtimeClassName", s.RuntimeClassName}} {
		if reference.name != nil && (*reference.name != "" || reference.field == "runtimeClassName") {
			errs = append(errs, invalid(path.Child(reference.field), *reference.name, validation.NameIsDNSSubdomain(*reference.name, false))...)
		}
	}
	return append(errs, validateHostnameOverride(s, path)...)
}

func validateHostnameOverride(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	if s.HostnameOverride == nil {
		return nil
	}
	const longest = 64
	path = path.Child("hostnameOverride")
	var errs field.ErrorList
	if s.SetHostnameAsFQDN != nil && *s.SetHostnameAsFQDN {
		errs = append(errs, field.Forbidden(path, "may not be specified when setHostnameAsFQDN is true"))
	}
	if s.HostNetwork {
		errs = append(errs, field.Forbidden(path, "may not be specified when hostNetwork is true"))
	}
	if len(*s.HostnameOverride) > longest {
		errs = append(errs, field.TooLong(path, "", longest))
	}
	return append(errs, invalid(path, *s.HostnameOverride, validation.NameIsDNSSubdomain(*s.HostnameOverride, false))...)
}

// validateDNS is about what a dnsPolicy asks of the dnsConfig; what is in that is not looked into.
func validateDNS(s *corev1.PodSpec, path *field.Path) field.ErrorList {
	config := path.Child("dnsConfig")
	switch {
	case s.DNSPolicy != corev1.DNSNone:
		return supported(path.Child("dnsPolicy"), s.DNSPolicy, corev1.DNSClusterFirstWithHostNet, corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone)
	case s.DNSConfig == nil:
		return field.ErrorList{field.Required(config, "must provide `dnsConfig` when `dnsPolicy` is None")}
	case len(s.DNSConfig.Nameservers) == 0:
		return field.ErrorList{field.Required(config.Child("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None")}
	}
	return nil
}

// validateImages has a rule for Pods that templates have not.
func validateImages(containers []corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range containers {
		if hasOuterSpace(c.Image) {
			errs = append(errs, field.Invalid(path.Index(i).Child("image"), c.Image, "must not have leading or trailing whitespace"))
		}
	}
	return errs
}

func validateHostNetwork(containers []corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range containers {
		for j, p := range c.Ports {
			if p.HostPort != p.ContainerPort {
				errs = append(errs, field.Invalid(path.Index(i).Child("ports").Index(j).Child("hostPort"), p.HostPort,
					"must match `containerPort` when `hostNetwork` is true"))
			}
		}
	}
	return errs
}
