package view

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/workload"
)

// Description is what there is to say of one object.
type Description struct {
	// Snapshot has the object, and what belongs to it.
	Snapshot *kube.Snapshot
	Object   metav1.Object
	// Events are those of the object, the newest last.
	Events []*corev1.Event
	Words  LastWords
	Now    time.Time
	// Width of the terminal; 0 without one.
	Width int
}

// Text says what an object is and how it is: of a Pod why it is so and what to do next, of others
// which Pods they have.
func (d Description) Text() string {
	out := page{width: d.Width}
	at := kube.RefTo(d.Object)
	switch o := d.Object.(type) {
	case *corev1.Pod:
		d.pod(&out, o)
	case *corev1.Service:
		d.service(&out, o)
	default:
		d.workload(&out, d.Object)
	}
	if at.Kind != kube.Pods {
		d.pods(&out)
	}
	out.heading("Events")
	if len(d.Events) == 0 {
		out.line("  none within the last hour")
	} else {
		for line := range strings.Lines(Events(d.Events, d.Now, max(d.Width-2, 0))) {
			out.line("  " + strings.TrimSuffix(line, "\n"))
		}
	}
	return out.String()
}

// page is text of labelled values, of a width unless that is 0.
type page struct {
	strings.Builder
	width int
}

// labelWidth is how wide a label and what follows it are.
const labelWidth = 16

func (p *page) line(text string) { p.WriteString(strings.TrimRight(text, " ") + "\n") }

// put writes a labelled value, at a depth; an empty one is left out.
func (p *page) put(depth int, label, value string) {
	if value == "" {
		return
	}
	head := strings.Repeat("  ", depth) + printable.Pad(label+":", labelWidth-2*depth)
	for _, text := range wrapped(value, p.width-labelWidth) {
		p.line(head + text)
		head = strings.Repeat(" ", labelWidth)
	}
}

// minWrapped is the smallest width to which a value is wrapped.
const minWrapped = 20

// wrapped is a text on lines that fit a width, as far as its words do.
func wrapped(text string, width int) (lines []string) {
	if width < minWrapped {
		return []string{text}
	}
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && printable.Width(line+" "+word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func (p *page) heading(text string) { p.line(text + ":") }

// head is what every object has.
func (d *Description) head(out *page, state string) {
	at := kube.RefTo(d.Object)
	out.put(0, "Name", printable.Line(at.String()))
	out.put(0, "Namespace", printable.Line(at.Namespace))
	out.put(0, "State", state)
}

// origin is where an object comes from.
func (d *Description) origin(out *page) {
	created := d.Object.GetCreationTimestamp()
	out.put(0, "Labels", pairs(d.Object.GetLabels()))
	out.put(0, "Created", created.Local().Format("2006-01-02 15:04:05")+" ("+diagnosis.Age(d.Now.Sub(created.Time))+" ago)")
	if path := d.Object.GetAnnotations()[manifest.AnnotationManifest]; path != "" {
		out.put(0, "Manifest", printable.File(path))
	}
}

func pairs(all map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, name+"="+all[name])
	}
	return printable.Line(strings.Join(parts, ","))
}

func (d *Description) service(out *page, o *corev1.Service) {
	row := serviceRow(d.Snapshot, o)
	d.head(out, withWhy(row.State, row.Why))
	out.put(0, "Address", strings.Join(row.Addresses, ", "))
	for _, port := range o.Spec.Ports {
		text := fmt.Sprintf("%d/%s to %s of its Pods", port.Port, cmp.Or(port.Protocol, corev1.ProtocolTCP), port.TargetPort.String())
		out.put(0, "Port", printable.Line(strings.TrimSpace(port.Name+" "+text)))
	}
	out.put(0, "Selector", pairs(o.Spec.Selector))
	d.origin(out)
}

func withWhy(state, why string) string {
	if why == "" {
		return state
	}
	return state + ": " + why
}

func (d *Description) workload(out *page, o metav1.Object) {
	row := workloadRow(o, nil)
	d.head(out, withWhy(row.State, row.Why))
	if progress, ok := workload.ProgressOf(o); ok {
		out.put(0, "Replicas", fmt.Sprintf("%d desired, %d updated, %d available", progress.Desired, progress.Updated, progress.Available))
	}
	if job, ok := o.(*batchv1.Job); ok {
		out.put(0, "Completions", fmt.Sprintf("%d to complete, %d succeeded, %d active, %d failed", row.Desired, job.Status.Succeeded, job.Status.Active, job.Status.Failed))
	}
	if w, ok := o.(*appsv1.Deployment); ok {
		out.put(0, "Strategy", strategyText(w.Spec.Strategy))
		out.put(0, "Revision", printable.Line(w.Annotations["deployment.kubernetes.io/revision"]))
	}
	if selector, err := SelectorOf(o); err == nil {
		out.put(0, "Selector", printable.Line(selector.String()))
	}
	d.origin(out)
}

func strategyText(s appsv1.DeploymentStrategy) string {
	text := string(s.Type)
	if r := s.RollingUpdate; r != nil && r.MaxSurge != nil && r.MaxUnavailable != nil {
		text += fmt.Sprintf(", at most %s more and %s fewer Pods", r.MaxSurge, r.MaxUnavailable)
	}
	return text
}

// pods are those of an object that is none itself.
func (d *Description) pods(out *page) {
	pods := d.Snapshot.PodsOf(d.Object)
	out.heading("Pods")
	if len(pods) == 0 {
		out.line("  none")
		return
	}
	var rows []Row
	for _, pod := range pods {
		rows = append(rows, podRow(d.Snapshot, pod, d.Words, d.Now))
	}
	for line := range strings.Lines(Text(rows, d.Now, max(d.Width-2, 0))) {
		out.line("  " + strings.TrimSuffix(line, "\n"))
	}
}
