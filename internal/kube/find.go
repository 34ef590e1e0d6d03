package kube

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
)

// NotFoundError says that nothing has the name that somebody gave, or that several things have it.
type NotFoundError struct {
	text string
	// Absent says that the name is a right one, which nothing has.
	Absent bool
}

func (e *NotFoundError) Error() string { return e.text }

// Objects are all that have names, workloads first, then Pods, then Services: who says web means
// the Deployment of that name, and not its Service.
func (s *Snapshot) Objects() []metav1.Object {
	all := s.Workloads()
	var pods, services, owned []metav1.Object
	for i := range s.Pods {
		pods = append(pods, &s.Pods[i])
	}
	for i := range s.Services {
		services = append(services, &s.Services[i])
	}
	for i := range s.ReplicaSets {
		if set := &s.ReplicaSets[i]; metav1.GetControllerOfNoCopy(set) != nil {
			owned = append(owned, set)
		}
	}
	for _, more := range [][]metav1.Object{pods, services, owned} {
		slices.SortFunc(more, compareNames)
		all = append(all, more...)
	}
	return all
}

// Find returns the object that a name stands for: NAME, KIND/NAME or NAMESPACE/KIND/NAME, of the
// kinds that are asked for, or of all. The error is a [*NotFoundError].
func (s *Snapshot) Find(name string, kinds ...Kind) (metav1.Object, error) {
	namespace, kind, bare, err := splitName(name)
	if err != nil {
		return nil, err
	}
	objects := slices.DeleteFunc(s.Objects(), func(o metav1.Object) bool {
		at := RefTo(o)
		return len(kinds) > 0 && !slices.Contains(kinds, at.Kind) || kind != (Kind{}) && kind != at.Kind || namespace != "" && namespace != at.Namespace
	})
	var found []metav1.Object
	for _, o := range objects {
		if o.GetName() == bare && !slices.ContainsFunc(found, func(f metav1.Object) bool { return f.GetNamespace() == o.GetNamespace() }) {
			found = append(found, o)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, &NotFoundError{missing(name, bare, objects, kinds), true}
	}
	return nil, &NotFoundError{text: fmt.Sprintf("%s is in several namespaces: say which with --namespace, or write one of %s", printable.Quote(name), listed(found))}
}

// splitName reads a name as people write it.
func splitName(name string) (namespace string, kind Kind, bare string, err error) {
	parts := strings.Split(name, "/")
	if len(parts) > 3 {
		return "", Kind{}, "", &NotFoundError{text: fmt.Sprintf("%s is no name: write NAME, KIND/NAME or NAMESPACE/KIND/NAME", printable.Quote(name))}
	}
	bare, parts = parts[len(parts)-1], parts[:len(parts)-1]
	if len(parts) > 0 {
		word := parts[len(parts)-1]
		known := false
		if kind, known = ParseKind(word); !known {
			return "", Kind{}, "", &NotFoundError{text: fmt.Sprintf("there is no kind %s%s", printable.Quote(word), didYouMean(word, kindNames()))}
		}
	}
	if len(parts) == 2 {
		namespace = parts[0]
	}
	return namespace, kind, bare, nil
}

func kindNames() (names []string) {
	for _, k := range Kinds() {
		names = append(names, k.Singular)
	}
	return names
}

// missing says that nothing has a name, what was perhaps meant, and what there is.
func missing(name, bare string, objects []metav1.Object, kinds []Kind) string {
	var names, whole []string
	for _, o := range objects {
		names, whole = append(names, o.GetName()), append(whole, RefTo(o).String())
	}
	text := fmt.Sprintf("there is no %s %s", kindsText(kinds), printable.Quote(name))
	if i := slices.Index(names, manifest.Closest(bare, names)); i >= 0 {
		return text + ", did you mean " + whole[i] + "?"
	}
	if i := slices.IndexFunc(names, func(n string) bool { return bare != "" && strings.HasPrefix(n, bare) }); i >= 0 {
		return text + ", did you mean " + whole[i] + "?"
	}
	if len(objects) == 0 {
		return text
	}
	return text + "; there are " + listed(objects)
}

func didYouMean(name string, candidates []string) string {
	if guess := manifest.Closest(name, candidates); guess != "" {
		return ", did you mean " + guess + "?"
	}
	return "; there are " + strings.Join(candidates, ", ")
}

// kindsText names the kinds that a command takes.
func kindsText(kinds []Kind) string {
	if len(kinds) == 0 {
		return "Service, workload or Pod"
	}
	var words []string
	for _, k := range kinds {
		words = append(words, k.Singular)
	}
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// maxListed is how many names a message lists.
const maxListed = 8

func listed(objects []metav1.Object) string {
	var names []string
	for _, o := range objects[:min(len(objects), maxListed)] {
		names = append(names, printable.Line(RefTo(o).String()))
	}
	text := strings.Join(names, ", ")
	if more := len(objects) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// ParseRef reads KIND/NAME or NAMESPACE/KIND/NAME of any kind that people name; the namespace is
// otherwise the given one, or default. The error is a [*NotFoundError].
func ParseRef(name, namespace string) (Ref, error) {
	own, kind, bare, err := splitName(name)
	switch {
	case err != nil:
		return Ref{}, err
	case kind == Kind{}:
		return Ref{}, &NotFoundError{text: fmt.Sprintf("write the kind of %s, as in deployment/%s", printable.Quote(name), printable.Line(bare))}
	case kind.Global:
		return Ref{kind, "", bare}, nil
	}
	return Ref{kind, cmp.Or(own, namespace, metav1.NamespaceDefault), bare}, nil
}
