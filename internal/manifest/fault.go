package manifest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// A FaultKind is what stands between a Pod and who connects to it.
type FaultKind string

// The kinds of faults.
const (
	FaultSlow    FaultKind = "slow"    // what the Pod says comes later
	FaultRefuse  FaultKind = "refuse"  // connections are refused, as if nobody listened
	FaultUnready FaultKind = "unready" // readiness probes fail, all else works
)

// maxDelay is the longest delay of a fault: longer than any client waits.
const maxDelay = 10 * time.Minute

// A Fault is the value of [AnnotationFault]. It is comparable; the zero value is no fault.
type Fault struct {
	Kind FaultKind
	// Delay is how much later everything comes that the Pod says. Of FaultSlow only.
	Delay time.Duration
}

// ParseFault reads the value of [AnnotationFault]: "slow=2s", "refuse" or "unready".
func ParseFault(value string) (Fault, error) {
	word, argument, has := strings.Cut(value, "=")
	switch kind := FaultKind(word); {
	case kind == FaultSlow:
		delay, err := time.ParseDuration(argument)
		if err != nil || delay <= 0 || delay > maxDelay {
			return Fault{}, errors.New("must be a time above 0 and at most 10m after slow=, as in slow=2s or slow=500ms")
		}
		return Fault{kind, delay}, nil
	case has && isFault(word):
		return Fault{}, fmt.Errorf("must be %s alone: only slow takes a time", word)
	case isFault(word):
		return Fault{Kind: kind}, nil
	}
	if where := faultElsewhere(word); where != "" {
		return Fault{}, errors.New("must be slow=2s, refuse or unready: " + where)
	}
	text := "must be slow=2s, refuse or unready, and a Pod without the annotation has no fault"
	if guess := Closest(word, []string{string(FaultSlow), string(FaultRefuse), string(FaultUnready)}); guess != "" {
		text += ", did you mean " + guess + "?"
	}
	return Fault{}, errors.New(text)
}

// faultElsewhere says what can be done with a word that is a fault of another command; "" if it is
// none.
func faultElsewhere(word string) string {
	word, _, _ = strings.Cut(word, ":") // as in dependency-outage:db
	switch word {
	case "hang", "kill", "crash":
		return word + " happens to processes, so send them a signal"
	case "stop", "rollout":
		return word + " happens to Pods, so delete one, or use probity rollout restart"
	case "gc-stall", "deadlock", "fds", "memory", "disk-full", "throttle", "dependency-outage", "dns", "pool", "held", "overload", "slow-start":
		return "probity drill injects " + word + ", into a run of its own"
	case "errors", "kubelet-restart", "crash-loop", "flap":
		return "only probity simulate has " + word
	}
	return ""
}

func isFault(word string) bool {
	return slices.Contains([]FaultKind{FaultSlow, FaultRefuse, FaultUnready}, FaultKind(word))
}

// String is the value of the annotation.
func (f Fault) String() string {
	if f.Kind == FaultSlow {
		return string(f.Kind) + "=" + f.Delay.String()
	}
	return string(f.Kind)
}

// FaultOf is the fault that a Pod is to have, the zero value if none. A value that is not valid was
// refused when the object was written.
func FaultOf(pod *corev1.Pod) Fault {
	value, ok := pod.Annotations[AnnotationFault]
	if !ok {
		return Fault{}
	}
	fault, _ := ParseFault(value)
	return fault
}

// validateFault checks the fault of a Pod.
func validateFault(meta *metav1.ObjectMeta, spec *corev1.PodSpec) field.ErrorList {
	value, ok := meta.Annotations[AnnotationFault]
	if !ok {
		return nil
	}
	fault, err := ParseFault(value)
	if err == nil && fault.Kind == FaultUnready {
		err = checkCanBeUnready(spec)
	}
	if err != nil {
		return field.ErrorList{field.Invalid(field.NewPath("metadata", "annotations").Key(AnnotationFault), value, err.Error())}
	}
	return nil
}

// checkCanBeUnready returns an error unless there is a readiness probe to stand in the way of.
func checkCanBeUnready(spec *corev1.PodSpec) error {
	why := "the Pod has no readiness probe"
	for _, c := range slices.Concat(spec.Containers, spec.InitContainers) {
		switch p := c.ReadinessProbe; {
		case p == nil:
		case p.Exec == nil:
			return nil
		default:
			why = "the readiness probe of the Pod is a command, with which nothing can interfere"
		}
	}
	return errors.New(why + ": unready needs one over the network")
}

// refuseFaultOfTemplate finds a fault in a template. path is that of the template's metadata.
func refuseFaultOfTemplate(meta *metav1.ObjectMeta, path *field.Path) field.ErrorList {
	if _, ok := meta.Annotations[AnnotationFault]; !ok {
		return nil
	}
	return field.ErrorList{field.Forbidden(path.Child("annotations").Key(AnnotationFault),
		"a template with a fault would never become healthy, and a rollout would bring the fault again; annotate a Pod that runs: kubectl annotate pod NAME "+AnnotationFault+"=refuse")}
}

// warnOfFault warns of a fault in a manifest.
func warnOfFault(r Resource) []Warning {
	pod, ok := r.(*corev1.Pod)
	if !ok || FaultOf(pod) == (Fault{}) {
		return nil
	}
	return []Warning{{keyPath("metadata.annotations", AnnotationFault), "the Pod has this fault from its start until the annotation is removed; a cluster ignores it"}}
}
