package manifest

import (
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// findExtraWorkload finds the types that [Options.AllWorkloads] adds, in any version of their
// groups.
func findExtraWorkload(apiVersion, kind string) (objectType, bool) {
	if !slices.Contains([]string{"DaemonSet", "ReplicationController", "Job", "CronJob"}, kind) {
		return objectType{}, false
	}
	k, ok, _, _ := findLenientType(apiVersion, kind)
	return k, ok
}

// validateExtraWorkload judges their Pods as the API server does, and their selectors. All else of
// them has no part in what becomes of probes.
func validateExtraWorkload(r Resource) field.ErrorList {
	path := field.NewPath("spec")
	switch o := r.(type) {
	case *appsv1.DaemonSet:
		errs := validateSelector(o.Spec.Selector, path.Child("selector"), "empty selector is invalid for daemonset")
		return append(errs, validateTemplate(&o.Spec.Template, o.Spec.Selector, path, "DaemonSet", nil)...)
	case *corev1.ReplicationController:
		selector := &metav1.LabelSelector{MatchLabels: o.Spec.Selector}
		if len(o.Spec.Selector) == 0 { // its default
			selector.MatchLabels = o.Spec.Template.Labels
		}
		errs := nonNegative(path.Child("replicas"), *o.Spec.Replicas)
		if len(selector.MatchLabels) == 0 {
			errs = append(errs, field.Required(path.Child("selector"), ""))
		}
		return append(errs, validateTemplate(o.Spec.Template, selector, path, "ReplicationController", nil)...)
	case *batchv1.Job:
		return validateTaskTemplate(&o.Spec.Template, path.Child("template"))
	case *batchv1.CronJob:
		return validateTaskTemplate(&o.Spec.JobTemplate.Spec.Template, path.Child("jobTemplate", "spec", "template"))
	}
	return nil
}

// validateTaskTemplate is for Pods that are to end.
func validateTaskTemplate(t *corev1.PodTemplateSpec, path *field.Path) field.ErrorList {
	spec := path.Child("spec")
	errs := validatePodSpec(&t.Spec, spec, nil)
	if t.Spec.RestartPolicy == corev1.RestartPolicyAlways { // the default, which is none for them
		errs = append(errs, field.Required(spec.Child("restartPolicy"), `valid values: "OnFailure", "Never"`))
	}
	return errs
}
