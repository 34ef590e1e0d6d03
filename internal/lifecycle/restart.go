package lifecycle

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// restartable reports whether a container is restarted at all: what a probe kill asks, whatever the
// exit code (R120).
func restartable(pod corev1.RestartPolicy, c *corev1.Container) bool {
	if c.RestartPolicy != nil {
		return *c.RestartPolicy != corev1.ContainerRestartPolicyNever
	}
	return pod != corev1.RestartPolicyNever
}

// restartsAfter reports whether a container that ended by itself is restarted (R125, R173).
// Exit-code rules come first, then the container's own policy, then the Pod's.
func restartsAfter(pod corev1.RestartPolicy, c *corev1.Container, exitCode int32) bool {
	if ruleAction(c, exitCode) != "" { // both actions restart it
		return true
	}
	policy := pod
	if c.RestartPolicy != nil {
		policy = corev1.RestartPolicy(*c.RestartPolicy)
	}
	switch policy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return exitCode != 0
	default:
		return true
	}
}

// restarts reports whether an exited container is started again by its policy. That of a sidecar is
// Always (R173).
func (p *Pod) restarts(c *container) bool {
	policy := p.pod.Spec.RestartPolicy
	if c.init {
		policy = p.initPolicy()
	}
	return restartsAfter(policy, c.spec, c.exit.ExitCode)
}

// initPolicy is the restart policy of plain init containers: Always means OnFailure to them, as
// success is what they are for.
func (p *Pod) initPolicy() corev1.RestartPolicy {
	if p.pod.Spec.RestartPolicy == corev1.RestartPolicyNever {
		return corev1.RestartPolicyNever
	}
	return corev1.RestartPolicyOnFailure
}

// ruleAction is what the first matching rule of a container says about an exit code; "" if none
// does.
func ruleAction(c *corev1.Container, exitCode int32) corev1.ContainerRestartRuleAction {
	for _, rule := range c.RestartPolicyRules {
		if rule.ExitCodes != nil && matches(rule.ExitCodes, exitCode) {
			return rule.Action
		}
	}
	return ""
}

func matches(codes *corev1.ContainerRestartRuleOnExitCodes, exitCode int32) bool {
	in := slices.Contains(codes.Values, exitCode)
	return in == (codes.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}
