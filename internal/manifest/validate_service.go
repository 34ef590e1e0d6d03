package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

func validateService(o *corev1.Service) field.ErrorList {
	s, path := &o.Spec, field.NewPath("spec")
	var errs field.ErrorList
	if len(s.Ports) == 0 && s.ClusterIP != corev1.ClusterIPNone && s.Type != corev1.ServiceTypeExternalName {
		errs = append(errs, field.Required(path.Child("ports"), ""))
	}
	errs = append(errs, validateServiceType(s, path)...)
	errs = append(errs, validateServicePorts(s, path.Child("ports"))...)
	errs = append(errs, metavalidation.ValidateLabels(s.Selector, path.Child("selector"))...)
	errs = append(errs, supported(path.Child("sessionAffinity"), s.SessionAffinity, corev1.ServiceAffinityClientIP, corev1.ServiceAffinityNone)...)
	if s.SessionAffinity == corev1.ServiceAffinityClientIP {
		errs = append(errs, validateAffinity(s.SessionAffinityConfig, path.Child("sessionAffinityConfig"))...)
	}
	errs = append(errs, supported(path.Child("type"), s.Type, corev1.ServiceTypeClusterIP, corev1.ServiceTypeExternalName,
		corev1.ServiceTypeLoadBalancer, corev1.ServiceTypeNodePort)...)
	return append(errs, validateServiceAnnotations(&o.ObjectMeta)...)
}

func validateAffinity(c *corev1.SessionAffinityConfig, path *field.Path) field.ErrorList {
	const day = 24 * 60 * 60
	timeout := *c.ClientIP.TimeoutSeconds
	if timeout > 0 && timeout <= day {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("clientIP", "timeoutSeconds"), timeout,
		fmt.Sprintf("must be greater than 0 and less than %d", day))}
}

func validateServicePorts(s *corev1.ServiceSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	names, ports, nodePorts := map[string]bool{}, map[corev1.ServicePort]bool{}, map[corev1.ServicePort]bool{}
	for i := range s.Ports {
		p, at := &s.Ports[i], path.Index(i)
		errs = append(errs, validateServicePort(p, len(s.Ports) > 1, names, at)...)
		if s.Type == corev1.ServiceTypeClusterIP && p.NodePort != 0 {
			errs = append(errs, field.Forbidden(at.Child("nodePort"), "may not be used when `type` is 'ClusterIP'"))
		}
		if key := (corev1.ServicePort{Protocol: p.Protocol, NodePort: p.NodePort}); p.NodePort != 0 {
			if nodePorts[key] {
				errs = append(errs, field.Duplicate(at.Child("nodePort"), p.NodePort))
			}
			nodePorts[key] = true
		}
		key := corev1.ServicePort{Protocol: p.Protocol, Port: p.Port}
		if ports[key] {
			errs = append(errs, field.Duplicate(at, key))
		}
		ports[key] = true
	}
	return errs
}

func validateServicePort(p *corev1.ServicePort, needsName bool, names map[string]bool, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if needsName || p.Name != "" {
		errs = validateLabelName(path.Child("name"), p.Name)
	}
	if names[p.Name] && p.Name != "" {
		errs = append(errs, field.Duplicate(path.Child("name"), p.Name))
	}
	names[p.Name] = true
	errs = append(errs, invalid(path.Child("port"), p.Port, utilvalidation.IsValidPortNum(int(p.Port)))...)
	errs = append(errs, validateProtocol(p.Protocol, path.Child("protocol"))...)
	errs = append(errs, validatePort(p.TargetPort, path.Child("targetPort"))...)
	if p.AppProtocol != nil {
		errs = append(errs, invalid(path.Child("appProtocol"), *p.AppProtocol, utilvalidation.IsQualifiedName(*p.AppProtocol))...)
	}
	return errs
}
