package apiserver

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/store"
)

// attemptsPause is the time between two looks at what probes have found: nobody is told by them.
const attemptsPause = 200 * time.Millisecond

// attempts sends each attempt of a Pod's probes that is kept, a line of JSON each, and with follow
// those that come until the Pod is gone.
func (c *call) attempts() error {
	since, follow, err := parseAttemptOptions(c.r.URL.Query())
	if err != nil {
		return err
	}
	pod, err := store.Get[*corev1.Pod](c.server.opts.Store, c.target.namespace, c.target.name)
	if err != nil {
		return apierrors.NewNotFound(c.resource.groupResource(), c.target.name)
	}
	release, ok := c.acquireFollow(follow)
	if !ok {
		return nil // it was answered
	}
	defer release()
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	out, cursor := http.NewResponseController(c.w), c.server.opts.History.Cursor(pod.UID)
	for first, over := true, !follow; ; first = false {
		all := cursor.Next()
		for _, found := range all {
			if !found.Attempt.Time.Before(since) && c.sendAttempt(out, pod, found) != nil {
				return nil // the client is gone, or takes nothing
			}
		}
		if (first || len(all) > 0) && flushWithin(out, c.server.opts.WriteTime) != nil {
			return nil
		}
		if over {
			return nil
		}
		select {
		case <-time.After(attemptsPause):
		case <-c.r.Context().Done():
			return nil
		}
		over = !c.server.isThere(pod.Namespace, pod.Name, pod.UID) // then a last look
	}
}

func (c *call) sendAttempt(out *http.ResponseController, pod *corev1.Pod, found history.Found) error {
	line, err := found.JSON(pod)
	if err != nil {
		return err
	}
	if err := out.SetWriteDeadline(time.Now().Add(c.server.opts.WriteTime)); err != nil {
		return err
	}
	_, err = c.w.Write(append(line, '\n'))
	return err
}

// isThere reports whether a Pod is not gone.
func (s *Server) isThere(namespace, name string, uid types.UID) bool {
	now, err := store.Get[*corev1.Pod](s.opts.Store, namespace, name)
	return err == nil && now.UID == uid
}

func parseAttemptOptions(query url.Values) (since time.Time, follow bool, err error) {
	if text := query.Get("follow"); text != "" {
		if follow, err = strconv.ParseBool(text); err != nil {
			return since, false, badRequest("follow must be true or false")
		}
	}
	if text := query.Get("sinceTime"); text != "" {
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			return since, false, badRequest("sinceTime must be a time as in 2006-01-02T15:04:05Z")
		}
	}
	return since, follow, nil
}
