package manifest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ValidateUpdate returns what the API server would not let an update of old to new change, in its
// words. Both are of one type and have their defaults. What is wrong with new alone is for
// [Validate] to find.
//
// A server fills in the UID, the creation time and the deletion of an object that an update leaves
// out, so those count as unchanged. The IP addresses of a Service do not: [PrepareForUpdate] has
// to carry them over first.
func ValidateUpdate(old, new Resource) field.ErrorList {
	if reflect.TypeOf(old) != reflect.TypeOf(new) {
		return field.ErrorList{field.InternalError(nil, fmt.Errorf("cannot update a %T to a %T", old, new))}
	}
	errs := validateMetaUpdate(old, new, field.NewPath("metadata"))
	spec := field.NewPath("spec")
	switch n := new.(type) {
	case *corev1.Pod:
		errs = append(errs, validatePodUpdate(&old.(*corev1.Pod).Spec, &n.Spec, spec)...)
	case *corev1.Service:
		errs = append(errs, validateClusterIPsUpdate(&old.(*corev1.Service).Spec, &n.Spec, spec)...)
	case *corev1.ConfigMap:
		errs = append(errs, validateConfigMapUpdate(old.(*corev1.ConfigMap), n)...)
	case *corev1.Secret:
		errs = append(errs, validateSecretUpdate(old.(*corev1.Secret), n)...)
	case *appsv1.Deployment:
		errs = append(errs, immutable(old.(*appsv1.Deployment).Spec.Selector, n.Spec.Selector, spec.Child("selector"))...)
	case *appsv1.ReplicaSet:
		errs = append(errs, immutable(old.(*appsv1.ReplicaSet).Spec.Selector, n.Spec.Selector, spec.Child("selector"))...)
	case *appsv1.StatefulSet:
		errs = append(errs, validateStatefulSetUpdate(&old.(*appsv1.StatefulSet).Spec, &n.Spec, spec)...)
	case *appsv1.ControllerRevision:
		errs = append(errs, immutable(old.(*appsv1.ControllerRevision).Data, n.Data, field.NewPath("data"))...)
	case *corev1.Node:
		errs = append(errs, validateNodeUpdate(&old.(*corev1.Node).Spec, &n.Spec, spec)...)
	case *discoveryv1.EndpointSlice:
		errs = append(errs, immutable(old.(*discoveryv1.EndpointSlice).AddressType, n.AddressType, field.NewPath("addressType"))...)
	}
	return errs
}

func immutable(old, new any, path *field.Path) field.ErrorList {
	return validation.ValidateImmutableField(new, old, path)
}

func validateMetaUpdate(old, new metav1.Object, path *field.Path) field.ErrorList {
	errs := immutable(old.GetName(), new.GetName(), path.Child("name"))
	errs = append(errs, immutable(old.GetNamespace(), new.GetNamespace(), path.Child("namespace"))...)
	if uid := new.GetUID(); uid != "" {
		errs = append(errs, immutable(old.GetUID(), uid, path.Child("uid"))...)
	}
	if created := new.GetCreationTimestamp(); !created.IsZero() {
		errs = append(errs, immutable(old.GetCreationTimestamp(), created, path.Child("creationTimestamp"))...)
	}
	if deleted := new.GetDeletionTimestamp(); deleted != nil {
		errs = append(errs, immutable(old.GetDeletionTimestamp(), deleted, path.Child("deletionTimestamp"))...)
	}
	if grace := new.GetDeletionGracePeriodSeconds(); grace != nil {
		errs = append(errs, immutable(old.GetDeletionGracePeriodSeconds(), grace, path.Child("deletionGracePeriodSeconds"))...)
	}
	if old.GetDeletionTimestamp() != nil {
		errs = append(errs, validation.ValidateNoNewFinalizers(new.GetFinalizers(), old.GetFinalizers(), path.Child("finalizers"))...)
	}
	return errs
}

const setImmutable = "field is immutable when `immutable` is set"

func validateConfigMapUpdate(old, new *corev1.ConfigMap) field.ErrorList {
	errs := validateImmutableFlag(old.Immutable, new.Immutable)
	if isTrue(old.Immutable) && !reflect.DeepEqual(old.Data, new.Data) {
		errs = append(errs, field.Forbidden(field.NewPath("data"), setImmutable))
	}
	if isTrue(old.Immutable) && !reflect.DeepEqual(old.BinaryData, new.BinaryData) {
		errs = append(errs, field.Forbidden(field.NewPath("binaryData"), setImmutable))
	}
	return errs
}

// validateSecretUpdate finds stringData in data, where defaults have put it.
func validateSecretUpdate(old, new *corev1.Secret) field.ErrorList {
	errs := immutable(old.Type, new.Type, field.NewPath("type"))
	errs = append(errs, validateImmutableFlag(old.Immutable, new.Immutable)...)
	if isTrue(old.Immutable) && !reflect.DeepEqual(old.Data, new.Data) {
		errs = append(errs, field.Forbidden(field.NewPath("data"), setImmutable))
	}
	return errs
}

// validateImmutableFlag keeps the field immutable from being unset.
func validateImmutableFlag(old, new *bool) field.ErrorList {
	if isTrue(old) && !isTrue(new) {
		return field.ErrorList{field.Forbidden(field.NewPath("immutable"), setImmutable)}
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

func validateStatefulSetUpdate(old, new *appsv1.StatefulSetSpec, path *field.Path) field.ErrorList {
	fixed := *new
	fixed.Replicas = old.Replicas
	fixed.Ordinals = old.Ordinals
	fixed.Template = old.Template
	fixed.UpdateStrategy = old.UpdateStrategy
	fixed.RevisionHistoryLimit = old.RevisionHistoryLimit
	fixed.PersistentVolumeClaimRetentionPolicy = old.PersistentVolumeClaimRetentionPolicy
	fixed.MinReadySeconds = old.MinReadySeconds
	if equality.Semantic.DeepEqual(&fixed, old) {
		return nil
	}
	return field.ErrorList{field.Forbidden(path, "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "+
		"'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")}
}

func validateNodeUpdate(old, new *corev1.NodeSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if len(old.PodCIDRs) > 0 && !slices.Equal(old.PodCIDRs, new.PodCIDRs) {
		errs = append(errs, field.Forbidden(path.Child("podCIDRs"), `node updates may not change podCIDR except from "" to valid`))
	}
	if old.ProviderID != "" && old.ProviderID != new.ProviderID {
		errs = append(errs, field.Forbidden(path.Child("providerID"), `node updates may not change providerID except from "" to valid`))
	}
	return errs
}

// validateClusterIPsUpdate lets a Service that has an address for one family gain the other
// family's, and lose it again.
func validateClusterIPsUpdate(old, new *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	if old.Type == corev1.ServiceTypeExternalName || new.Type == corev1.ServiceTypeExternalName {
		return nil
	}
	const fixed = "may not change once set"
	before, after, at := clusterIPs(old), clusterIPs(new), path.Child("clusterIPs")
	var errs field.ErrorList
	switch {
	case len(before) == len(after):
		for i := range before {
			if before[i] != after[i] {
				errs = append(errs, field.Invalid(at.Index(i), after, fixed))
			}
		}
		return errs
	case len(before) > 0 && len(after) == 0:
		return field.ErrorList{field.Invalid(at.Index(0), after, "primary clusterIP can not be unset")}
	case len(before) > 0 && before[0] != after[0]:
		errs = append(errs, field.Invalid(at.Index(0), after, fixed))
	}
	if policy := new.IPFamilyPolicy; len(before) > 1 && len(after) == 1 && (policy == nil || *policy != corev1.IPFamilyPolicySingleStack) {
		errs = append(errs, field.Invalid(path.Child("ipFamilyPolicy"), policy, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
	}
	return errs
}

// clusterIPs are the addresses of a Service, which may be written in either of two fields.
func clusterIPs(s *corev1.ServiceSpec) []string {
	if len(s.ClusterIPs) == 0 && s.ClusterIP != "" {
		return []string{s.ClusterIP}
	}
	return s.ClusterIPs
}

const podUpdatable = "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
	"`spec.tolerations` (only additions to existing tolerations)," +
	"`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

// validatePodUpdate counts what only a scheduler changes (schedulingGates) as immutable. A grace
// period is never negative here: defaults have made it 1.
func validatePodUpdate(old, new *corev1.PodSpec, path *field.Path) field.ErrorList {
	const sameNumber = "pod updates may not add or remove containers"
	switch {
	case len(old.Containers) != len(new.Containers):
		return field.ErrorList{field.Forbidden(path.Child("containers"), sameNumber)}
	case len(old.InitContainers) != len(new.InitContainers):
		return field.ErrorList{field.Forbidden(path.Child("initContainers"), sameNumber)}
	}
	errs := validateDeadlineUpdate(old.ActiveDeadlineSeconds, new.ActiveDeadlineSeconds, path.Child("activeDeadlineSeconds"))
	errs = append(errs, validateTolerationsUpdate(old.Tolerations, new.Tolerations, path.Child("tolerations"))...)
	fixed := new.DeepCopy()
	fixed.ActiveDeadlineSeconds, fixed.Tolerations = old.ActiveDeadlineSeconds, old.Tolerations
	for i := range fixed.Containers {
		fixed.Containers[i].Image = old.Containers[i].Image
	}
	for i := range fixed.InitContainers {
		fixed.InitContainers[i].Image = old.InitContainers[i].Image
	}
	if !equality.Semantic.DeepEqual(fixed, old) {
		errs = append(errs, field.Forbidden(path, "pod updates may not change fields other than "+podUpdatable+"\n"+specDiff(old, fixed)))
	}
	return errs
}

// validateDeadlineUpdate lets a deadline be set, and come nearer.
func validateDeadlineUpdate(old, new *int64, path *field.Path) field.ErrorList {
	switch {
	case old == nil:
		return nil
	case new == nil:
		return field.ErrorList{field.Invalid(path, new, "must not update from a positive integer to nil value")}
	case *new > *old:
		return field.ErrorList{field.Invalid(path, *new, "must be less than or equal to previous value")}
	}
	return nil
}

func validateTolerationsUpdate(old, new []corev1.Toleration, path *field.Path) field.ErrorList {
	for _, before := range old {
		before.TolerationSeconds = nil
		kept := slices.ContainsFunc(new, func(after corev1.Toleration) bool {
			after.TolerationSeconds = nil
			return after == before
		})
		if !kept {
			return field.ErrorList{field.Forbidden(path, "existing toleration can not be modified except its tolerationSeconds")}
		}
	}
	return nil
}

// specDiff shows what changed, as lines of JSON.
func specDiff(old, new *corev1.PodSpec) string {
	texts := make([][]byte, 2)
	for i, spec := range []*corev1.PodSpec{old, new} {
		text, err := json.MarshalIndent(spec, "", " ")
		if err != nil {
			return fmt.Sprintf("(cannot show what changed: %v)", err)
		}
		texts[i] = append(text, '\n')
	}
	_, hunks, _ := strings.Cut(string(diff.Diff("old", texts[0], "new", texts[1])), "+++ new\n")
	return hunks
}
