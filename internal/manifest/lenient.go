package manifest

import (
	"bytes"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// DecodeLenient reads one text for a check, which wants to find as much as there is, where [Load]
// reads for a run, which must not start what is wrong; name stands for the file in positions. The
// differences:
//
//   - It also reads DaemonSet, Job, CronJob, ReplicationController, HorizontalPodAutoscaler,
//     PodDisruptionBudget and Istio's PeerAuthentication, in any version of their groups.
//   - An object with errors is kept, with its defaults and without what cannot be decoded. What is
//     wrong with it is in its Problems, in the words of Load; of two fields of one name the last
//     counts. Two objects of one name are both returned, and the second has a problem.
//   - What gives no object is in Invalid and PassedOver.
//   - Warnings and NotApplied have only what is said of documents of other formats.
//
// The error, an Errors, has only what could not be read at all. Calls share nothing and may run at
// the same time.
func DecodeLenient(opts Options, name string, data []byte) (*Set, error) {
	l := newLoader(opts)
	l.lenient = true
	l.documents(name, data)
	return l.result()
}

// lenientTypes are those that say something about pods and their traffic.
func lenientTypes() []objectType {
	return []objectType{
		{"v1", "Pod", func() Resource { return &corev1.Pod{} }},
		{"v1", "Service", func() Resource { return &corev1.Service{} }},
		{"v1", "ReplicationController", func() Resource { return &corev1.ReplicationController{} }},
		{"apps/v1", "Deployment", func() Resource { return &appsv1.Deployment{} }},
		{"apps/v1", "ReplicaSet", func() Resource { return &appsv1.ReplicaSet{} }},
		{"apps/v1", "StatefulSet", func() Resource { return &appsv1.StatefulSet{} }},
		{"apps/v1", "DaemonSet", func() Resource { return &appsv1.DaemonSet{} }},
		{"batch/v1", "Job", func() Resource { return &batchv1.Job{} }},
		{"batch/v1", "CronJob", func() Resource { return &batchv1.CronJob{} }},
		{"autoscaling/v1", "HorizontalPodAutoscaler", func() Resource { return &autoscalingv1.HorizontalPodAutoscaler{} }},
		{"policy/v1", "PodDisruptionBudget", func() Resource { return &policyv1.PodDisruptionBudget{} }},
		{"security.istio.io/v1", "PeerAuthentication", func() Resource { return &PeerAuthentication{} }},
	}
}

// findLenientType is findType with more kinds. The version of what is found may be another one:
// what differs between the versions of these kinds does not concern pods. It is a problem if Load
// would not read that version.
func findLenientType(apiVersion, name string) (k objectType, ok bool, wrong, problem string) {
	_, exact, wrong, problem := findType(apiVersion, name)
	group := groupOf(apiVersion)
	if group == "extensions" { // where the kinds of apps lived up to Kubernetes 1.15
		group = "apps"
	}
	all := slices.Concat(lenientTypes(), objectTypes())
	for _, k := range all {
		if k.kind == name && groupOf(k.apiVersion) == group {
			return k, true, wrong, problem
		}
	}
	if exact || problem != "" {
		return objectType{}, false, wrong, problem
	}
	return findAmong(all, apiVersion, name)
}

func groupOf(apiVersion string) string {
	group, _, grouped := strings.Cut(apiVersion, "/")
	if !grouped {
		return ""
	}
	return group
}

// skip notes a document whose kind is none of lenientTypes, as far as a line of its text shows.
// Parsing a CustomResourceDefinition costs more than all the rest.
func (f *file) skip(c chunk, at Position) bool {
	for line := range bytes.Lines(c.text) {
		value, found := bytes.CutPrefix(line, []byte("kind:"))
		if !found {
			continue
		}
		value, _, _ = bytes.Cut(value, []byte(" #"))
		name := strings.Trim(string(bytes.TrimSpace(value)), `"'`)
		ours := strings.HasSuffix(name, "List") || slices.ContainsFunc(lenientTypes(), func(k objectType) bool { return k.kind == name })
		if name != "" && !ours {
			f.left--
			f.set.Unknown = append(f.set.Unknown, Unknown{Position: at, Kind: name})
			return true
		}
		return false
	}
	return false
}

// lenientObject takes an object with all its problems.
func (f *file) lenientObject(d *decoder, n *yaml.Node, k objectType, p partialObject) {
	r := k.make()
	d.into(n, r)
	r.GetObjectKind().SetGroupVersionKind(schema.FromAPIVersionAndKind(k.apiVersion, k.kind))
	PrepareForCreate(r)
	defaultLenient(r)
	o := Object{Resource: r, Position: d.position(n), Problems: d.errs, fields: d.fields, origin: d.origin}
	if err := f.tooMany(o); err != nil {
		o.Problems = append(o.Problems, err)
	}
	decoded := o.Problems
	for _, p := range lenientProblems(r) {
		if !followsFrom(p, decoded) {
			o.Problems = append(o.Problems, &Error{Position: o.PositionOf(p.Field), Object: o.Ref(), Field: p.Field, Reason: Reason(p.Type), Message: body(p), Original: o.Original(p.Field)})
		}
	}
	if p.apiVersion != k.apiVersion {
		o.Problems = slices.DeleteFunc(o.Problems, func(e *Error) bool { return dependsOnVersion(e, r) })
	}
	if o.Resource.GetName() != "" {
		if err := f.duplicate(o, o.Ref()); err != nil {
			o.Problems = append(o.Problems, err)
		}
	}
	o.Problems.sort()
	if len(o.Problems) > 0 && f.isUnrendered(p) {
		f.set.PassedOver = append(f.set.PassedOver, PassedOver{p.at, unrendered})
		return
	}
	f.set.Objects = append(f.set.Objects, o)
}

// followsFrom reports whether a rule of the API server is only broken by the zero that stands for
// what could not be decoded.
func followsFrom(p *field.Error, decoded Errors) bool {
	return slices.ContainsFunc(decoded, func(e *Error) bool {
		if e.Reason == ReasonUnknownField {
			parent, name := parentPath(p.Field), p.Field[strings.LastIndexByte(p.Field, '.')+1:]
			return parentPath(e.Field) == parent && strings.HasSuffix(e.Message, "did you mean "+name+"?")
		}
		rest, inside := strings.CutPrefix(p.Field, e.Field)
		return e.Reason == ReasonType && inside && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// dependsOnVersion reports whether an error need not be one in another version of the kind. A pod's
// template is the same in all of them.
func dependsOnVersion(e *Error, r Resource) bool {
	switch e.Reason {
	case ReasonKind, ReasonSyntax, ReasonLimit, ReasonDuplicateField:
		return false
	}
	_, _, prefix, ok := template(r)
	return !ok || !strings.HasPrefix(e.Field, prefix+".spec")
}

func defaultLenient(r Resource) {
	Default(r)
	switch o := r.(type) {
	case *appsv1.DaemonSet:
		defaultPodSpec(&o.Spec.Template.Spec)
	case *batchv1.Job:
		defaultPodSpec(&o.Spec.Template.Spec)
	case *batchv1.CronJob:
		defaultPodSpec(&o.Spec.JobTemplate.Spec.Template.Spec)
	case *corev1.ReplicationController:
		setDefault(&o.Spec.Replicas, 1)
		setDefault(&o.Spec.Template, corev1.PodTemplateSpec{})
		defaultPodSpec(&o.Spec.Template.Spec)
	case *autoscalingv1.HorizontalPodAutoscaler:
		setDefault(&o.Spec.MinReplicas, 1)
	}
}

// lenientTemplate is template for the kinds that only DecodeLenient reads.
func lenientTemplate(r Resource) (meta *metav1.ObjectMeta, spec *corev1.PodSpec, prefix string, ok bool) {
	switch o := r.(type) {
	case *appsv1.DaemonSet:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, "spec.template", true
	case *batchv1.Job:
		return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, "spec.template", true
	case *batchv1.CronJob:
		t := &o.Spec.JobTemplate.Spec.Template
		return &t.ObjectMeta, &t.Spec, "spec.jobTemplate.spec.template", true
	case *corev1.ReplicationController:
		if o.Spec.Template != nil {
			return &o.Spec.Template.ObjectMeta, &o.Spec.Template.Spec, "spec.template", true
		}
	}
	return nil, nil, "", false
}

// lenientProblems is what the API server would say: about the whole object if Load reads its kind,
// else about its metadata, its selector and its pods.
func lenientProblems(r Resource) field.ErrorList {
	return append(Validate(r), validateExtraWorkload(r)...)
}
