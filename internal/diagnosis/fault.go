package diagnosis

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// fault says of a Pod between which and the others somebody has put a fault that this is so, before
// anything that may follow from it. A cluster knows no such faults.
func (f *Facts) fault(d *Diagnosis) {
	fault := manifest.FaultOf(f.Pod)
	if fault == (manifest.Fault{}) || f.Told || d.State == Stopped || d.State == Complete || d.State == Failed {
		return
	}
	reason := "fault " + fault.String()
	if d.Reason != "" {
		reason += f.Style.dot() + d.Reason
	}
	d.Reason = reason
	d.Why += " Somebody has injected a fault: the annotation " + manifest.AnnotationFault + ": " + fault.String() + " says so."
	command := "kubectl annotate pod "
	if f.Pod.Namespace != "" && f.Pod.Namespace != metav1.NamespaceDefault {
		command += "-n " + f.Pod.Namespace + " "
	}
	d.Next = "end the fault: " + command + f.Pod.Name + " " + manifest.AnnotationFault + "-"
}
