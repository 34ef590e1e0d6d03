package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// handlers checks a container's probes and hooks.
func (v *containerValidator) handlers(c *corev1.Container, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if c.Lifecycle != nil {
		at := path.Child("lifecycle")
		errs = append(errs, v.hook(c.Lifecycle.PostStart, at.Child("postStart"))...)
		errs = append(errs, v.hook(c.Lifecycle.PreStop, at.Child("preStop"))...)
	}
	if p, at := c.LivenessProbe, path.Child("livenessProbe"); p != nil {
		errs = append(errs, v.probe(p, at)...)
		errs = append(errs, successOnce(p, at)...)
	}
	if p, at := c.ReadinessProbe, path.Child("readinessProbe"); p != nil {
		errs = append(errs, v.probe(p, at)...)
		if p.TerminationGracePeriodSeconds != nil { // R182
			errs = append(errs, field.Invalid(at.Child("terminationGracePeriodSeconds"), *p.TerminationGracePeriodSeconds, "must not be set for readinessProbes"))
		}
	}
	if p, at := c.StartupProbe, path.Child("startupProbe"); p != nil {
		errs = append(errs, v.probe(p, at)...)
		errs = append(errs, successOnce(p, at)...)
	}
	return errs
}

// successOnce is R181.
func successOnce(p *corev1.Probe, path *field.Path) field.ErrorList {
	if p.SuccessThreshold == 1 {
		return nil
	}
	return field.ErrorList{field.Invalid(path.Child("successThreshold"), p.SuccessThreshold, "must be 1")}
}

func (v *containerValidator) probe(p *corev1.Probe, path *field.Path) field.ErrorList {
	h := p.ProbeHandler
	errs := v.handler(handler{h.Exec, h.HTTPGet, h.TCPSocket, h.GRPC, nil}, path)
	errs = append(errs, nonNegative(path.Child("initialDelaySeconds"), p.InitialDelaySeconds)...)
	errs = append(errs, nonNegative(path.Child("timeoutSeconds"), p.TimeoutSeconds)...)
	errs = append(errs, nonNegative(path.Child("periodSeconds"), p.PeriodSeconds)...)
	errs = append(errs, nonNegative(path.Child("successThreshold"), p.SuccessThreshold)...)
	errs = append(errs, nonNegative(path.Child("failureThreshold"), p.FailureThreshold)...)
	if grace := p.TerminationGracePeriodSeconds; grace != nil && *grace <= 0 { // R180
		errs = append(errs, field.Invalid(path.Child("terminationGracePeriodSeconds"), *grace, "must be greater than 0"))
	}
	return errs
}

func (v *containerValidator) hook(h *corev1.LifecycleHandler, path *field.Path) field.ErrorList {
	if h == nil {
		return nil
	}
	return v.handler(handler{h.Exec, h.HTTPGet, h.TCPSocket, nil, h.Sleep}, path)
}

// handler is what a probe or a hook may do.
type handler struct {
	exec      *corev1.ExecAction
	httpGet   *corev1.HTTPGetAction
	tcpSocket *corev1.TCPSocketAction
	grpc      *corev1.GRPCAction
	sleep     *corev1.SleepAction
}

// handler is R183: exactly one, and only the first is looked into.
func (v *containerValidator) handler(h handler, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	count := 0
	for _, action := range []struct {
		name  string
		set   bool
		check func(*field.Path) field.ErrorList
	}{
		{"exec", h.exec != nil, h.validateExec},
		{"httpGet", h.httpGet != nil, h.validateHTTPGet},
		{"tcpSocket", h.tcpSocket != nil, h.validateTCPSocket},
		{"grpc", h.grpc != nil, h.validateGRPC},
		{"sleep", h.sleep != nil, func(path *field.Path) field.ErrorList { return v.sleep(h.sleep, path) }},
	} {
		if !action.set {
			continue
		}
		if count++; count > 1 {
			errs = append(errs, field.Forbidden(path.Child(action.name), "may not specify more than 1 handler type"))
			continue
		}
		errs = append(errs, action.check(path.Child(action.name))...)
	}
	if count == 0 {
		errs = append(errs, field.Required(path, "must specify a handler type"))
	}
	return errs
}

// validateExec is R184.
func (h handler) validateExec(path *field.Path) field.ErrorList {
	if len(h.exec.Command) == 0 {
		return field.ErrorList{field.Required(path.Child("command"), "")}
	}
	return nil
}

// validateHTTPGet is R185 to R187.
func (h handler) validateHTTPGet(path *field.Path) field.ErrorList {
	errs := validatePort(h.httpGet.Port, path.Child("port"))
	errs = append(errs, supported(path.Child("scheme"), h.httpGet.Scheme, corev1.URISchemeHTTP, corev1.URISchemeHTTPS)...)
	for _, header := range h.httpGet.HTTPHeaders {
		errs = append(errs, invalid(path.Child("httpHeaders"), header.Name, utilvalidation.IsHTTPHeaderName(header.Name))...)
	}
	return errs
}

func (h handler) validateTCPSocket(path *field.Path) field.ErrorList {
	return validatePort(h.tcpSocket.Port, path.Child("port"))
}

func (h handler) validateGRPC(path *field.Path) field.ErrorList {
	return validatePort(intstr.FromInt32(h.grpc.Port), path.Child("port"))
}

// sleep is R188. Its text says less than, its rule is not more than.
func (v *containerValidator) sleep(s *corev1.SleepAction, path *field.Path) field.ErrorList {
	if s.Seconds >= 0 && s.Seconds <= v.grace {
		return nil
	}
	return field.ErrorList{field.Invalid(path, s.Seconds,
		fmt.Sprintf("must be non-negative and less than terminationGracePeriodSeconds (%d)", v.grace))}
}

// validatePort is R185: a number or a name, never a number in quotes.
func validatePort(port intstr.IntOrString, path *field.Path) field.ErrorList {
	if port.Type == intstr.String {
		return invalid(path, port.StrVal, utilvalidation.IsValidPortName(port.StrVal))
	}
	return invalid(path, port.IntVal, utilvalidation.IsValidPortNum(int(port.IntVal)))
}
