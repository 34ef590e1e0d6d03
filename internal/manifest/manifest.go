// Package manifest turns files into Kubernetes objects: it decodes them strictly, fills in
// Kubernetes' defaults and validates them with the API server's rules and texts. Everything it has
// to say carries file, line and column.
//
// It reads Pod, Deployment, ReplicaSet, StatefulSet, Service, ConfigMap and Secret, alone, in
// several documents of a file or in a List. Objects of other kinds are named and left alone.
// References to ConfigMaps and Secrets are not followed: on a cluster a missing one shows when the
// container starts, and so it does here.
package manifest

import (
	"cmp"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Options say where standard input comes from and how much a file may ask for. The zero value means
// the defaults.
type Options struct {
	// Stdin is read for the path "-". Nil makes that path an error.
	Stdin io.Reader
	// RegularFiles refuses named pipes and devices, which could keep Load waiting for ever. In
	// folders they are passed over anyway. Default: a path may be one.
	RegularFiles bool
	// Outputs are files that the caller writes to, which are no manifests if they are in a folder
	// of them. Default: none.
	Outputs []fs.FileInfo
	// MaxFileBytes bounds one file or standard input. Default 8 MiB.
	MaxFileBytes int64
	// MaxBytes bounds all files together. Default 64 MiB.
	MaxBytes int64
	// MaxDocumentBytes bounds one document of a file. Default 3 MiB, the most that an API server
	// takes in one request.
	MaxDocumentBytes int
	// MaxDocuments bounds the objects of one file, items of Lists included. Default 1,000.
	MaxDocuments int
	// MaxNodes bounds the values of one document after aliases and merge keys are expanded. Default
	// 200,000.
	MaxNodes int
	// MaxContainers bounds the containers of one Pod, init containers included. Default 250.
	MaxContainers int
	// MaxVolumes bounds the volumes of one Pod. Default 250.
	MaxVolumes int
	// MaxPorts bounds the container ports of one Pod, and the ports of one Service. Default 1,000.
	MaxPorts int
	// MaxServicePorts bounds the ports of all Services together. Default 1,000.
	MaxServicePorts int
	// AllWorkloads makes Load read the workloads too that Probity does not run, for those who only
	// think them through: DaemonSet, ReplicationController, Job and CronJob.
	AllWorkloads bool
	// Mixed makes DecodeLenient pass over what does not look like a Kubernetes object: the file is
	// one of a folder and may be anything.
	Mixed bool
	// Formats are other formats whose documents are turned into objects, the first one that
	// recognizes a document. Default: Kubernetes' alone.
	Formats []Format
}

func (o Options) withDefaults() Options {
	o.MaxFileBytes = cmp.Or(o.MaxFileBytes, 8<<20)
	o.MaxBytes = cmp.Or(o.MaxBytes, 64<<20)
	o.MaxDocumentBytes = cmp.Or(o.MaxDocumentBytes, 3<<20)
	o.MaxDocuments = cmp.Or(o.MaxDocuments, 1000)
	o.MaxNodes = cmp.Or(o.MaxNodes, 200_000)
	o.MaxContainers = cmp.Or(o.MaxContainers, 250)
	o.MaxVolumes = cmp.Or(o.MaxVolumes, 250)
	o.MaxPorts = cmp.Or(o.MaxPorts, 1000)
	o.MaxServicePorts = cmp.Or(o.MaxServicePorts, 1000)
	return o
}

// A Set is what some files hold, in the order of the paths, the file names in a folder and the
// documents in a file.
type Set struct {
	// Objects are decoded, defaulted and free of errors.
	Objects []Object
	// Unknown are the objects of kinds that Probity does not run.
	Unknown []Unknown
	// NotApplied lists the fields that someone wrote and a local process cannot honour, with the
	// reason.
	NotApplied []Note
	// Differences are what Kubernetes does otherwise than the tool for which a document of another
	// format was written.
	Differences []Note
	// Warnings are the API server's own, and ours about annotations.
	Warnings []Note
	// Invalid is what DecodeLenient found wrong with documents that are no objects it could return:
	// Load refuses them. PassedOver are those that it left alone.
	Invalid    Errors
	PassedOver []PassedOver
	// Converted are the objects that come from documents of other formats, those of kinds that
	// Probity does not run too.
	Converted []Converted
	// Joined are the documents of other formats that are read with another file, or not at all
	// because of one.
	Joined []Note
}

// Resource is a typed Kubernetes object: one of *corev1.Pod, *appsv1.Deployment,
// *appsv1.ReplicaSet, *appsv1.StatefulSet, *corev1.Service, *corev1.ConfigMap and *corev1.Secret.
// Its apiVersion and kind are set. Package store calls the same interface Object, which is a
// resource and its place here; a value of one is one of the other.
type Resource interface {
	metav1.Object
	runtime.Object
}

// Ref names an object in messages and identifies it in a Set.
type Ref struct {
	Kind, Namespace, Name string
}

// String gives "Deployment web". The namespace is left out: the position tells which object is
// meant.
func (r Ref) String() string {
	if r.Name == "" {
		return r.Kind
	}
	return r.Kind + " " + r.Name
}

// An Object is a Resource and where it was written.
type Object struct {
	Resource Resource
	// Position is the first field of the object.
	Position Position
	// Problems is what is wrong with an object that [DecodeLenient] returns. Load returns none that
	// has problems.
	Problems Errors
	fields   map[string]fieldPosition
	written  []byte  // as JSON, without defaults
	origin   *origin // nil for one that is written as such
}

// fieldPosition is where in the object's file a field was written; there are many, so it is small.
// A null counts as absent but still has a place to point at.
type fieldPosition struct {
	line, column int32
	null         bool
}

func (m fieldPosition) in(file string) Position { return Position{file, int(m.line), int(m.column)} }

// Ref identifies the object.
func (o Object) Ref() Ref {
	name := cmp.Or(o.Resource.GetName(), o.Resource.GetGenerateName())
	return Ref{o.Resource.GetObjectKind().GroupVersionKind().Kind, o.Resource.GetNamespace(), name}
}

// PositionOf returns where the field of that path is written: a plain value's own place, or the
// name of a field that holds an object or a list. A path such as spec.containers[0].livenessProbe
// has the API server's form; map keys stand in brackets. For an absent field, a defaulted one for
// example, it is the place of the nearest enclosing field that exists.
func (o Object) PositionOf(fieldPath string) Position {
	for ; fieldPath != ""; fieldPath = parentPath(fieldPath) {
		if m, ok := o.fields[fieldPath]; ok {
			return m.in(o.Position.File)
		}
	}
	return o.Position
}

// Has reports whether someone wrote the field, with any value but null, so that a choice can be
// told from a default.
func (o Object) Has(fieldPath string) bool {
	m, ok := o.fields[fieldPath]
	return ok && !m.null
}

// Template returns the metadata and the spec of the pods that the object describes, to read or to
// change in place, and the path that leads there: "" for a Pod, "spec.template" for a controller.
// For other kinds ok is false.
func (o Object) Template() (meta *metav1.ObjectMeta, spec *corev1.PodSpec, prefix string, ok bool) {
	return template(o.Resource)
}

// Unknown is an object of a kind that Probity does not run.
type Unknown struct {
	Position
	APIVersion, Kind, Name string
}

// String gives "file:line:column: apiVersion kind name".
func (u Unknown) String() string {
	return render(u.Position, Ref{Kind: strings.TrimSpace(u.APIVersion + " " + u.Kind), Name: u.Name}, "", "")
}

// PassedOver is a document, or a file, that was not read.
type PassedOver struct {
	Position
	// Reason is what it seems to be instead of an object.
	Reason string
}

// A Note is something worth saying about a field that is not an error.
type Note struct {
	Position
	Object  Ref
	Field   string // path in the API server's form
	Message string
	// Original is how the file says it, if it is of another format.
	Original Original
}

// String gives "file:line:column: Kind name: field: message".
func (n Note) String() string { return n.Original.render(n.Position, n.Object, n.Field, n.Message) }

// Load reads files, folders (their *.yaml, *.yml and *.json files in the order of their names,
// without subfolders and hidden files) and, for "-", standard input. A path given twice is read
// once.
//
// The error is an Errors with everything that is wrong in all of them. An object that cannot be
// decoded is not validated any further, as on a cluster. The Set is never nil: beside errors it
// holds the objects that have none. It is the caller's to change; calls do not share anything.
func Load(opts Options, paths ...string) (*Set, error) {
	l := newLoader(opts)
	if len(paths) == 0 {
		l.fail(&Error{Reason: ReasonRead, Message: "no manifest given: name a file, a folder or - for standard input"})
	}
	seen := map[string]bool{}
	for _, path := range paths {
		if clean := filepath.Clean(path); !seen[clean] {
			seen[clean] = true
			l.path(path)
		}
	}
	return l.result()
}
