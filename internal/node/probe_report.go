package node

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/store"
)

// ProbeReportKind is the kind of [ProbeReport] in the store.
var ProbeReportKind = schema.GroupVersionKind{Group: "probity.run", Version: "v1", Kind: "ProbeReport"}

// ProbeReport is what a Pod's probes found last. It has the Pod's name, and is an object of its own
// so that watchers of Pods are not woken by every attempt.
type ProbeReport struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Probes            []ProbeRecord `json:"probes"`
}

// ProbeRecord is one probe: its counter and its last attempt.
type ProbeRecord struct {
	Container string              `json:"container"`
	Type      lifecycle.ProbeType `json:"type"`
	// Outcome of the last attempt: success, warning, failure or error.
	Outcome string `json:"outcome"`
	// Output is the handler's text, or that of the error.
	Output string `json:"output,omitempty"`
	// Latency of the last attempt.
	Latency time.Duration    `json:"latencyNanoseconds"`
	Time    metav1.MicroTime `json:"time"`
	// Result is the result in effect: Success, Failure or Unknown.
	Result lifecycle.ProbeResult `json:"result"`
	// Run is how many equal results in a row were counted, Threshold how many it takes to change
	// Result.
	Run       int  `json:"run"`
	Threshold int  `json:"threshold"`
	Hold      bool `json:"hold,omitempty"`
}

// DeepCopyObject makes a ProbeReport an object of the store.
func (r *ProbeReport) DeepCopyObject() runtime.Object {
	c := *r
	r.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	c.Probes = slices.Clone(r.Probes)
	return &c
}

// ProbeReportList is how the API lists them.
type ProbeReportList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []ProbeReport `json:"items"`
}

// DeepCopyObject makes a list an object of the API.
func (l *ProbeReportList) DeepCopyObject() runtime.Object {
	c := *l
	l.ListMeta.DeepCopyInto(&c.ListMeta)
	c.Items = slices.Clone(l.Items)
	for i := range c.Items {
		c.Items[i] = *l.Items[i].DeepCopyObject().(*ProbeReport)
	}
	return &c
}

// sameReport compares what can change in a report.
func sameReport(a, b store.Object) bool {
	return slices.Equal(a.(*ProbeReport).Probes, b.(*ProbeReport).Probes)
}
