package apiserver

import (
	"errors"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	eventsv1 "k8s.io/api/events/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// newScheme makes the table of all types that come and go in requests.
func newScheme(kinds []Kind) (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	var errs []error
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, discoveryv1.AddToScheme, eventsv1.AddToScheme, coordinationv1.AddToScheme,
		autoscalingv1.AddToScheme, policyv1.AddToScheme, authorizationv1.AddToScheme, authenticationv1.AddToScheme,
		metav1.AddMetaToScheme,
	} {
		errs = append(errs, add(scheme))
	}
	scheme.AddKnownTypeWithName(ApplyRequestKind(), &ApplyRequest{})
	for _, kind := range kinds {
		scheme.AddKnownTypeWithName(kind.GVK, kind.Object)
		scheme.AddKnownTypeWithName(kind.GVK.GroupVersion().WithKind(kind.GVK.Kind+"List"), kind.List)
	}
	return scheme, errors.Join(errs...)
}

// newCodecs makes the encoders and decoders: JSON, YAML and protobuf, in this order of preference.
func newCodecs(scheme *runtime.Scheme) []runtime.SerializerInfo {
	return serializer.NewCodecFactory(scheme).SupportedMediaTypes()
}
