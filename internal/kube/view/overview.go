package view

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/workload"
)

// Row is one object of an overview. It is also what -o json prints.
type Row struct {
	Kind      string    `json:"kind"`
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	State     string    `json:"state"`
	Ready     int       `json:"ready"` // Pods of a workload or Service, containers of a Pod
	Desired   int       `json:"desired"`
	Restarts  int       `json:"restarts"`
	Created   time.Time `json:"created"`
	// Processes are the process numbers of the containers of a Pod that run; a cluster tells none.
	Processes map[string]int `json:"processes,omitempty"`
	// Addresses are where a Service is served.
	Addresses []string `json:"addresses,omitempty"`
	// Why is why it is not as it is meant, "" if it is.
	Why string `json:"why,omitempty"`
	// Part says that it is a Pod of the workload above it.
	Part bool `json:"-"`
}

// The states of what is no Pod.
const (
	stateReady   = string(diagnosis.Ready)
	stateNoReady = string(diagnosis.NotReady)
	stateRolling = "Rolling"
	stateStuck   = "Stuck"
	stateRunning = "Running" // of a Job
	stateUntold  = "–"       // what a cluster does not tell
)

// Overview is what there is: Services, then workloads with their Pods, then Pods of their own.
func Overview(s *kube.Snapshot, words LastWords, now time.Time) []Row {
	rows := []Row{} // programs read a list also if there is nothing
	objects := s.Objects()
	for _, o := range objects {
		if service, ok := o.(*corev1.Service); ok {
			rows = append(rows, serviceRow(s, service))
		}
	}
	owned := map[string]bool{}
	for _, o := range s.Workloads() {
		var pods []Row
		for _, pod := range s.PodsOf(o) {
			owned[string(pod.UID)] = true
			pods = append(pods, podRow(s, pod, words, now))
		}
		rows = append(append(rows, workloadRow(o, pods)), parts(pods)...)
	}
	for _, o := range objects {
		if pod, ok := o.(*corev1.Pod); ok && !owned[string(pod.UID)] {
			rows = append(rows, podRow(s, pod, words, now))
		}
	}
	return rows
}

func parts(pods []Row) []Row {
	for i := range pods {
		pods[i].Part = true
	}
	return pods
}

func newRow(o metav1.Object) Row {
	return Row{Kind: kube.RefTo(o).Kind.Singular, Namespace: o.GetNamespace(), Name: o.GetName(), Created: o.GetCreationTimestamp().Time}
}

func serviceRow(s *kube.Snapshot, o *corev1.Service) Row {
	r := newRow(o)
	for _, pod := range s.PodsOf(o) {
		r.Desired++
		if _, ready := workload.ReadySince(pod); ready && pod.DeletionTimestamp == nil && !manifest.OutOfRotation(pod) {
			r.Ready++
		}
	}
	r.Addresses = Addresses(o)
	r.State = stateReady
	switch {
	case s.Silent && o.Spec.Type == corev1.ServiceTypeExternalName:
		r.State, r.Why = stateUntold, "it is another name of "+printable.Line(o.Spec.ExternalName)
	case s.Silent && len(o.Spec.Selector) == 0: // as the API server's own Service
		r.State, r.Why = stateUntold, "it has no selector: others say where it leads"
	case len(o.Spec.Selector) == 0:
		r.State, r.Why = stateNoReady, "it has no selector, so it has no Pods"
	case r.Desired == 0:
		r.State, r.Why = stateNoReady, "it selects no Pod"
	case r.Ready == 0:
		r.State, r.Why = stateNoReady, "none of its Pods is ready"
	case o.Annotations[manifest.AnnotationUnnamed] != "":
		r.Why = printable.Line(o.Annotations[manifest.AnnotationUnnamed])
	}
	return r
}

// Addresses are where the ports of a Service are served: what the proxy of a run says of them, or
// where a cluster has them. HTTP ports are URLs.
func Addresses(o *corev1.Service) (all []string) {
	for _, port := range o.Spec.Ports {
		address := o.Annotations[manifest.AnnotationAddress+strconv.Itoa(int(port.Port))]
		if address == "" && o.Spec.ClusterIP != "" && o.Spec.ClusterIP != corev1.ClusterIPNone {
			address = o.Spec.ClusterIP + ":" + strconv.Itoa(int(port.Port))
		}
		if address == "" {
			continue
		}
		if isHTTP(&port) {
			address = "http://" + address
		}
		all = append(all, printable.Line(address))
	}
	return all
}

func isHTTP(port *corev1.ServicePort) bool {
	protocol := port.Name
	if port.AppProtocol != nil {
		protocol = *port.AppProtocol
	}
	name, _, _ := strings.Cut(protocol, "-")
	return name == "http"
}

func workloadRow(o metav1.Object, pods []Row) Row {
	if job, ok := o.(*batchv1.Job); ok {
		return jobRow(job, pods)
	}
	r := newRow(o)
	progress, _ := workload.ProgressOf(o)
	r.Ready, r.Desired, r.State = int(progress.Available), int(progress.Desired), stateReady
	for _, pod := range pods {
		r.Restarts += pod.Restarts
	}
	switch {
	case progress.Complete:
	case progress.Stuck != "":
		r.State, r.Why = stateStuck, printable.Line(progress.Stuck)
	case progress.Changed || progress.Updated < progress.Desired:
		r.State, r.Why = stateRolling, fmt.Sprintf("%d of %d updated", progress.Updated, progress.Desired)
	default:
		r.State = stateNoReady
	}
	return r
}

// jobRow counts the Pods of a Job that have succeeded where others count what is available.
func jobRow(o *batchv1.Job, pods []Row) Row {
	r := newRow(o)
	r.Ready, r.Desired, r.State = int(o.Status.Succeeded), 1, stateRunning
	if o.Spec.Completions != nil {
		r.Desired = int(*o.Spec.Completions)
	}
	for _, pod := range pods {
		r.Restarts += pod.Restarts
	}
	if o.Spec.Suspend != nil && *o.Spec.Suspend {
		r.State, r.Why = string(diagnosis.Stopped), "it is suspended"
	}
	for _, c := range o.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			r.State, r.Why = string(diagnosis.Complete), ""
		case c.Type == batchv1.JobFailed:
			r.State, r.Why = string(diagnosis.Failed), oneLine(c.Message)
		}
	}
	return r
}

func podRow(s *kube.Snapshot, pod *corev1.Pod, words LastWords, now time.Time) Row {
	r, d := newRow(pod), Diagnose(s, pod, words, now)
	r.Desired, r.State = len(pod.Spec.Containers), string(d.State)
	for _, status := range pod.Status.ContainerStatuses {
		r.Restarts += int(status.RestartCount)
		if status.Ready {
			r.Ready++
		}
	}
	r.Why = d.Reason
	if !s.Silent {
		r.Processes = processesOf(pod)
	}
	return r
}

func processesOf(pod *corev1.Pod) map[string]int {
	all := map[string]int{}
	for _, c := range lifecycle.Containers(&pod.Spec) {
		if pid := node.Annotated(pod, c).PID; pid != 0 {
			all[c.Name] = pid
		}
	}
	return all
}

// Text lays an overview out as a table, of a width that is not 0.
func Text(rows []Row, now time.Time, width int) string { return text(rows, now, width, false) }

// TextByNamespace is [Text] with a column for the namespaces.
func TextByNamespace(rows []Row, now time.Time, width int) string {
	return text(rows, now, width, true)
}

func text(rows []Row, now time.Time, width int, namespaces bool) string {
	cells := [][]string{{"NAME", "STATE", "READY", "RESTARTS", "AGE", "ADDRESS"}}
	if namespaces {
		cells[0] = append([]string{"NAMESPACE"}, cells[0]...)
	}
	for _, r := range rows {
		restarts := strconv.Itoa(r.Restarts)
		if r.Kind == kube.Services.Singular {
			restarts = ""
		}
		text := strings.Join(r.Addresses, ", ")
		if r.Why != "" {
			text = strings.TrimPrefix(text+"; "+r.Why, "; ")
		}
		line := []string{r.ref(!namespaces), r.State, fmt.Sprintf("%d/%d", r.Ready, r.Desired), restarts, diagnosis.Age(now.Sub(r.Created)), text}
		if namespaces {
			line = append([]string{printable.Line(r.Namespace)}, line...)
		}
		cells = append(cells, line)
	}
	return Table(cells, width)
}

// ref names the object of a row, a Pod of a workload below it, with its namespace if that does not
// stand beside it.
func (r Row) ref(namespace bool) string {
	name := r.Kind + "/" + r.Name
	if namespace && r.Namespace != corev1.NamespaceDefault {
		name = r.Namespace + "/" + name
	}
	if r.Part {
		return "  " + printable.Line(name)
	}
	return printable.Line(name)
}

// Summary is how many Pods are ready, in one word if all are. Those that are going do not count.
func Summary(rows []Row) string {
	pods, ready := 0, 0
	for _, r := range rows {
		if r.Kind != kube.Pods.Singular {
			continue
		}
		switch diagnosis.State(r.State) {
		case diagnosis.Stopping, diagnosis.Stopped:
			continue
		case diagnosis.Ready, diagnosis.Complete:
			ready++
		}
		pods++
	}
	switch {
	case pods == 0:
		return "no Pods"
	case ready == pods:
		return stateReady
	}
	return fmt.Sprintf("%d of %d Pods ready", ready, pods)
}
