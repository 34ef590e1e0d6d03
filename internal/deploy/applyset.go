package deploy

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

// The labels and annotations of an ApplySet (KEP-3659), by which other tools see what belongs
// together.
const (
	labelSet             = "applyset.kubernetes.io/id"
	labelPartOf          = "applyset.kubernetes.io/part-of"
	annotationTooling    = "applyset.kubernetes.io/tooling"
	annotationKinds      = "applyset.kubernetes.io/contains-group-kinds"
	annotationNamespaces = "applyset.kubernetes.io/additional-namespaces"

	tooling        = "probity/v1"
	annotationKeep = "probity.run/keep"
)

// Set is an ApplySet: what was applied together under a name, in a namespace. Its parent is a
// Secret, which holds nothing but the marks.
type Set struct {
	Name, Namespace string
}

// ValidSet is why a set cannot have a name; nil if it can.
func ValidSet(name string) error {
	if problems := validation.IsDNS1123Subdomain(Set{Name: name}.parent()); len(problems) > 0 {
		return fmt.Errorf("%q cannot be the name of a set: %s", name, problems[0])
	}
	return nil
}

// parent is the name of the Secret.
func (s Set) parent() string { return "probity." + s.Name }

// ID is the value of the label of each member, as the KEP computes it.
func (s Set) ID() string {
	sum := sha256.Sum256([]byte(strings.Join([]string{s.parent(), s.Namespace, "Secret", ""}, ".")))
	return "applyset-" + base64.RawURLEncoding.EncodeToString(sum[:]) + "-v1"
}

// contents are the kinds and namespaces in which a set has members.
type contents struct {
	kinds      map[schema.GroupKind]bool
	namespaces map[string]bool
}

// contentsOf are those of objects.
func contentsOf(objects []*Object) contents {
	c := contents{map[schema.GroupKind]bool{}, map[string]bool{}}
	for _, o := range objects {
		c.kinds[o.kind()] = true
		if o.GetNamespace() != "" {
			c.namespaces[o.GetNamespace()] = true
		}
	}
	return c
}

// read returns the contents of a set that a parent tells. The error says that another tool keeps
// it.
func (s Set) read(parent *unstructured.Unstructured) (contents, error) {
	c := contentsOf(nil)
	annotations := parent.GetAnnotations()
	if by := annotations[annotationTooling]; by != tooling || parent.GetLabels()[labelSet] != s.ID() {
		return c, fmt.Errorf("secret/%s in namespace %s is not Probity's set %s (its tooling is %q): name another with --set", s.parent(), s.Namespace, s.Name, by)
	}
	for text := range strings.SplitSeq(annotations[annotationKinds], ",") {
		if text != "" {
			c.kinds[schema.ParseGroupKind(text)] = true
		}
	}
	c.namespaces[s.Namespace] = true
	for namespace := range strings.SplitSeq(annotations[annotationNamespaces], ",") {
		if namespace != "" {
			c.namespaces[namespace] = true
		}
	}
	return c, nil
}

// and are the contents of both.
func (c contents) and(other contents) contents {
	both := contentsOf(nil)
	for _, part := range []contents{c, other} {
		maps.Copy(both.kinds, part.kinds)
		maps.Copy(both.namespaces, part.namespaces)
	}
	return both
}

// write is the parent of a set with contents.
func (s Set) write(c contents) *unstructured.Unstructured {
	var kinds []string
	for kind := range c.kinds {
		kinds = append(kinds, kind.String())
	}
	slices.Sort(kinds)
	namespaces := slices.DeleteFunc(slices.Sorted(maps.Keys(c.namespaces)), func(name string) bool { return name == s.Namespace })
	parent := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}}
	parent.SetName(s.parent())
	parent.SetNamespace(s.Namespace)
	parent.SetLabels(map[string]string{labelSet: s.ID()})
	parent.SetAnnotations(map[string]string{
		annotationTooling: tooling, annotationKinds: strings.Join(kinds, ","), annotationNamespaces: strings.Join(namespaces, ","),
	})
	return parent
}

// spared says why an object that is not in its set any more is kept all the same; "" if it may be
// pruned.
func spared(o *unstructured.Unstructured) string {
	switch {
	case slices.Contains([]string{"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"}, o.GetKind()):
		return "what it holds would go with it"
	case len(o.GetOwnerReferences()) > 0:
		return "another object owns it"
	case o.GetAnnotations()[annotationKeep] != "" && o.GetAnnotations()[annotationKeep] != "false":
		return annotationKeep + " says so"
	case o.GetDeletionTimestamp() != nil:
		return "it is being deleted"
	}
	return ""
}
