package rollout

import (
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// image is a container whose image cannot be pulled. What the registry says no to is doomed; a
// registry that does not answer may do so later.
func (s *scene) image(c *candidate, p *corev1.Pod, st *corev1.ContainerStatus, message string) {
	image := clean(imageOf(p, st))
	t := s.tally(p.UID, "Failed", func(e *corev1.Event, m string) bool {
		return about(e, st.Name) && strings.HasPrefix(m, "Failed to pull image ")
	})
	c.Kind = Image
	c.counted(t)
	if !strings.Contains(message, ": ") && t.message != "" { // nothing but the name of the back-off
		message = t.message
	}
	class, words := classifyPull(message)
	c.Short = fmt.Sprintf("cannot pull %s: %s", image, words)
	c.Text = fmt.Sprintf("container %s: cannot pull %s: %s", c.Container, image, words)
	if detail := pullDetail(message); detail != "" && detail != words {
		c.Details = []string{detail}
	}
	c.alike = c.Text
	registry, _, _ := strings.Cut(image, "/")
	switch class {
	case pullAbsent:
		c.Next = "is the tag right, and was it pushed?"
	case pullDenied:
		c.Next = "does the image exist, and may the nodes read it (imagePullSecrets)?"
	default:
		c.Degree = Suspect
		c.Next = fmt.Sprintf("can the nodes reach %s?", registryOf(image))
		if strings.HasPrefix(registry, "localhost") || strings.HasPrefix(registry, "127.") {
			c.Next += fmt.Sprintf("  (%q is the node itself)", strings.Split(registry, ":")[0])
		}
		return
	}
	if c.Count == 0 {
		c.Count = 1
		if s.EventsForbidden || strings.Contains(st.State.Waiting.Reason, "BackOff") {
			c.Count = 2 // the back-off is that of an attempt before
		}
	}
	s.doom(c, 2, retryImage)
	c.Count = t.count
	if s.pulls(p, st, t) {
		c.ripe, c.due = false, time.Time{} // which an Event will tell
	}
}

// pulls reports whether the node pulls the image of a container at this moment, after it has failed
// to: the status goes on with what was wrong before.
func (s *scene) pulls(p *corev1.Pod, st *corev1.ContainerStatus, failed tally) bool {
	t := s.tally(p.UID, "Pulling", func(e *corev1.Event, _ string) bool { return about(e, st.Name) })
	return failed.count > 0 && t.last.After(failed.last)
}

func registryOf(image string) string {
	registry, _, ok := strings.Cut(image, "/")
	if ok && (strings.ContainsAny(registry, ".:") || registry == "localhost") {
		return registry
	}
	return "docker.io"
}

// pull is what kind of a failure it was.
type pull int

const (
	pullOther pull = iota
	pullAbsent
	pullDenied
)

// classifyPull finds in the words of a runtime what the registry said.
func classifyPull(message string) (pull, string) {
	low := strings.ToLower(message)
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(low, part) {
				return true
			}
		}
		return false
	}
	switch {
	case has("429", "toomanyrequests", "too many requests"):
		return pullOther, "the registry says that it was asked too often"
	case has("connection refused", "i/o timeout", "deadline exceeded", "no such host", "tls handshake timeout", "connection reset", "no route to host", "server misbehaving", "eof"):
		return pullOther, "the registry does not answer"
	case has("unauthorized", "authorization failed", "access denied", "access to the resource is denied", "denied:", "403 forbidden", "no basic auth"):
		return pullDenied, "the registry denies it"
	case has("not found", "manifest unknown", "name unknown", "does not exist"):
		return pullAbsent, "not found"
	}
	return pullOther, pullDetail(message)
}

// pullDetail is the end of what a runtime says, where the reason is.
func pullDetail(message string) string {
	message = clean(message)
	for _, from := range []string{"dial tcp ", "lookup ", "failed to resolve reference "} {
		if i := strings.LastIndex(message, from); i >= 0 {
			message = strings.TrimSuffix(message[i:], `"`)
			if strings.HasSuffix(message, ": not found") {
				return "not found" // before that is the name of the image, twice
			}
			return message
		}
	}
	if i := strings.LastIndex(message, "desc = "); i >= 0 {
		return message[i+len("desc = "):]
	}
	return message
}
