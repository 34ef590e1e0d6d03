package system

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/program"
)

// admit refuses a Pod that cannot run here.
func (s *System) admit(pod *corev1.Pod) error {
	if errs := checkPrograms(pod); len(errs) > 0 {
		return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Pod").GroupKind(), pod.Name, errs)
	}
	return s.checkPlace()
}

// checkPrograms finds the containers with an image for which no program is known. A Pod of a
// workload may be made all the same: there it says what it waits for, as one that waits for its
// image does on a cluster, where a refusal would only be seen by who looks for the Pod that is not
// there. Those of manifests have been checked before anything of them was made.
func checkPrograms(pod *corev1.Pod) (errs field.ErrorList) {
	if metav1.GetControllerOfNoCopy(pod) != nil {
		return nil
	}
	for _, c := range program.Containers(&pod.Spec) {
		_, err := program.CommandLine(pod, c.Container)
		if _, missing := errors.AsType[*program.NoProgramError](err); missing {
			errs = append(errs, field.Required(field.NewPath(c.Path, "command"), fmt.Sprintf("cannot run image %s of container %s here: no program is known that "+
				"stands for it; add %s%[2]s: ./program --flag below metadata.annotations, or give the container a command", printable.Quote(c.Image), c.Name, manifest.AnnotationCommand)))
		}
	}
	return errs
}
