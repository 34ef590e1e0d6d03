package apiserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

const (
	// A followed log that has nothing new is looked at again after followPause, and then ever less
	// often: a service that says nothing costs little, and one that talks is shown at once.
	followPause, maxFollowPause = 25 * time.Millisecond, 250 * time.Millisecond
	// stampLayout is how a kubelet writes the time before a line.
	stampLayout = "2006-01-02T15:04:05.000000000Z07:00"
)

// logOptions are those of the query, of which a zero value asks for all that there is now.
type logOptions struct {
	container  string
	previous   bool
	follow     bool
	timestamps bool
	since      time.Time
	tail       int64 // lines from the end; all if it is negative
	limit      int64 // bytes
	stream     string
}

// parseLogOptions reads the query of pods/log. The error is the API's Invalid.
func parseLogOptions(query url.Values, now time.Time) (logOptions, error) {
	o := logOptions{container: query.Get("container"), tail: -1, limit: math.MaxInt64, stream: "All"}
	var errs field.ErrorList
	flag := func(name string, to *bool) {
		if text := query.Get(name); text != "" {
			value, err := strconv.ParseBool(text)
			if err != nil {
				errs = append(errs, field.Invalid(field.NewPath(name), text, "must be true or false"))
			}
			*to = value
		}
	}
	number := func(name string, least int64) (value int64, given bool) {
		text := query.Get(name)
		if text == "" {
			return 0, false
		}
		value, err := strconv.ParseInt(text, 10, 64)
		if err != nil || value < least {
			errs = append(errs, field.Invalid(field.NewPath(name), text, fmt.Sprintf("must be greater than or equal to %d", least)))
		}
		return value, err == nil
	}
	flag("previous", &o.previous)
	flag("follow", &o.follow)
	flag("timestamps", &o.timestamps)
	if lines, given := number("tailLines", 0); given {
		o.tail = lines
	}
	if bytes, given := number("limitBytes", 1); given {
		o.limit = bytes
	}
	if seconds, given := number("sinceSeconds", 1); given {
		o.since = now.Add(-time.Duration(min(seconds, maxSeconds)) * time.Second)
	}
	if text := query.Get("sinceTime"); text != "" {
		if !o.since.IsZero() {
			errs = append(errs, field.Forbidden(field.NewPath(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"))
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			errs = append(errs, field.Invalid(field.NewPath("sinceTime"), text, "must be a time as in 2006-01-02T15:04:05Z"))
		}
		o.since = at
	}
	if stream := query.Get("stream"); stream != "" {
		streams := []string{"All", "Stdout", "Stderr"}
		if !slices.Contains(streams, stream) {
			errs = append(errs, field.NotSupported(field.NewPath("stream"), stream, streams))
		}
		o.stream = stream
	}
	if len(errs) > 0 {
		return o, apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("PodLogOptions").GroupKind(), "", errs)
	}
	return o, nil
}

// log sends what a container has printed, and with follow what it prints until it ends.
func (c *call) log() error {
	o, err := parseLogOptions(c.r.URL.Query(), time.Now())
	if err != nil {
		return err
	}
	pod, err := store.Get[*corev1.Pod](c.server.opts.Store, c.target.namespace, c.target.name)
	if err != nil {
		return err
	}
	if o.container, err = containerOf(pod, o.container); err != nil {
		return err
	}
	instance, err := instanceOf(pod, o.container, o.previous)
	if err != nil {
		return err
	}
	release, ok := c.acquireFollow(o.follow)
	if !ok {
		return nil // it was answered
	}
	defer release()
	reader := c.server.opts.Runner.OpenLog(pod, o.container, instance)
	defer reader.Close() // it was only read
	if o.tail >= 0 {
		if err := seekTail(reader, o); err != nil {
			return apierrors.NewInternalError(err)
		}
	}
	c.w.Header().Set("Content-Type", "text/plain")
	c.w.WriteHeader(http.StatusOK)
	s := logStream{call: c, options: o, out: http.NewResponseController(c.w)}
	ended := func() bool { return !o.follow || o.previous || c.server.hasEnded(pod, o.container, instance) }
	s.copy(c.r.Context(), reader, ended)
	return nil
}

// acquireFollow takes a slot for something that is followed, for as long as it takes until the
// caller calls release. If there is none, ok is false, and the request was answered.
func (c *call) acquireFollow(follow bool) (release func(), ok bool) {
	if g := c.server.opts.Guard; g != nil && follow {
		return g.AcquireFollow(c.w, c.r)
	}
	return func() {}, true
}

// containerOf is the container that a request about a Pod means.
func containerOf(pod *corev1.Pod, name string) (string, error) {
	var regular, inits []string
	for _, container := range pod.Spec.Containers {
		regular = append(regular, container.Name)
	}
	for _, container := range pod.Spec.InitContainers {
		inits = append(inits, container.Name)
	}
	if name == "" {
		name = pod.Annotations["kubectl.kubernetes.io/default-container"]
	}
	switch {
	case name == "" && len(regular) == 1 && len(inits) == 0:
		return regular[0], nil
	case name == "":
		message := fmt.Sprintf("a container name must be specified for pod %s, choose one of: [%s]", pod.Name, strings.Join(regular, " "))
		if len(inits) > 0 {
			message += fmt.Sprintf(" or one of the init containers: [%s]", strings.Join(inits, " "))
		}
		return "", badRequest(message)
	case !slices.Contains(regular, name) && !slices.Contains(inits, name):
		return "", badRequest(fmt.Sprintf("container %s is not valid for pod %s", name, pod.Name))
	}
	return name, nil
}

// statusOfContainer is what is known of a container; nil as long as that is nothing.
func statusOfContainer(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		if i := slices.IndexFunc(statuses, func(s corev1.ContainerStatus) bool { return s.Name == name }); i >= 0 {
			return &statuses[i]
		}
	}
	return nil
}

// instanceOf is the instance of a container whose log is asked for: the one that runs or ran last,
// or the one before. It counts the restarts before it. The error says that there is none.
func instanceOf(pod *corev1.Pod, name string, previous bool) (int, error) {
	s := statusOfContainer(pod, name)
	if s == nil {
		return 0, badRequest(fmt.Sprintf("container %q in pod %q is not available", name, pod.Name))
	}
	restarts := int(s.RestartCount)
	switch waiting := s.State.Waiting; {
	case previous && s.LastTerminationState.Terminated == nil:
		return 0, badRequest(fmt.Sprintf("previous terminated container %q in pod %q not found", name, pod.Name))
	case previous && waiting != nil: // the last one has ended, and the next one not begun
		return restarts, nil
	case previous:
		return restarts - 1, nil
	case waiting != nil && s.LastTerminationState.Terminated == nil:
		return 0, badRequest(fmt.Sprintf("container %q in pod %q is waiting to start: %s", name, pod.Name, waiting.Reason))
	}
	return restarts, nil
}

// hasEnded reports whether an instance will print nothing any more.
func (s *Server) hasEnded(pod *corev1.Pod, container string, instance int) bool {
	now, err := store.Get[*corev1.Pod](s.opts.Store, pod.Namespace, pod.Name)
	if err != nil || now.UID != pod.UID {
		return true
	}
	status := statusOfContainer(now, container)
	return status == nil || int(status.RestartCount) > instance || status.State.Running == nil
}

// seekTail goes to where the last lines of a log begin.
func seekTail(r *process.LogReader, o logOptions) error {
	if err := r.SeekEnd(); err != nil {
		return err
	}
	for lines := int64(0); lines < o.tail; {
		entry, err := r.Previous()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if entry.Time.Before(o.since) {
			_, err := r.Next()
			return err
		}
		if !entry.Partial && o.wants(entry) {
			lines++
		}
	}
	return nil
}

// wants reports whether an entry is of a stream that was asked for.
func (o logOptions) wants(entry process.LogEntry) bool {
	return o.stream == "All" || strings.EqualFold(o.stream, string(entry.Stream))
}

// logStream writes lines to one client.
type logStream struct {
	call    *call
	options logOptions
	out     *http.ResponseController
	inLine  bool // the last entry was a piece of a line
	sent    int64
}

// copy sends entries until there is none and ended says so, the client leaves, or it has all the
// bytes that it wanted.
func (s *logStream) copy(ctx context.Context, reader *process.LogReader, ended func() bool) {
	pause := followPause
	for over, first := false, true; ; first = false {
		before := s.sent
		more, err := s.copyAll(reader)
		if err != nil || !more || over {
			return
		}
		if first || s.sent > before {
			pause = followPause
			if flushWithin(s.out, s.call.server.opts.WriteTime) != nil {
				return
			}
		}
		if over = ended(); over {
			continue // with what it printed since
		}
		select {
		case <-time.After(pause):
			pause = min(2*pause, maxFollowPause)
		case <-ctx.Done():
			return
		}
	}
}

// copyAll sends what there is. Without more the client has all that it wanted.
func (s *logStream) copyAll(reader *process.LogReader) (more bool, err error) {
	for {
		entry, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if entry.Time.Before(s.options.since) || !s.options.wants(entry) {
			continue
		}
		if more, err := s.send(entry); err != nil || !more {
			return false, err
		}
	}
}

// send writes one entry.
func (s *logStream) send(entry process.LogEntry) (more bool, err error) {
	var line []byte
	if s.options.timestamps && !s.inLine {
		line = append(entry.Time.AppendFormat(line, stampLayout), ' ')
	}
	line = append(line, entry.Text...)
	if !entry.Partial {
		line = append(line, '\n')
	}
	s.inLine = entry.Partial
	left := s.options.limit - s.sent
	line = line[:min(int64(len(line)), left)]
	s.sent += int64(len(line))
	if err := s.out.SetWriteDeadline(time.Now().Add(s.call.server.opts.WriteTime)); err != nil {
		return false, err
	}
	if _, err := s.call.w.Write(line); err != nil {
		return false, err
	}
	return s.sent < s.options.limit, nil
}
