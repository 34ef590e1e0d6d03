package manifest

import (
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateDeployment(s *appsv1.DeploymentSpec) field.ErrorList {
	path := field.NewPath("spec")
	errs := nonNegative(path.Child("replicas"), *s.Replicas)
	errs = append(errs, validateSelector(s.Selector, path.Child("selector"), "empty selector is invalid for deployment")...)
	errs = append(errs, validateTemplate(&s.Template, s.Selector, path, "ReplicaSet", nil)...)
	errs = append(errs, validateStrategy(&s.Strategy, path.Child("strategy"))...)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), s.MinReadySeconds)...)
	errs = append(errs, nonNegative(path.Child("revisionHistoryLimit"), *s.RevisionHistoryLimit)...)
	deadline := path.Child("progressDeadlineSeconds")
	errs = append(errs, nonNegative(deadline, *s.ProgressDeadlineSeconds)...)
	if *s.ProgressDeadlineSeconds <= s.MinReadySeconds {
		errs = append(errs, field.Invalid(deadline, *s.ProgressDeadlineSeconds, "must be greater than minReadySeconds"))
	}
	return errs
}

func validateReplicaSet(s *appsv1.ReplicaSetSpec) field.ErrorList {
	path := field.NewPath("spec")
	errs := nonNegative(path.Child("replicas"), *s.Replicas)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), s.MinReadySeconds)...)
	// The API server says deployment here too.
	errs = append(errs, validateSelector(s.Selector, path.Child("selector"), "empty selector is invalid for deployment")...)
	return append(errs, validateTemplate(&s.Template, s.Selector, path, "ReplicaSet", nil)...)
}

func validateStatefulSet(s *appsv1.StatefulSetSpec) field.ErrorList {
	path := field.NewPath("spec")
	var errs field.ErrorList
	if p := s.PodManagementPolicy; p != appsv1.OrderedReadyPodManagement && p != appsv1.ParallelPodManagement {
		errs = append(errs, field.Invalid(path.Child("podManagementPolicy"), p, "must be 'OrderedReady' or 'Parallel'"))
	}
	errs = append(errs, validateUpdateStrategy(&s.UpdateStrategy, path.Child("updateStrategy"))...)
	errs = append(errs, nonNegative(path.Child("replicas"), *s.Replicas)...)
	errs = append(errs, nonNegative(path.Child("minReadySeconds"), s.MinReadySeconds)...)
	errs = append(errs, nonNegative(path.Child("revisionHistoryLimit"), *s.RevisionHistoryLimit)...)
	if s.Ordinals != nil {
		errs = append(errs, nonNegative(path.Child("ordinals", "start"), s.Ordinals.Start)...)
	}
	if s.ServiceName != "" {
		errs = append(errs, validateLabelName(path.Child("serviceName"), s.ServiceName)...)
	}
	errs = append(errs, validateSelector(s.Selector, path.Child("selector"), "empty selector is invalid for statefulset")...)
	template := s.Template // without what the controller sets by the name and the serviceName
	template.Spec.Hostname, template.Spec.Subdomain = "", ""
	return append(errs, validateTemplate(&template, s.Selector, path, "StatefulSet", s.VolumeClaimTemplates)...)
}

func validateUpdateStrategy(s *appsv1.StatefulSetUpdateStrategy, path *field.Path) field.ErrorList {
	rolling := path.Child("rollingUpdate")
	switch s.Type {
	case appsv1.RollingUpdateStatefulSetStrategyType:
		return nonNegative(rolling.Child("partition"), *s.RollingUpdate.Partition)
	case appsv1.OnDeleteStatefulSetStrategyType:
		if s.RollingUpdate != nil {
			return field.ErrorList{field.Invalid(rolling, s.RollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")}
		}
		return nil
	}
	return field.ErrorList{field.Invalid(path, s, "must be 'RollingUpdate' or 'OnDelete'")}
}

// validateTemplate checks a pod template under spec (path). claims are volumes that a StatefulSet
// adds.
func validateTemplate(t *corev1.PodTemplateSpec, selector *metav1.LabelSelector, path *field.Path, owner string, claims []corev1.PersistentVolumeClaim) field.ErrorList {
	path = path.Child("template")
	var errs field.ErrorList
	matches, err := metav1.LabelSelectorAsSelector(selector)
	if err == nil && !matches.Empty() && selector != nil && !matches.Matches(labels.Set(t.Labels)) {
		errs = append(errs, field.Invalid(path.Child("metadata", "labels"), t.Labels, "`selector` does not match template `labels`"))
	}
	errs = append(errs, metavalidation.ValidateLabels(t.Labels, path.Child("metadata", "labels"))...)
	errs = append(errs, validation.ValidateAnnotations(t.Annotations, path.Child("metadata", "annotations"))...)
	errs = append(errs, validatePodSpec(&t.Spec, path.Child("spec"), claims)...)
	errs = append(errs, validatePodAnnotations(&t.ObjectMeta, &t.Spec, path.Child("metadata"))...)
	errs = append(errs, refuseFaultOfTemplate(&t.ObjectMeta, path.Child("metadata"))...)
	if t.Spec.RestartPolicy != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(path.Child("spec", "restartPolicy"), t.Spec.RestartPolicy, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if len(t.Spec.EphemeralContainers) > 0 {
		errs = append(errs, field.Forbidden(path.Child("spec", "ephemeralContainers"), "ephemeral containers not allowed in pod template"))
	}
	if t.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(path.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in "+owner+" is not Supported"))
	}
	return errs
}

// validateStrategy is R207.
func validateStrategy(s *appsv1.DeploymentStrategy, path *field.Path) field.ErrorList {
	rolling := path.Child("rollingUpdate")
	switch s.Type {
	case appsv1.RollingUpdateDeploymentStrategyType:
		return validateRollingUpdate(s.RollingUpdate, rolling)
	case appsv1.RecreateDeploymentStrategyType:
		if s.RollingUpdate != nil {
			return field.ErrorList{field.Forbidden(rolling, "may not be specified when strategy `type` is 'Recreate'")}
		}
		return nil
	}
	return supported(path.Child("type"), s.Type, appsv1.RecreateDeploymentStrategyType, appsv1.RollingUpdateDeploymentStrategyType)
}

func validateRollingUpdate(r *appsv1.RollingUpdateDeployment, path *field.Path) field.ErrorList {
	unavailable, surge := path.Child("maxUnavailable"), path.Child("maxSurge")
	errs := intOrPercent(unavailable, *r.MaxUnavailable)
	errs = append(errs, intOrPercent(surge, *r.MaxSurge)...)
	if number(*r.MaxUnavailable) == 0 && number(*r.MaxSurge) == 0 {
		errs = append(errs, field.Invalid(unavailable, *r.MaxUnavailable, "may not be 0 when `maxSurge` is 0"))
	}
	if r.MaxUnavailable.Type == intstr.String && number(*r.MaxUnavailable) > 100 {
		errs = append(errs, field.Invalid(unavailable, *r.MaxUnavailable, "must not be greater than 100%"))
	}
	return errs
}

// number is an integer's value, or a percentage without its sign. What is neither is reported
// elsewhere.
func number(v intstr.IntOrString) int {
	if v.Type == intstr.Int {
		return int(v.IntVal)
	}
	// too many digits give the largest number
	n, _ := strconv.Atoi(strings.TrimSuffix(v.StrVal, "%"))
	return n
}

func intOrPercent(path *field.Path, v intstr.IntOrString) field.ErrorList {
	if v.Type == intstr.Int {
		return nonNegative(path, v.IntVal)
	}
	return invalid(path, v, utilvalidation.IsValidPercent(v.StrVal))
}

// nonNegative is R179.
func nonNegative[T int32 | int64](path *field.Path, v T) field.ErrorList {
	return validation.ValidateNonnegativeField(int64(v), path)
}
