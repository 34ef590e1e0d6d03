package manifest

import (
	"cmp"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Default fills in what the API server fills in when an object is created or updated (R166, R177,
// R178, R205). It leaves the status and all else that only a server sets alone. Load has done it
// for what it returns; a controller does it for the Pods it makes, because a Pod has defaults that
// its template has not. Doing it twice changes nothing.
func Default(r Resource) {
	if IsNamespaced(r) {
		r.SetNamespace(cmp.Or(r.GetNamespace(), metav1.NamespaceDefault))
	}
	switch o := r.(type) {
	case *corev1.Pod:
		defaultPod(&o.Spec)
	case *corev1.Service:
		defaultService(&o.Spec)
	case *corev1.ConfigMap:
		defaultConfigMap(o)
	case *corev1.Secret:
		defaultSecret(o)
	case *appsv1.Deployment:
		defaultDeployment(&o.Spec)
	case *appsv1.ReplicaSet:
		setDefault(&o.Spec.Replicas, 1)
		defaultPodSpec(&o.Spec.Template.Spec)
	case *appsv1.StatefulSet:
		defaultStatefulSet(&o.Spec)
	case *corev1.Namespace:
		defaultNamespace(o)
	case *corev1.Node:
		DefaultStatus(o)
	case *discoveryv1.EndpointSlice:
		for i := range o.Ports {
			setDefault(&o.Ports[i].Name, "")
			setDefault(&o.Ports[i].Protocol, corev1.ProtocolTCP)
		}
	}
}

func defaultNamespace(n *corev1.Namespace) {
	if n.Name != "" {
		metav1.SetMetaDataLabel(&n.ObjectMeta, corev1.LabelMetadataName, n.Name)
	}
	DefaultStatus(n)
}

// DefaultStatus sets the fields that the API server sets in a status that leaves them out.
func DefaultStatus(r Resource) {
	switch o := r.(type) {
	case *corev1.Pod:
		if s := &o.Status; s.HostIP != "" && len(s.HostIPs) == 0 {
			s.HostIPs = []corev1.HostIP{{IP: s.HostIP}}
		}
	case *corev1.Namespace:
		o.Status.Phase = cmp.Or(o.Status.Phase, corev1.NamespaceActive)
	case *corev1.Node:
		if o.Status.Allocatable == nil {
			o.Status.Allocatable = maps.Clone(o.Status.Capacity)
		}
	case *corev1.Service:
		for i := range o.Status.LoadBalancer.Ingress {
			if in := &o.Status.LoadBalancer.Ingress[i]; in.IP != "" && o.Spec.Type == corev1.ServiceTypeLoadBalancer {
				setDefault(&in.IPMode, corev1.LoadBalancerIPModeVIP)
			}
		}
	}
}

// setDefault gives an absent optional field a value.
func setDefault[T any](field **T, value T) {
	if *field == nil {
		*field = new(value)
	}
}

func defaultDeployment(s *appsv1.DeploymentSpec) {
	setDefault(&s.Replicas, 1)
	setDefault(&s.RevisionHistoryLimit, 10)
	setDefault(&s.ProgressDeadlineSeconds, 600)
	s.Strategy.Type = cmp.Or(s.Strategy.Type, appsv1.RollingUpdateDeploymentStrategyType)
	if s.Strategy.Type == appsv1.RollingUpdateDeploymentStrategyType {
		setDefault(&s.Strategy.RollingUpdate, appsv1.RollingUpdateDeployment{})
		setDefault(&s.Strategy.RollingUpdate.MaxSurge, intstr.FromString("25%"))
		setDefault(&s.Strategy.RollingUpdate.MaxUnavailable, intstr.FromString("25%"))
	}
	defaultPodSpec(&s.Template.Spec)
}

func defaultStatefulSet(s *appsv1.StatefulSetSpec) {
	setDefault(&s.Replicas, 1)
	setDefault(&s.RevisionHistoryLimit, 10)
	s.PodManagementPolicy = cmp.Or(s.PodManagementPolicy, appsv1.OrderedReadyPodManagement)
	s.UpdateStrategy.Type = cmp.Or(s.UpdateStrategy.Type, appsv1.RollingUpdateStatefulSetStrategyType)
	if s.UpdateStrategy.Type == appsv1.RollingUpdateStatefulSetStrategyType {
		setDefault(&s.UpdateStrategy.RollingUpdate, appsv1.RollingUpdateStatefulSetStrategy{})
		setDefault(&s.UpdateStrategy.RollingUpdate.Partition, 0)
	}
	setDefault(&s.PersistentVolumeClaimRetentionPolicy, appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{})
	retention := s.PersistentVolumeClaimRetentionPolicy
	retention.WhenDeleted = cmp.Or(retention.WhenDeleted, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	retention.WhenScaled = cmp.Or(retention.WhenScaled, appsv1.RetainPersistentVolumeClaimRetentionPolicyType)
	defaultPodSpec(&s.Template.Spec)
}

func defaultService(s *corev1.ServiceSpec) {
	s.Type = cmp.Or(s.Type, corev1.ServiceTypeClusterIP)
	s.SessionAffinity = cmp.Or(s.SessionAffinity, corev1.ServiceAffinityNone)
	switch s.SessionAffinity {
	case corev1.ServiceAffinityNone:
		s.SessionAffinityConfig = nil
	case corev1.ServiceAffinityClientIP:
		setDefault(&s.SessionAffinityConfig, corev1.SessionAffinityConfig{})
		setDefault(&s.SessionAffinityConfig.ClientIP, corev1.ClientIPConfig{})
		setDefault(&s.SessionAffinityConfig.ClientIP.TimeoutSeconds, corev1.DefaultClientIPServiceAffinitySeconds)
	}
	for i := range s.Ports {
		p := &s.Ports[i]
		p.Protocol = cmp.Or(p.Protocol, corev1.ProtocolTCP)
		if p.TargetPort == intstr.FromInt32(0) || p.TargetPort == intstr.FromString("") {
			p.TargetPort = intstr.FromInt32(p.Port)
		}
	}
	if isExternal(s) {
		s.ExternalTrafficPolicy = cmp.Or(s.ExternalTrafficPolicy, corev1.ServiceExternalTrafficPolicyCluster)
	}
	if s.Type != corev1.ServiceTypeExternalName {
		setDefault(&s.InternalTrafficPolicy, corev1.ServiceInternalTrafficPolicyCluster)
	}
	if s.Type == corev1.ServiceTypeLoadBalancer {
		setDefault(&s.AllocateLoadBalancerNodePorts, true)
	}
}

// isExternal reports whether a cluster would make the Service reachable from outside.
func isExternal(s *corev1.ServiceSpec) bool {
	return s.Type == corev1.ServiceTypeLoadBalancer || s.Type == corev1.ServiceTypeNodePort ||
		s.Type == corev1.ServiceTypeClusterIP && len(s.ExternalIPs) > 0
}

func defaultConfigMap(c *corev1.ConfigMap) {
	if c.Data == nil {
		c.Data = map[string]string{}
	}
}

// defaultSecret moves stringData, which is write-only, to data.
func defaultSecret(s *corev1.Secret) {
	s.Type = cmp.Or(s.Type, corev1.SecretTypeOpaque)
	if len(s.StringData) > 0 && s.Data == nil {
		s.Data = map[string][]byte{}
	}
	for key, value := range s.StringData {
		s.Data[key] = []byte(value)
	}
	s.StringData = nil
}
