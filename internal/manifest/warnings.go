package manifest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Warning is something odd about a field that the API server accepts.
type Warning struct {
	Field   string // path in the API server's form
	Message string
}

// Warnings returns what the API server warns about when it creates the object, for the cases that
// matter to a process (R166), and annotations of Probity that have no effect. Ask before Default:
// it turns a negative grace period into 1.
func Warnings(r Resource) []Warning {
	meta, spec, prefix, ok := template(r)
	if !ok {
		if s, isService := r.(*corev1.Service); isService {
			return idleAnnotations(s.Annotations, "metadata.annotations", []string{AnnotationHold})
		}
		return idleAnnotations(r.GetAnnotations(), "metadata.annotations", nil)
	}
	warnings := idleAnnotations(meta.Annotations, childPath(prefix, "metadata.annotations"), podAnnotations())
	if prefix != "" {
		warnings = append(warnings, idleAnnotations(r.GetAnnotations(), "metadata.annotations", nil)...)
	}
	path := childPath(prefix, "spec")
	if grace := spec.TerminationGracePeriodSeconds; grace != nil && *grace < 0 {
		warnings = append(warnings, Warning{path + ".terminationGracePeriodSeconds",
			"must be >= 0; negative values are invalid and will be treated as 1"})
	}
	ports := portWarner{byPort: map[string]string{}}
	for _, list := range []struct {
		name       string
		containers []corev1.Container
	}{{"initContainers", spec.InitContainers}, {"containers", spec.Containers}} {
		for i := range list.containers {
			at := field.NewPath(path, list.name).Index(i)
			warnings = append(warnings, hiddenEnv(list.containers[i].Env, at.Child("env"))...)
			warnings = append(warnings, ports.warn(list.containers[i].Ports, at.Child("ports"))...)
		}
	}
	return warnings
}

// idleAnnotations finds annotations of Probity that have no effect where they stand.
func idleAnnotations(annotations map[string]string, path string, known []string) []Warning {
	var warnings []Warning
	for _, key := range slices.Sorted(maps.Keys(annotations)) {
		if !strings.HasPrefix(key, annotationPrefix) || belongsAnywhere(key) || slices.Contains(known, key) {
			continue
		}
		onPod := slices.Contains(known, AnnotationPorts)
		prefixes := []string{AnnotationCommand, AnnotationDirectory, AnnotationDependency, AnnotationDeadlock}
		named := slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
		if named && onPod {
			continue
		}
		message := "unknown annotation, it has no effect"
		if guess := Closest(key, known); guess != "" {
			message += ", did you mean " + guess + "?"
		} else if key == AnnotationFault {
			message = "no effect here, it belongs on a Pod that runs"
		} else if named || slices.Contains(podAnnotations(), key) {
			message = "no effect here, it belongs on the pod template"
		}
		warnings = append(warnings, Warning{keyPath(path, key), message})
	}
	return warnings
}

// hiddenEnv finds variables that a later one of the same name replaces.
func hiddenEnv(env []corev1.EnvVar, path *field.Path) []Warning {
	var warnings []Warning
	seen := map[string]bool{}
	for i, e := range env {
		extends := e.ValueFrom == nil && strings.Contains(e.Value, "$("+e.Name+")") && e.Value != "$("+e.Name+")"
		if seen[e.Name] && !extends {
			warnings = append(warnings, Warning{path.Index(i).String(),
				fmt.Sprintf("hides previous definition of %q, which may be dropped when using apply", e.Name)})
		}
		seen[e.Name] = true
	}
	return warnings
}

// portWarner finds ports that two containers of a pod declare.
type portWarner struct {
	byPort map[string]string // number and protocol to path
}

func (w portWarner) warn(ports []corev1.ContainerPort, path *field.Path) []Warning {
	var warnings []Warning
	for i, p := range ports {
		at := path.Index(i).String()
		key := fmt.Sprintf("%d/%s", p.ContainerPort, cmp.Or(p.Protocol, corev1.ProtocolTCP))
		if first, again := w.byPort[key]; again {
			warnings = append(warnings, Warning{at, "duplicate port definition with " + first})
			continue
		}
		w.byPort[key] = at
	}
	return warnings
}
