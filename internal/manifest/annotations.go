package manifest

import (
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Probity's own annotations. A cluster ignores them.
const (
	// AnnotationCommand, followed by a container's name, is that container's command: words for
	// SplitWords. It stands on the pod (template) and is what runs when the container has only an
	// image.
	AnnotationCommand = annotationPrefix + "command."
	// AnnotationDirectory, followed by a container's name, is the folder in which that container's
	// program starts here, seen from the manifest's folder. It stands on the pod (template) and
	// goes before workingDir, which is a folder of the image.
	AnnotationDirectory = annotationPrefix + "directory."
	// AnnotationDeadlock, followed by a container's name, is a shell's command that has that
	// container's program hang by itself, as in "kill -USR1 $PID": PID is the number of its
	// process. A drill runs it; it stands on the pod (template).
	AnnotationDeadlock = annotationPrefix + "drill.deadlock."
	// AnnotationAfter on the pod lists workloads that have to come first, as in
	// "db=healthy,migrate=completed": see [ParseAfter].
	AnnotationAfter = annotationPrefix + "after"
	// AnnotationPorts on the pod with the value PortsFixed says that the program listens on the
	// declared ports and on no others.
	AnnotationPorts = annotationPrefix + "ports"
	// AnnotationDrain on the pod is a time as in "5s" to wait for requests in flight before the
	// signal.
	AnnotationDrain = annotationPrefix + "drain"
	// AnnotationRotation on the pod with the value RotationOut keeps new requests away from it: its
	// probes go on and its status stays as it is, but the Pod is no ready endpoint.
	AnnotationRotation = annotationPrefix + "rotation"
	// AnnotationRestartedAt on the pod asks for a restart of its containers whenever its value
	// becomes another one, as the template's kubectl.kubernetes.io/restartedAt does of a rollout.
	// Any value will do.
	AnnotationRestartedAt = annotationPrefix + "restarted-at"
	// AnnotationNames on the pod with the value NamesOff lets its programs see the hosts file and
	// the host name of this machine.
	AnnotationNames = annotationPrefix + "names"
	// AnnotationDependency, followed by the name of a dependency such as "database", on the pod
	// with the value DependencyOwned declares that the service cannot work without it: probity
	// drill then takes it as intended that an outage of it leaves no replica ready.
	AnnotationDependency = annotationPrefix + "dependency."
	// AnnotationHold on a Service is a time as in "10s" to hold requests while nothing is ready.
	AnnotationHold = annotationPrefix + "hold"
	// AnnotationPrivatePorts, followed by a container's name, is written by the node on its Pods:
	// declared and private ports, as in "8080:41013,9090:41014".
	AnnotationPrivatePorts = annotationPrefix + "private-ports."
	// AnnotationListening is written by the node on its Pods: the declared ports whose program was
	// seen to listen on the private one, as PORT tells it, as in "8080,9090".
	AnnotationListening = annotationPrefix + "listening"

	// AnnotationBound is written by the node on its Pods: the declared ports that the program
	// itself listens on, each with the address that its socket is bound to, as in
	// "8080=0.0.0.0,9090=127.0.0.1".
	AnnotationBound = annotationPrefix + "bound"
	// AnnotationAddress, followed by the number of a Service port, is written by the proxy on
	// Services: where that port is served, as in probity.run/address.80: 127.64.3.4:80.
	AnnotationAddress = annotationPrefix + "address."
	// AnnotationUnnamed is written by the proxy on Services whose names must not lead to their
	// address, because another program answers there. Its value is the reason.
	AnnotationUnnamed = annotationPrefix + "unnamed"

	// AnnotationManifest is written by Probity on each object: the absolute path of the file that
	// it comes from. A Pod's relative paths begin at the file's folder.
	AnnotationManifest = annotationPrefix + "manifest"

	// AnnotationIgnore, followed by the id of a rule, keeps probity check from reporting that rule
	// for the object. Its value is the reason.
	AnnotationIgnore = annotationPrefix + "ignore."

	// PortsFixed is the one value of AnnotationPorts.
	PortsFixed = "fixed"
	// NamesOff is the one value of AnnotationNames.
	NamesOff = "off"

	// DependencyOwned is the one value of AnnotationDependency.
	DependencyOwned = "owned"

	// RotationOut is the one value of AnnotationRotation.
	RotationOut = "out"

	annotationPrefix = "probity.run/"
)

// OutOfRotation reports whether somebody took a Pod out of rotation by hand.
func OutOfRotation(pod *corev1.Pod) bool { return pod.Annotations[AnnotationRotation] == RotationOut }

func podAnnotations() []string {
	return []string{AnnotationAfter, AnnotationPorts, AnnotationDrain, AnnotationRotation, AnnotationRestartedAt, AnnotationNames}
}

// validatePodAnnotations checks Probity's annotations on a pod. path is that of its metadata.
func validatePodAnnotations(meta *metav1.ObjectMeta, spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, key := range slices.Sorted(maps.Keys(meta.Annotations)) {
		value := meta.Annotations[key]
		at := path.Child("annotations").Key(key)
		switch container, isCommand := strings.CutPrefix(key, AnnotationCommand); {
		case isCommand:
			errs = append(errs, validateCommand(container, value, spec, at)...)
		case strings.HasPrefix(key, AnnotationDirectory):
			errs = append(errs, validateContainer(strings.TrimPrefix(key, AnnotationDirectory), AnnotationDirectory, spec, at)...)
		case strings.HasPrefix(key, AnnotationDeadlock):
			errs = append(errs, validateContainer(strings.TrimPrefix(key, AnnotationDeadlock), AnnotationDeadlock, spec, at)...)
			if strings.TrimSpace(value) == "" {
				errs = append(errs, field.Required(at, "a command for a shell, such as kill -USR1 $PID"))
			}
		case strings.HasPrefix(key, AnnotationDependency):
			errs = append(errs, supported(at, value, DependencyOwned)...)
		case key == AnnotationAfter:
			if _, err := ParseAfter(value); err != nil {
				errs = append(errs, field.Invalid(at, value, err.Error()))
			}
		case key == AnnotationPorts:
			errs = append(errs, supported(at, value, PortsFixed)...)
		case key == AnnotationRotation:
			errs = append(errs, supported(at, value, RotationOut)...)
		case key == AnnotationNames:
			errs = append(errs, supported(at, value, NamesOff)...)
		case key == AnnotationDrain:
			errs = append(errs, validateDuration(value, at)...)
		}
	}
	return errs
}

func validateServiceAnnotations(meta *metav1.ObjectMeta) field.ErrorList {
	if value, ok := meta.Annotations[AnnotationHold]; ok {
		return validateDuration(value, field.NewPath("metadata", "annotations").Key(AnnotationHold))
	}
	return nil
}

func validateCommand(container, value string, spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	if errs := validateContainer(container, AnnotationCommand, spec, path); errs != nil {
		return errs
	}
	return validateWords(value, path)
}

// validateContainer checks that there is a container of the name that follows an annotation's
// prefix.
func validateContainer(container, prefix string, spec *corev1.PodSpec, path *field.Path) field.ErrorList {
	var names []string
	for _, list := range [][]corev1.Container{spec.Containers, spec.InitContainers} {
		for _, c := range list {
			names = append(names, c.Name)
			if c.Name == container {
				return nil
			}
		}
	}
	message := "there is no such container"
	if guess := Closest(container, names); guess != "" {
		message += ", did you mean " + prefix + guess + "?"
	} else if len(names) > 0 {
		message += " in this pod, it has " + strings.Join(names, ", ")
	}
	return field.ErrorList{field.Invalid(path, container, message)}
}

func validateWords(value string, path *field.Path) field.ErrorList {
	words, err := SplitWords(value)
	switch {
	case err != nil:
		return field.ErrorList{field.Invalid(path, value, err.Error())}
	case len(words) == 0 || words[0] == "":
		return field.ErrorList{field.Invalid(path, value, "must name a program")}
	}
	return nil
}

func validateDuration(value string, path *field.Path) field.ErrorList {
	if d, err := time.ParseDuration(value); err != nil || d < 0 {
		return field.ErrorList{field.Invalid(path, value, "must be a time such as 5s, 500ms or 1m30s, and not negative")}
	}
	return nil
}
