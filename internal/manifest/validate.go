package manifest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Validate returns all that the API server would find wrong when the object is created, in its
// words (R179 to R192, R207), and what is wrong with Probity's own annotations. The object must
// have its defaults. Fields that no local process can honour (affinity, tolerations, security
// contexts, the less common volumes) are not looked into.
func Validate(r Resource) field.ErrorList {
	switch o := r.(type) {
	case *corev1.Pod:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validatePod(o)...)
	case *corev1.Service:
		return append(validateMeta(o, validation.NameIsDNSLabel), validateService(o)...)
	case *corev1.ConfigMap:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateConfigMap(o)...)
	case *corev1.Secret:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateSecret(o)...)
	case *appsv1.Deployment:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateDeployment(&o.Spec)...)
	case *appsv1.ReplicaSet:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateReplicaSet(&o.Spec)...)
	case *appsv1.StatefulSet:
		return append(validateMeta(o, validation.NameIsDNSLabel), validateStatefulSet(&o.Spec)...)
	case *corev1.Namespace:
		return append(validateMeta(o, validation.NameIsDNSLabel), validateNamespace(o)...)
	case *corev1.Event:
		return append(validateMeta(o, nameIsPathSegment), validateEvent(o)...)
	case *discoveryv1.EndpointSlice:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateEndpointSlice(o)...)
	case *appsv1.ControllerRevision:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateRevision(o)...)
	case *coordinationv1.Lease:
		return append(validateMeta(o, validation.NameIsDNSSubdomain), validateLease(&o.Spec)...)
	}
	return validateMeta(r, validation.NameIsDNSSubdomain)
}

// IsNamespaced reports whether objects of r's kind are in a namespace.
func IsNamespaced(r Resource) bool {
	switch r.(type) {
	case *corev1.Namespace, *corev1.Node:
		return false
	}
	return true
}

// validateMeta lets generateName stand for the name that is made from it.
func validateMeta(meta Resource, nameFn validation.ValidateNameFunc) field.ErrorList {
	path, namespaced := field.NewPath("metadata"), IsNamespaced(meta)
	errs := validateFinalizers(meta.GetFinalizers(), path.Child("finalizers"))
	if meta.GetName() != "" || meta.GetGenerateName() == "" {
		return append(validation.ValidateObjectMetaAccessor(meta, namespaced, nameFn, path), errs...)
	}
	named := metav1.ObjectMeta{
		Name: meta.GetGenerateName() + "12345", GenerateName: meta.GetGenerateName(), Namespace: meta.GetNamespace(),
		Labels: meta.GetLabels(), Annotations: meta.GetAnnotations(), OwnerReferences: meta.GetOwnerReferences(),
		Finalizers: meta.GetFinalizers(), ManagedFields: meta.GetManagedFields(), Generation: meta.GetGeneration(),
	}
	return append(validation.ValidateObjectMetaAccessor(&named, namespaced, nameFn, path), errs...)
}

// validateFinalizers wants the names of others than Kubernetes to say whose they are.
func validateFinalizers(names []string, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, name := range names {
		if !strings.Contains(name, "/") && !isStandardFinalizer(name) {
			errs = append(errs, field.Invalid(path.Index(i), name, "name is neither a standard finalizer name nor is it fully qualified"))
		}
	}
	return errs
}

func isStandardFinalizer(name string) bool {
	return name == string(corev1.FinalizerKubernetes) || name == metav1.FinalizerOrphanDependents || name == metav1.FinalizerDeleteDependents
}

// supported is NotSupported unless the value is one of those.
func supported[T ~string](path *field.Path, value T, values ...T) field.ErrorList {
	if slices.Contains(values, value) {
		return nil
	}
	return field.ErrorList{field.NotSupported(path, value, values)}
}

// invalid makes an error of each message.
func invalid(path *field.Path, value any, messages []string) field.ErrorList {
	var errs field.ErrorList
	for _, m := range messages {
		errs = append(errs, field.Invalid(path, value, m))
	}
	return errs
}

// validateLabelName checks a name that must be a DNS label.
func validateLabelName(path *field.Path, name string) field.ErrorList {
	if name == "" {
		return field.ErrorList{field.Required(path, "")}
	}
	return invalid(path, name, utilvalidation.IsDNS1123Label(name))
}

func validateConfigMap(c *corev1.ConfigMap) field.ErrorList {
	var errs field.ErrorList
	data, binaryData, size := field.NewPath("data"), field.NewPath("binaryData"), 0
	for _, key := range slices.Sorted(maps.Keys(c.Data)) {
		errs = append(errs, invalid(data.Key(key), key, utilvalidation.IsConfigMapKey(key))...)
		if _, both := c.BinaryData[key]; both {
			errs = append(errs, field.Invalid(data.Key(key), key, "duplicate of key present in binaryData"))
		}
		size += len(c.Data[key])
	}
	for _, key := range slices.Sorted(maps.Keys(c.BinaryData)) {
		errs = append(errs, invalid(binaryData.Key(key), key, utilvalidation.IsConfigMapKey(key))...)
		size += len(c.BinaryData[key])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(data, "", corev1.MaxSecretSize))
	}
	return errs
}

func validateSecret(s *corev1.Secret) field.ErrorList {
	var errs field.ErrorList
	data, size := field.NewPath("data"), 0
	for _, key := range slices.Sorted(maps.Keys(s.Data)) {
		errs = append(errs, invalid(data.Key(key), key, utilvalidation.IsConfigMapKey(key))...)
		size += len(s.Data[key])
	}
	if size > corev1.MaxSecretSize {
		errs = append(errs, field.TooLong(data, "", corev1.MaxSecretSize))
	}
	switch s.Type {
	case corev1.SecretTypeTLS:
		errs = append(errs, requireKeys(s, corev1.TLSCertKey, corev1.TLSPrivateKeyKey)...)
	case corev1.SecretTypeSSHAuth:
		errs = append(errs, requireKeys(s, corev1.SSHAuthPrivateKey)...)
	case corev1.SecretTypeBasicAuth:
		if missing := requireKeys(s, corev1.BasicAuthUsernameKey, corev1.BasicAuthPasswordKey); len(missing) == 2 {
			errs = append(errs, missing...) // one of them is enough
		}
	case corev1.SecretTypeDockerConfigJson:
		errs = append(errs, validateDockerConfig(s, corev1.DockerConfigJsonKey)...)
	case corev1.SecretTypeDockercfg:
		errs = append(errs, validateDockerConfig(s, corev1.DockerConfigKey)...)
	case corev1.SecretTypeServiceAccountToken:
		if s.Annotations[corev1.ServiceAccountNameKey] == "" {
			errs = append(errs, field.Required(field.NewPath("metadata", "annotations").Key(corev1.ServiceAccountNameKey), ""))
		}
	}
	return errs
}

// validateDockerConfig wants a key whose value is JSON, which is not shown.
func validateDockerConfig(s *corev1.Secret, key string) field.ErrorList {
	text, ok := s.Data[key]
	if !ok {
		return requireKeys(s, key)
	}
	if err := json.Unmarshal(text, &map[string]any{}); err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("data").Key(key), "<secret contents redacted>", err.Error())}
	}
	return nil
}

func requireKeys(s *corev1.Secret, keys ...string) field.ErrorList {
	var errs field.ErrorList
	for _, key := range keys {
		if _, ok := s.Data[key]; !ok {
			errs = append(errs, field.Required(field.NewPath("data").Key(key), ""))
		}
	}
	return errs
}

func validateSelector(selector *metav1.LabelSelector, path *field.Path, empty string) field.ErrorList {
	if selector == nil {
		return field.ErrorList{field.Required(path, "")}
	}
	errs := metavalidation.ValidateLabelSelector(selector, metavalidation.LabelSelectorValidationOptions{}, path)
	if len(selector.MatchLabels)+len(selector.MatchExpressions) == 0 {
		errs = append(errs, field.Invalid(path, selector, empty))
	}
	return errs
}

// nameIsPathSegment allows all that can stand in the path of a URL, which is the rule for Events.
func nameIsPathSegment(name string, prefix bool) []string {
	if prefix {
		return content.IsPathSegmentPrefix(name)
	}
	return content.IsPathSegmentName(name)
}
