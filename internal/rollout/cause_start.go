package rollout

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// How long it can take until the kubelet tries again what has failed for the patience: an image is
// pulled after 10, 20, 40 s; a volume is mounted after twice the time of the last attempt; what a
// container is made of is looked for in each sync, every 10 to 15 s.
const (
	retryImage  = 30 * time.Second
	retryVolume = 40 * time.Second
	retryConfig = 15 * time.Second
)

// hasBegun reports whether a container of a Pod was ever started, or is kept from it by something
// that its own status tells.
func hasBegun(p *corev1.Pod) bool {
	for _, st := range statuses(p) {
		w := st.State.Waiting
		if st.State.Running != nil || st.State.Terminated != nil || st.LastTerminationState.Terminated != nil ||
			w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			return true
		}
	}
	return false
}

// sandbox is a Pod whose node cannot make what its containers run in.
func (s *scene) sandbox(p *corev1.Pod) *candidate {
	t := s.tally(p.UID, "FailedCreatePodSandBox", nil)
	if t.count == 0 || hasBegun(p) {
		return nil
	}
	c := of(p, Sandbox, Doomed)
	c.counted(t)
	node := clean(p.Spec.NodeName)
	words := strings.TrimPrefix(t.message, "Failed to create pod sandbox: ")
	c.Short, c.alike = "node "+node+" cannot make the Pod: "+clean(words), "sandbox "+node
	c.Text = c.Short
	c.Details = s.howOften(t)
	c.Next = "look after the node's network plugin and container runtime: kubectl describe node " + node
	s.doom(c, 2, retryConfig)
	return c
}

// counted takes over from a tally what a cause says of itself.
func (c *candidate) counted(t tally) {
	c.Count, c.AtLeast, c.Since = t.count, t.count > 0, t.first
	if t.count > 0 {
		c.Evidence = append(c.Evidence, t.evidence())
	}
}

// howOften is a line: "at least 8 times in 1m04s".
func (s *scene) howOften(t tally) []string {
	if t.count < 2 {
		return nil
	}
	text := "at least " + times(t.count)
	if d := t.last.Sub(t.first); d >= time.Second {
		text += " in " + span(d)
	}
	return []string{text}
}

// volume is a Pod whose volumes its node cannot mount. Only Events tell.
func (s *scene) volume(p *corev1.Pod) *candidate {
	if hasBegun(p) || p.Spec.NodeName == "" {
		return nil
	}
	t := s.tally(p.UID, "FailedMount", nil)
	if attach := s.tally(p.UID, "FailedAttachVolume", nil); t.count == 0 {
		t = attach
	}
	if t.count == 0 {
		return nil
	}
	c := of(p, Volume, Doomed)
	c.counted(t)
	name, words := mountWords(t.message)
	what := "its volumes"
	if name != "" {
		what = fmt.Sprintf("volume %q", name)
	}
	c.Short = "cannot mount " + what + ": " + words
	c.alike = c.Short
	c.head = func(n int) string { return plural(n, "Pod") + " " + c.Short }
	c.Details = s.howOften(t)
	if kind, object, ok := missingObject(words); ok {
		c.Next = s.create(kind, object, "mark the volume optional")
	}
	s.doom(c, 2, retryVolume)
	return c
}

// mountWords finds in the kubelet's words which volume it is, and why.
func mountWords(message string) (volume, words string) {
	message = clean(message)
	rest, ok := strings.CutPrefix(message, `MountVolume.SetUp failed for volume "`)
	if !ok {
		rest, ok = strings.CutPrefix(message, `AttachVolume.Attach failed for volume "`)
	}
	if name, after, found := strings.Cut(rest, `" : `); ok && found {
		return name, after
	}
	return "", message
}

// missingObject finds in a message what is not there: `configmap "settings" not found`.
func missingObject(message string) (kind, name string, ok bool) {
	rest, found := strings.CutSuffix(strings.TrimSpace(message), " not found")
	if !found {
		return "", "", false
	}
	words := strings.Fields(rest)
	if len(words) < 2 {
		return "", "", false
	}
	kind, ok = map[string]string{"configmap": "ConfigMap", "secret": "Secret", "persistentvolumeclaim": "PersistentVolumeClaim"}[strings.ToLower(words[len(words)-2])]
	quoted := words[len(words)-1]
	name = strings.Trim(quoted, `"`)
	return kind, name[strings.LastIndexByte(name, '/')+1:], ok && name != quoted
}

// create is what to do about an object that is missing.
func (s *scene) create(kind, name, otherwise string) string {
	text := fmt.Sprintf("create %s %s in namespace %s", kind, name, cmp.Or(s.Workload.GetNamespace(), corev1.NamespaceDefault))
	if s.Has != nil && !s.Has(kind, name) {
		text = fmt.Sprintf("the set has no %s %s in namespace %s; create it", kind, name, cmp.Or(s.Workload.GetNamespace(), corev1.NamespaceDefault))
	}
	if otherwise != "" {
		text += ", or " + otherwise
	}
	return clean(text)
}

// unstarted is a container that cannot be started: its image, what it is made of, its command.
func (s *scene) unstarted(p *corev1.Pod, st *corev1.ContainerStatus) *candidate {
	reason, message := "", ""
	if w := st.State.Waiting; w != nil {
		reason, message = w.Reason, w.Message
	}
	name := clean(st.Name)
	c := of(p, Config, Doomed)
	c.Container = name
	c.Evidence = []Evidence{{From: "status", Reason: clean(reason), Message: clean(message), RestartCount: int(st.RestartCount)}}
	switch reason {
	case "InvalidImageName":
		c.Kind, c.Degree, c.ripe = ImageName, Certain, true
		c.Short = "image name is not valid: " + clean(message)
		c.Text = fmt.Sprintf("container %s: %q is no image name: invalid reference format", name, clean(imageOf(p, st)))
	case "ErrImageNeverPull":
		c.Kind, c.Degree, c.ripe = ImageName, Certain, true
		c.Short = fmt.Sprintf("image %s is not on the node, and imagePullPolicy is Never", clean(imageOf(p, st)))
		c.Text = fmt.Sprintf("container %s: %s", name, c.Short)
	case "ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "ImageInspectError", "SignatureValidationFailed":
		s.image(c, p, st, message)
	case "CreateContainerConfigError", "CreateContainerError":
		s.config(c, p, st, message)
	default:
		return s.command(p, st)
	}
	c.alike = cmp.Or(c.alike, c.Text)
	return c
}

func imageOf(p *corev1.Pod, st *corev1.ContainerStatus) string {
	if c, _ := containerOf(p, st.Name); c != nil && c.Image != "" {
		return c.Image
	}
	return st.Image
}

// config is a container that cannot be made.
func (s *scene) config(c *candidate, p *corev1.Pod, st *corev1.ContainerStatus, message string) {
	t := s.tally(p.UID, "Failed", func(e *corev1.Event, m string) bool {
		return about(e, st.Name) && strings.TrimPrefix(m, "Error: ") == message
	})
	c.counted(t)
	c.Short = "cannot be made: " + clean(message)
	c.Text = fmt.Sprintf("container %s %s", c.Container, c.Short)
	if kind, name, ok := missingObject(message); ok {
		c.Next = s.create(kind, name, "mark envFrom optional")
	}
	c.Count = max(c.Count, 2) // the status says so as long as each sync finds it
	s.doom(c, 2, retryConfig)
	c.Count = t.count
}

// command is a container whose program cannot be started. Its status alternates between that and
// the back-off.
func (s *scene) command(p *corev1.Pod, st *corev1.ContainerStatus) *candidate {
	end := st.State.Terminated
	if end == nil {
		end = st.LastTerminationState.Terminated
	}
	failed := end != nil && (end.Reason == "StartError" || end.Reason == "ContainerCannotRun")
	w := st.State.Waiting
	if st.State.Running != nil || !failed && (w == nil || w.Reason != "RunContainerError") {
		return nil
	}
	message := ""
	if failed {
		message = end.Message
	} else {
		message = w.Message
	}
	c := of(p, Command, Doomed)
	c.Container, c.Count = clean(st.Name), max(s.ended(p, st), 1)
	c.Short = "cannot start " + startWords(message)
	c.Text = fmt.Sprintf("container %s cannot start: %s", c.Container, startWords(message))
	c.alike = c.Text
	c.Details = []string{fmt.Sprintf("restarts %d", st.RestartCount)}
	c.Evidence = []Evidence{{From: "status", Reason: "StartError", Message: clean(message), RestartCount: int(st.RestartCount)}}
	c.Next = "is the path in command right, and in the image?"
	s.doom(c, 2, 0)
	return c
}

// startWords are the last words of a runtime's long error, which say what the matter is.
func startWords(message string) string {
	message = clean(message)
	for _, from := range []string{"exec: ", "starting container process caused: ", "runc create failed: "} {
		if i := strings.LastIndex(message, from); i >= 0 {
			if from != "exec: " {
				i += len(from)
			}
			return strings.TrimSuffix(message[i:], ": unknown")
		}
	}
	return strings.TrimPrefix(strings.TrimSuffix(message, ": unknown"), "cannot start ") // the node of a run begins so
}
