package lines

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/probity-run/probity/internal/diagnosis"
	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
)

// ProbeLog follows the attempts of all probes. Make it with [NewProbeLog]; it belongs to one
// goroutine.
type ProbeLog struct {
	reader history.Reader
	pods   map[types.UID]*loggedPod
}

// loggedPod is a Pod, and up to which attempts its probes were told.
type loggedPod struct {
	object *corev1.Pod
	cursor *history.Cursor
}

// NewProbeLog makes a ProbeLog that has told nothing.
func NewProbeLog(reader history.Reader) *ProbeLog {
	return &ProbeLog{reader: reader, pods: map[types.UID]*loggedPod{}}
}

// Pod takes a change of a Pod. Take what [ProbeLog.Next] gives before it is Deleted.
func (l *ProbeLog) Pod(change watch.EventType, object *corev1.Pod) {
	switch p := l.pods[object.UID]; {
	case change == watch.Deleted:
		delete(l.pods, object.UID)
	case p != nil:
		p.object = object
	default:
		l.pods[object.UID] = &loggedPod{object, l.reader.Cursor(object.UID)}
	}
}

// Next gives the attempts since the last call, in the order of their beginnings.
func (l *ProbeLog) Next() (all []ProbeAttempt) {
	for _, p := range l.pods {
		for _, found := range p.cursor.Next() {
			all = append(all, ProbeAttempt{p.object, found})
		}
	}
	slices.SortStableFunc(all, func(a, b ProbeAttempt) int {
		return cmp.Or(a.Attempt.Time.Compare(b.Attempt.Time), strings.Compare(a.Pod.Name, b.Pod.Name), strings.Compare(a.Key.Type, b.Key.Type))
	})
	return all
}

// ProbeAttempt is one attempt of a Pod's probe.
type ProbeAttempt struct {
	Pod *corev1.Pod
	history.Found
}

// String is the attempt as a line: 12:04:05.123 web-1/web liveness GET /livez 200 0.8ms.
func (a ProbeAttempt) String() string {
	name := a.Pod.Name + "/" + a.Key.Container
	if a.Pod.Namespace != corev1.NamespaceDefault {
		name = a.Pod.Namespace + "/" + name
	}
	words := []string{a.Attempt.Time.Local().Format("15:04:05.000"), printable.Line(name), strings.ToLower(a.Key.Type)}
	c, spec := lifecycle.ProbeOf(&a.Pod.Spec, a.Key.Container, lifecycle.ProbeType(a.Key.Type))
	if spec == nil {
		spec = &corev1.Probe{}
	}
	words = append(words, asked(c, spec))
	words = append(words, a.found(spec)...)
	if a.Attempt.Outcome == history.Failed || a.Attempt.Outcome == history.TimedOut {
		words = append(words, a.counter())
	}
	if text := a.words(spec); text != "" {
		words = append(words, text)
	}
	return strings.Join(words, " ")
}

// asked is what was asked, in as many words as scripts can count on.
func asked(c *corev1.Container, spec *corev1.Probe) string {
	switch h := spec.ProbeHandler; {
	case h.HTTPGet != nil:
		return "GET " + printable.Line("/"+strings.TrimPrefix(h.HTTPGet.Path, "/"))
	case h.GRPC != nil:
		return fmt.Sprintf("grpc :%d", h.GRPC.Port)
	case h.Exec != nil:
		return "exec"
	}
	return diagnosis.Asked(c, spec, false)
}

// found is what the attempt found, and how long that took.
func (a ProbeAttempt) found(spec *corev1.Probe) []string {
	if a.Attempt.Outcome == history.TimedOut {
		return []string{"timeout", fmt.Sprintf("%ds", max(spec.TimeoutSeconds, 1))}
	}
	took := fmt.Sprintf("%.1fms", float64(a.Attempt.Took.Microseconds())/1000)
	well := a.Attempt.Outcome == history.Answered || a.Attempt.Outcome == history.Warning
	switch {
	case a.Attempt.Outcome == history.NoVerdict:
		return []string{"error", took}
	case a.Detail.Status != 0:
		return []string{strconv.Itoa(a.Detail.Status), took}
	case spec.Exec != nil && a.Detailed:
		return []string{strconv.Itoa(a.Detail.ExitCode), took}
	case well && spec.GRPC != nil:
		return []string{"SERVING", took}
	case well:
		return []string{"ok", took}
	}
	return []string{cmp.Or(diagnosis.FailureOf(a.Attempt.Message, spec).Word(), "failed"), took}
}

// counter is how many failures in a row there are, or that the service has not come up yet.
func (a ProbeAttempt) counter() string {
	if a.Attempt.NotYet {
		return "not-yet"
	}
	return fmt.Sprintf("%d/%d", min(a.Attempt.Run, a.Attempt.Threshold), a.Attempt.Threshold)
}

// words quotes why the attempt did not succeed, where what was found does not say that.
func (a ProbeAttempt) words(spec *corev1.Probe) string {
	switch a.Attempt.Outcome {
	case history.Warning:
		return "warning"
	case history.Answered, history.TimedOut:
		return ""
	}
	text := diagnosis.FailureOf(a.Attempt.Message, spec).Text()
	if strings.TrimSpace(text) == "" {
		return ""
	}
	return quoted(text)
}

// JSON is the attempt as a line of the stream of -o json: {"type":"ATTEMPT","object":{…}}.
func (a ProbeAttempt) JSON() ([]byte, error) {
	return a.Found.JSON(a.Pod)
}
