package apiserver

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/probity-run/probity/internal/printable"
)

// ApplyRequest asks a run to apply manifests that lie on its machine, as probity apply does: what
// is no longer in them is taken away, and a Pod that cannot be changed is replaced. It is answered
// and not kept. With dryRun=All it only says which run it is.
type ApplyRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ApplyRequestSpec   `json:"spec"`
	Status            ApplyRequestStatus `json:"status,omitzero"`
}

// ApplyRequestSpec is what is to be applied.
type ApplyRequestSpec struct {
	// Paths are absolute paths of files and folders.
	Paths []string `json:"paths"`
}

// ApplyRequestStatus is what became of it.
type ApplyRequestStatus struct {
	// Run is who answers.
	Run Run `json:"run"`
	// Lines tell what became of each object, as kubectl apply prints it.
	Lines []string `json:"lines,omitempty"`
	// Error is why something could not be applied, and Invalid says that it is the manifests'
	// fault, and that nothing was changed.
	Error   string `json:"error,omitempty"`
	Invalid bool   `json:"invalid,omitempty"`
}

// Run describes a run to others.
type Run struct {
	StateDir  string   `json:"stateDir"`
	PID       int      `json:"pid"`
	Manifests []string `json:"manifests"` // absolute
	// Started is when it began.
	Started metav1.Time `json:"started,omitzero"`
}

// Instance is the name by which a command can say that it means this run.
func (r Run) Instance() string { return filepath.Base(r.StateDir) }

// Title is what the run runs, as people know it.
func (r Run) Title() string {
	if len(r.Manifests) == 0 {
		return "no file"
	}
	return printable.Line(strings.Join(r.Manifests, " "))
}

// String names the run as people know it.
func (r Run) String() string {
	what := strings.Join(r.Manifests, " ")
	if what == "" {
		what = "standard input"
	}
	return fmt.Sprintf("the run of %s (process %d, --state-dir %s)", what, r.PID, r.StateDir)
}

// ApplyRequestKind is the kind of an [ApplyRequest].
func ApplyRequestKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "probity.run", Version: "v1", Kind: "ApplyRequest"}
}

// ApplyRequestPath is where an [ApplyRequest] is posted.
const ApplyRequestPath = "/apis/probity.run/v1/applyrequests"

// DeepCopyObject makes an ApplyRequest an object of the API.
func (r *ApplyRequest) DeepCopyObject() runtime.Object {
	c := *r
	r.ObjectMeta.DeepCopyInto(&c.ObjectMeta)
	c.Spec.Paths = slices.Clone(r.Spec.Paths)
	c.Status.Run.Manifests = slices.Clone(r.Status.Run.Manifests)
	c.Status.Lines = slices.Clone(r.Status.Lines)
	return &c
}

// Applier applies manifests for clients.
type Applier interface {
	// Describe says which run it is.
	Describe() Run
	// ApplyFiles applies manifests.
	ApplyFiles(ctx context.Context, spec ApplyRequestSpec) ApplyRequestStatus
}
