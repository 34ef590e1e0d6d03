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
	errs = append(errs, supported(path.Child("dnsPolicy"), s.DNSPolicy,
		corev1.DNSClusterFirstWithHostNet, corev1.DNSClusterFirst, corev1.DNSDefault, corev1.DNSNone)...)
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
	return errs
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
