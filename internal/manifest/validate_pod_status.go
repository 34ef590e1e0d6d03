package manifest

import (
	"fmt"
	"net"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	utilvalidation "k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// validatePodStatus has what the API server looks into of a Pod's status. That is less than one may
// think: no number of restarts is wrong, and no name of a container.
func validatePodStatus(old, new *corev1.Pod, path *field.Path) field.ErrorList {
	errs := validatePodConditions(new.Status.Conditions, path.Child("conditions"))
	errs = append(errs, validateNomination(old, new, path.Child("nominatedNodeName"))...)
	if n := new.Status.ObservedGeneration; n < 0 {
		errs = append(errs, field.Invalid(path.Child("observedGeneration"), n, "must be a non-negative integer"))
	}
	errs = append(errs, immutable(old.Status.QOSClass, new.Status.QOSClass, path.Child("qosClass"))...)
	lists := containerStatuses(path, &old.Status, &new.Status)
	for _, l := range lists {
		errs = append(errs, validateEnds(l, &new.Spec)...)
	}
	for i, s := range new.Status.ResourceClaimStatuses {
		if !slices.ContainsFunc(new.Spec.ResourceClaims, func(c corev1.PodResourceClaim) bool { return c.Name == s.Name }) {
			errs = append(errs, field.Invalid(path.Child("resourceClaimStatuses").Index(i).Child("name"), s.Name, "must match the name of an entry in `spec.resourceClaims`"))
		}
	}
	errs = append(errs, validatePodIPs(&old.Status, &new.Status, path.Child("podIPs"))...)
	errs = append(errs, validateHostIPs(&old.Status, &new.Status, path.Child("hostIPs"))...)
	for _, l := range lists {
		errs = append(errs, validateUsers(l)...)
	}
	return errs
}

// validatePodConditions has the path of the API server, capital letter and all.
func validatePodConditions(conditions []corev1.PodCondition, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i, c := range conditions {
		at := path.Index(i)
		if c.ObservedGeneration < 0 {
			errs = append(errs, field.Invalid(at.Child("observedGeneration"), c.ObservedGeneration, "must be a non-negative integer"))
		}
		errs = append(errs, invalid(at.Child("Type"), string(c.Type), utilvalidation.IsQualifiedName(string(c.Type)))...)
	}
	return errs
}

// validateNomination is about a node that a scheduler has in mind.
func validateNomination(old, new *corev1.Pod, path *field.Path) field.ErrorList {
	name := new.Status.NominatedNodeName
	if name == "" || name == old.Status.NominatedNodeName {
		return nil
	}
	errs := invalid(path, name, validation.NameIsDNSSubdomain(name, false))
	if old.Spec.NodeName != "" {
		errs = append(errs, field.Forbidden(path, "may not be set on pods that are already bound to a node"))
	}
	return errs
}

// statusList is one of the three lists of containers' statuses.
type statusList struct {
	path     *field.Path
	old, new []corev1.ContainerStatus
	again    bool // they may be started again
}

func containerStatuses(path *field.Path, old, new *corev1.PodStatus) []statusList {
	return []statusList{
		{path.Child("containerStatuses"), old.ContainerStatuses, new.ContainerStatuses, true},
		{path.Child("initContainerStatuses"), old.InitContainerStatuses, new.InitContainerStatuses, true},
		{path.Child("ephemeralContainerStatuses"), old.EphemeralContainerStatuses, new.EphemeralContainerStatuses, false},
	}
}

// validateEnds refuses that a container which has ended for good runs again.
func validateEnds(l statusList, spec *corev1.PodSpec) field.ErrorList {
	var errs field.ErrorList
	containers := slices.Concat(spec.InitContainers, spec.Containers)
	if l.again && slices.ContainsFunc(containers, endsOthers) {
		return nil
	}
	for i, before := range l.old {
		now := slices.IndexFunc(l.new, func(s corev1.ContainerStatus) bool { return s.Name == before.Name })
		if before.State.Terminated == nil || now < 0 || l.new[now].State.Terminated != nil {
			continue
		}
		at := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == before.Name })
		if !l.again || at < 0 || !startsAgain(&containers[at], spec.RestartPolicy, before.State.Terminated.ExitCode) {
			errs = append(errs, field.Forbidden(l.path.Index(i).Child("state"), "may not be transitioned to non-terminated state"))
		}
	}
	return errs
}

// endsOthers reports whether an exit of a container can start all of them again.
func endsOthers(c corev1.Container) bool {
	return slices.ContainsFunc(c.RestartPolicyRules, func(r corev1.ContainerRestartRule) bool {
		return r.Action == corev1.ContainerRestartRuleActionRestartAllContainers
	})
}

// startsAgain reports whether a container may run again after it has exited with a code.
func startsAgain(c *corev1.Container, policy corev1.RestartPolicy, code int32) bool {
	if c.RestartPolicy != nil {
		if slices.ContainsFunc(c.RestartPolicyRules, func(r corev1.ContainerRestartRule) bool { return matchesExit(r.ExitCodes, code) }) {
			return true
		}
		policy = corev1.RestartPolicy(*c.RestartPolicy)
	}
	return policy == corev1.RestartPolicyAlways || policy == corev1.RestartPolicyOnFailure && code != 0
}

func matchesExit(r *corev1.ContainerRestartRuleOnExitCodes, code int32) bool {
	return r != nil && slices.Contains(r.Values, code) == (r.Operator == corev1.ContainerRestartRuleOnExitCodesOpIn)
}

// validateUsers is about the numbers of users and groups of containers.
func validateUsers(l statusList) field.ErrorList {
	var errs field.ErrorList
	for i, s := range l.new {
		if s.User == nil || s.User.Linux == nil {
			continue
		}
		path, user := l.path.Index(i).Child("user", "linux"), s.User.Linux
		errs = append(errs, invalid(path.Child("uid"), user.UID, utilvalidation.IsValidUserID(user.UID))...)
		errs = append(errs, invalid(path.Child("gid"), user.GID, utilvalidation.IsValidGroupID(user.GID))...)
		for g, group := range user.SupplementalGroups {
			errs = append(errs, invalid(path.Child("supplementalGroups").Index(g), group, utilvalidation.IsValidGroupID(group))...)
		}
	}
	return errs
}

// ip is an address as the API server prints it in a list.
type ip struct{ IP string }

// validatePodIPs takes podIP, which old kubelets write alone, for the first one.
func validatePodIPs(old, new *corev1.PodStatus, path *field.Path) field.ErrorList {
	var before, now []ip
	for _, p := range old.PodIPs {
		before = append(before, ip(p))
	}
	for _, p := range new.PodIPs {
		now = append(now, ip(p))
	}
	if new.PodIP != "" && (len(now) == 0 || now[0].IP != new.PodIP) {
		now = []ip{{new.PodIP}}
	}
	return validateIPs(before, now, path)
}

func validateHostIPs(old, new *corev1.PodStatus, path *field.Path) field.ErrorList {
	var before, now []ip
	for _, p := range old.HostIPs {
		before = append(before, ip(p))
	}
	for _, p := range new.HostIPs {
		now = append(now, ip(p))
	}
	var errs field.ErrorList
	if len(now) > 0 && now[0].IP != new.HostIP {
		errs = append(errs, field.Invalid(path.Index(0).Child("ip"), now[0].IP, "must be equal to `hostIP`"))
	}
	return append(errs, validateIPs(before, now, path)...)
}

// validateIPs wants at most one address of each family; one that was there may stay, whatever it
// is.
func validateIPs(old, new []ip, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	var known []string
	for _, o := range old {
		known = append(known, o.IP)
	}
	var families [2]int
	var unreadable error
	for i, n := range new {
		errs = append(errs, utilvalidation.IsValidIPForLegacyField(path.Index(i), n.IP, false, known)...)
		switch parsed := net.ParseIP(n.IP); {
		case parsed == nil && unreadable == nil:
			unreadable = fmt.Errorf("invalid IP[%d]: %v", i, n.IP)
		case parsed.To4() != nil:
			families[0]++
		default:
			families[1]++
		}
	}
	if len(new) < 2 {
		return errs
	}
	if unreadable != nil {
		errs = append(errs, field.InternalError(path, fmt.Errorf("failed to check for dual stack with error:%w", unreadable)))
	}
	if families != [2]int{1, 1} {
		errs = append(errs, field.Invalid(path, new, "may specify no more than one IP for each IP family"))
	}
	return errs
}
