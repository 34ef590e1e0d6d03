package node

import (
	"fmt"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
)

// Annotations of a Pod that Probity writes; each is followed by a container's name.
const (
	// AnnotationPID is the process id of the running instance.
	AnnotationPID = "probity.run/pid."
	// AnnotationStopping is there while the running instance is being stopped: from its Killing
	// Event to its exit. The status goes on to say Running, as the kubelet's does.
	AnnotationStopping = "probity.run/stopping."
)

// commandLine is what runs for a container, before $(NAME) is expanded: the annotation if there is
// one, else command and args.
func commandLine(pod *corev1.Pod, c *corev1.Container) ([]string, error) {
	if line, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		words, err := manifest.SplitWords(line)
		if err != nil {
			return nil, fmt.Errorf("cannot read annotation %s%s: %w", manifest.AnnotationCommand, c.Name, err)
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("cannot run container %s: annotation %s%s is empty", c.Name, manifest.AnnotationCommand, c.Name)
		}
		return words, nil
	}
	if len(c.Command) == 0 {
		return nil, &noProgramError{c}
	}
	return append(append([]string{}, c.Command...), c.Args...), nil
}

// noProgramError is the error of a container with an image alone.
type noProgramError struct{ container *corev1.Container }

func (e *noProgramError) Error() string {
	return fmt.Sprintf("cannot run image %q of container %s here: say which program stands for it, with the Pod annotation "+
		"%s%s: ./program --flag, or with --command %[2]s='./program --flag'", e.container.Image, e.container.Name, manifest.AnnotationCommand, e.container.Name)
}

// workingDir is where a container's program starts: workingDir, seen from the manifest's folder.
func workingDir(pod *corev1.Pod, c *corev1.Container) string {
	if filepath.IsAbs(c.WorkingDir) {
		return c.WorkingDir
	}
	return filepath.Join(filepath.Dir(pod.Annotations[manifest.AnnotationManifest]), c.WorkingDir)
}

// commandField names where a word of that command line stands, seen from the container.
func commandField(pod *corev1.Pod, c *corev1.Container, word int) string {
	if _, ok := pod.Annotations[manifest.AnnotationCommand+c.Name]; ok {
		return "metadata.annotations[" + manifest.AnnotationCommand + c.Name + "]"
	}
	if word < len(c.Command) {
		return fmt.Sprintf("command[%d]", word)
	}
	return fmt.Sprintf("args[%d]", word-len(c.Command))
}
