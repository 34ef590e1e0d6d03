package proxy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// noAnswerError is the error of a request that no endpoint answered.
type noAnswerError struct {
	// reason is why no endpoint could be chosen any more, or what else is wrong; nil if the request
	// may not be sent again after the last attempt.
	reason error
	// last is the error of the last attempt, if there was one.
	last error
	// sent means that an endpoint may have seen the request.
	sent bool
}

func (e *noAnswerError) Error() string {
	switch {
	case e.last == nil:
		return e.reason.Error()
	case !e.sent:
		return e.last.Error()
	case e.reason == nil:
		return e.last.Error() + "; the request had been sent and is not one that may be sent twice"
	}
	return e.last.Error() + "; the request had been sent, and there is no other replica to send it to"
}

func (e *noAnswerError) Unwrap() []error { return []error{e.reason, e.last} }

// attemptError is the error of one attempt, with the Pod that it was made at.
type attemptError struct {
	pod *types.NamespacedName
	err error
}

func (e *attemptError) Error() string {
	name := "the replica"
	if e.pod != nil {
		name = "Pod " + e.pod.Name
	}
	return name + " did not answer: " + e.err.Error()
}

func (e *attemptError) Unwrap() error { return e.err }

// retryAfter is how many seconds clients are told to wait: the shortest time that Retry-After has,
// as an endpoint may become ready at any time.
const retryAfter = 1

// ownAnswer is an answer of the proxy itself.
type ownAnswer struct {
	code   int
	header http.Header
	body   string
}

// plainAnswer is an answer in plain text, which says why a request does not go to an endpoint.
func plainAnswer(code int, why string) ownAnswer {
	header := http.Header{"Content-Type": {"text/plain; charset=utf-8"}, "X-Content-Type-Options": {"nosniff"}}
	return ownAnswer{code, header, why + "\n"}
}

// write writes the answer by net/http.
func (a ownAnswer) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.code)
	_, _ = w.Write([]byte(a.body)) // fails only if the client has gone
}

// failureStatus is what is known of a request that no endpoint answered: 503 if none has seen it,
// else 502.
func (sp *servicePort) failureStatus(why *noAnswerError) *metav1.Status {
	code, reason := http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable
	if why.sent {
		code, reason = http.StatusBadGateway, metav1.StatusReasonUnknown
	}
	status := &metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason,
		Message: fmt.Sprintf("Service %s/%s, port %d: %v", sp.service.Namespace, sp.service.Name, sp.key.number, why),
		Details: &metav1.StatusDetails{Kind: "services", Name: sp.service.Name},
	}
	if !why.sent {
		status.Details.Causes, status.Details.RetryAfterSeconds = sp.causes(), retryAfter
	}
	return status
}

// failureAnswer tells a client why no endpoint answered. Clients that want JSON get a Kubernetes
// Status.
func failureAnswer(status *metav1.Status, accept []string) ownAnswer {
	a := plainAnswer(int(status.Code), text(status, "\n  "))
	if wantsJSON(accept) {
		if encoded, err := json.Marshal(status); err == nil { // a Status always can be encoded
			a.body = string(encoded) + "\n"
			a.header.Set("Content-Type", "application/json")
		}
	}
	a.header.Set("Cache-Control", "no-store")
	if status.Details.RetryAfterSeconds > 0 {
		a.header.Set("Retry-After", fmt.Sprint(status.Details.RetryAfterSeconds))
	}
	return a
}

// answerFailure tells a client of net/http's why no endpoint answered, and returns the code. gRPC
// clients get the gRPC status UNAVAILABLE, without which they would not show the text.
func (sp *servicePort) answerFailure(w http.ResponseWriter, r *http.Request, why *noAnswerError) (code int) {
	status := sp.failureStatus(why)
	if isGRPC(r) {
		answerGRPC(w, text(status, "; "))
	} else {
		failureAnswer(status, r.Header.Values("Accept")).write(w)
	}
	return int(status.Code)
}

// brokenBodyAnswer tells a client that its request's body broke off.
func (sp *servicePort) brokenBodyAnswer(why error) ownAnswer {
	code := http.StatusBadRequest
	if errors.Is(why, os.ErrDeadlineExceeded) {
		code = http.StatusRequestTimeout
	}
	return plainAnswer(code, fmt.Sprintf("Service %s/%s, port %d: cannot read the request's body: %v", sp.service.Namespace, sp.service.Name, sp.key.number, why))
}

// rejectBody tells a client of net/http's that its request's body broke off. It returns the code.
func (sp *servicePort) rejectBody(w http.ResponseWriter, r *http.Request, why error) (code int) {
	if r.ProtoMajor == 1 { // over HTTP/2 it would end the other streams, too
		w.Header().Set("Connection", "close")
	}
	a := sp.brokenBodyAnswer(why)
	a.write(w)
	return a.code
}

// text is a status as text for people.
func text(s *metav1.Status, separator string) string {
	parts := []string{s.Message}
	for _, c := range s.Details.Causes {
		parts = append(parts, strings.TrimPrefix(c.Field+": ", ": ")+c.Message)
	}
	return strings.Join(parts, separator)
}

// answerGRPC answers with UNAVAILABLE, in a response of trailers only.
func answerGRPC(w http.ResponseWriter, message string) {
	const unavailable = "14"
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "application/grpc")
	h.Set("Grpc-Status", unavailable)
	h.Set("Grpc-Message", strings.ReplaceAll(url.QueryEscape(message), "+", "%20"))
	w.WriteHeader(http.StatusOK)
}

// wantsJSON reports whether a client names JSON before text, and before anything at all, in what it
// accepts.
func wantsJSON(accept []string) bool {
	for media := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		mediaType, _, err := mime.ParseMediaType(media)
		switch {
		case err != nil:
		case mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
			return true
		case mediaType == "text/html" || mediaType == "text/plain" || mediaType == "*/*":
			return false
		}
	}
	return false
}
