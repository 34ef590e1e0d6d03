package view

import (
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/workload"
)

// LastWords are the last lines of instances that have ended, by Pod and container.
type LastWords map[Instance]string

// Instance names a container of a Pod.
type Instance struct {
	Pod       string // namespace/name
	Container string
}

// InstanceOf names a container.
func InstanceOf(pod *corev1.Pod, container string) Instance {
	return Instance{pod.Namespace + "/" + pod.Name, container}
}

// Diagnose says of a Pod how it is and why, by what the API tells: less than the run itself knows,
// which saw every attempt.
func Diagnose(s *kube.Snapshot, pod *corev1.Pod, words LastWords, now time.Time) diagnosis.Diagnosis {
	f := diagnosis.Facts{Now: now, Pod: pod, Containers: map[string]diagnosis.Container{}, Workload: workloadOf(s, pod), Services: servicesOf(s, pod)}
	f.Style = diagnosis.Style{NoKeys: true, Log: s.CommandFor("logs", pod)}
	f.HasService = func(name string) bool {
		return slices.ContainsFunc(s.Services, func(svc corev1.Service) bool { return svc.Namespace == pod.Namespace && svc.Name == name })
	}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		known := node.Annotated(pod, c)
		known.LastWords = words[InstanceOf(pod, c.Name)]
		f.Containers[c.Name] = known
	}
	f.Probes = probesOf(pod, s.Report(pod))
	return diagnosis.Of(f)
}

func workloadOf(s *kube.Snapshot, pod *corev1.Pod) diagnosis.Workload {
	owner := s.OwnerOf(pod)
	if owner == nil {
		return diagnosis.Workload{}
	}
	w := diagnosis.Workload{Kind: kindName(owner), Name: owner.GetName()}
	switch o := owner.(type) {
	case *appsv1.Deployment:
		w.MinReady = time.Duration(o.Spec.MinReadySeconds) * time.Second
	case *appsv1.StatefulSet:
		w.MinReady = time.Duration(o.Spec.MinReadySeconds) * time.Second
	case *appsv1.ReplicaSet:
		w.MinReady = time.Duration(o.Spec.MinReadySeconds) * time.Second
	case *appsv1.DaemonSet:
		w.MinReady = time.Duration(o.Spec.MinReadySeconds) * time.Second
	}
	if progress, ok := workload.ProgressOf(owner); ok {
		w.Desired = int(progress.Desired)
	}
	for _, p := range s.PodsOf(owner) {
		if _, ready := workload.ReadySince(p); ready && p.DeletionTimestamp == nil {
			w.Ready++
		}
	}
	return w
}

func kindName(object metav1.Object) string {
	switch object.(type) {
	case *appsv1.Deployment:
		return "Deployment"
	case *appsv1.StatefulSet:
		return "StatefulSet"
	case *appsv1.DaemonSet:
		return "DaemonSet"
	case *batchv1.Job:
		return "Job"
	}
	return "ReplicaSet"
}

func servicesOf(s *kube.Snapshot, pod *corev1.Pod) (names []string) {
	for i := range s.Services {
		if slices.ContainsFunc(s.PodsOf(&s.Services[i]), func(p *corev1.Pod) bool { return p.UID == pod.UID }) {
			names = append(names, s.Services[i].Name)
		}
	}
	slices.Sort(names)
	return names
}

// probesOf are the probes of a Pod, by what they found last.
func probesOf(pod *corev1.Pod, report *node.ProbeReport) (probes []diagnosis.Probe) {
	if report == nil {
		return nil
	}
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if status.State.Running == nil {
			continue // what they found was said of another instance
		}
		for _, t := range []lifecycle.ProbeType{lifecycle.Startup, lifecycle.Readiness, lifecycle.Liveness} {
			i := slices.IndexFunc(report.Probes, func(r node.ProbeRecord) bool { return r.Container == status.Name && r.Type == t })
			if i >= 0 {
				probes = append(probes, probeOf(pod, &status, &report.Probes[i]))
			}
		}
	}
	return probes
}

func probeOf(pod *corev1.Pod, status *corev1.ContainerStatus, r *node.ProbeRecord) diagnosis.Probe {
	p := diagnosis.Probe{
		Container: r.Container, Type: r.Type, At: r.Time.Time, Took: r.Latency, Output: r.Output, Run: r.Run, Threshold: r.Threshold,
		Failed: r.Outcome == "failure", Unevaluated: r.Outcome == "error",
		Passing: r.Result == lifecycle.ResultSuccess, Known: r.Result != lifecycle.ResultUnknown,
	}
	p.Over = r.Type == lifecycle.Startup && status.Started != nil && *status.Started
	p.EverPassed = p.Passing || r.Type == lifecycle.Readiness && wasReady(pod, status)
	if p.Failed && r.Result == lifecycle.ResultFailure {
		p.FailingSince = readyChanged(pod)
	}
	return p
}

// wasReady reports whether a Pod that is not ready was so since a container started.
func wasReady(pod *corev1.Pod, status *corev1.ContainerStatus) bool {
	return readyChanged(pod).After(status.State.Running.StartedAt.Time)
}

func readyChanged(pod *corev1.Pod) time.Time {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
