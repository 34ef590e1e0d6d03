package node

import (
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
	// AnnotationKillAt is when SIGKILL follows for an instance that is being stopped, unless it
	// ends before: a time as RFC 3339 has it. It goes when the signal is sent.
	AnnotationKillAt = "probity.run/kill-at."
)

// workingDir is where a container's program starts: the annotation if there is one, else
// workingDir, seen from the manifest's folder.
func workingDir(pod *corev1.Pod, c *corev1.Container) string {
	dir, ok := pod.Annotations[manifest.AnnotationDirectory+c.Name]
	if !ok {
		dir = c.WorkingDir
	}
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(filepath.Dir(pod.Annotations[manifest.AnnotationManifest]), dir)
}
