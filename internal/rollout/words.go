package rollout

import (
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// maxText is how many bytes of a text of others are shown.
const maxText = 600

// clean is a text of others on one line, without what a terminal or a CI system obeys, and without
// its middle if it is long.
func clean(text string) string {
	return printable.Inert(strings.Join(strings.Fields(printable.CutMiddle(printable.Text(text), maxText)), " "))
}

// times is a number of times: "once", "4 times".
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// plural is a number of things.
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// verb is the verb for a number of things.
func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// seconds is a number of them in a manifest, which may be any.
func seconds(n int32) time.Duration { return time.Duration(max(n, 0)) * time.Second }

// span is a time within a sentence, in whole seconds.
func span(d time.Duration) string { return diagnosis.Span(max(d, 0).Truncate(time.Second)) }

// since is for how long something lasts: " since 41 s"; "" if nobody knows or it is too short.
func (s *scene) since(t time.Time) string {
	if t.IsZero() || s.Now.Sub(t) < time.Second {
		return ""
	}
	return " since " + span(s.Now.Sub(t))
}

// objectOf names a workload.
func objectOf(o metav1.Object) Object {
	if o == nil {
		return Object{}
	}
	kind, version := "", ""
	switch o.(type) {
	case *appsv1.Deployment:
		kind, version = "Deployment", "apps/v1"
	case *appsv1.StatefulSet:
		kind, version = "StatefulSet", "apps/v1"
	case *appsv1.DaemonSet:
		kind, version = "DaemonSet", "apps/v1"
	case *appsv1.ReplicaSet:
		kind, version = "ReplicaSet", "apps/v1"
	case *batchv1.Job:
		kind, version = "Job", "batch/v1"
	case *batchv1.CronJob:
		kind, version = "CronJob", "batch/v1"
	case *corev1.Pod:
		kind, version = "Pod", "v1"
	}
	return Object{version, kind, printable.Line(o.GetNamespace()), printable.Line(o.GetName())}
}

// String is "deployment shop/web".
func (o Object) String() string { return strings.ToLower(o.Kind) + " " + o.path() }

// Resource is "deployment/web", as kubectl takes it.
func (o Object) Resource() string { return strings.ToLower(o.Kind) + "/" + o.Name }

func (o Object) path() string {
	if o.Namespace == "" {
		return o.Name
	}
	return o.Namespace + "/" + o.Name
}

// kubectl is a command for the namespace of the workload.
func (s *scene) kubectl(command string) string {
	if ns := s.Workload.GetNamespace(); ns != "" {
		return clean("kubectl -n " + ns + " " + command)
	}
	return clean("kubectl " + command)
}

// statuses are those of the containers of a Pod that it starts with: init containers first.
func statuses(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

// containerOf is a container of a Pod by its name, nil if it has none of it; init says that it has
// to end before the others start.
func containerOf(p *corev1.Pod, name string) (c *corev1.Container, init bool) {
	for i, c := range lifecycle.Containers(&p.Spec) {
		if c.Name == name {
			return c, i < len(p.Spec.InitContainers) && !isSidecar(c)
		}
	}
	return nil, false
}

func isSidecar(c *corev1.Container) bool {
	return c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
}

// condition is that of a Pod of a type; nil if it has none.
func condition(p *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == t {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

// sorted is a list in its order.
func sorted(all []string) []string {
	slices.Sort(all)
	return all
}
