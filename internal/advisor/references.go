package advisor

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// references are the ConfigMaps and Secrets that containers may refer to.
type references map[manifest.Ref][]manifest.Object

func newReferences(objects []manifest.Object) references {
	all := references{}
	for _, o := range objects {
		switch o.Resource.(type) {
		case *corev1.ConfigMap, *corev1.Secret:
			all[o.Ref()] = append(all[o.Ref()], o)
		}
	}
	return all
}

// near finds what an object of a file refers to. Of several objects of one name the nearest counts,
// as in [selected].
func (r references) near(file string) nearReferences { return nearReferences{r, file} }

// nearReferences implements [program.Objects].
type nearReferences struct {
	all  references
	file string
}

// ConfigMap implements [program.Objects].
func (r nearReferences) ConfigMap(namespace, name string) (*corev1.ConfigMap, bool) {
	o, ok := r.find("ConfigMap", namespace, name).(*corev1.ConfigMap)
	return o, ok
}

// Secret implements [program.Objects].
func (r nearReferences) Secret(namespace, name string) (*corev1.Secret, bool) {
	o, ok := r.find("Secret", namespace, name).(*corev1.Secret)
	return o, ok
}

// Services implements [program.Objects]. They have no address before they run, and so no variables.
func (r nearReferences) Services(string) []*corev1.Service { return nil }

func (r nearReferences) find(kind, namespace, name string) (found manifest.Resource) {
	most := -1
	for _, o := range r.all[manifest.Ref{Kind: kind, Namespace: namespace, Name: name}] {
		if n := commonFolders(r.file, o.Position.File); n > most {
			most, found = n, o.Resource
		}
	}
	return found
}
