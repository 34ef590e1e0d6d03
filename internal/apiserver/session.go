package apiserver

import (
	"errors"
	"fmt"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/apiserver/stream"
)

// Why a session ended as it did, as a kubelet says it.
const (
	reasonExitCode metav1.StatusReason = "NonZeroExitCode"
	causeExitCode  metav1.CauseType    = "ExitCode"
)

// session upgrades the connection and does something in a session, whose end it reports.
func (c *call) session(wants stream.Wants, do func(*stream.Session) *metav1.Status) error {
	if !stream.IsUpgrade(c.r) {
		return badRequest("Upgrade request required")
	}
	release, ok := c.acquireStream()
	if !ok {
		return nil // it was answered
	}
	defer release()
	s, err := stream.Open(c.w, c.r, wants)
	if err != nil {
		return c.streamEnded(err)
	}
	s.End(do(s))
	return nil
}

// streamEnded is how to answer a request whose connection could not be upgraded, or is over by now:
// then there is no answer.
func (c *call) streamEnded(err error) error {
	if refused, ok := errors.AsType[*stream.ProtocolError](err); ok {
		return badRequest(refused.Error())
	}
	if err != nil {
		c.server.opts.Logger.Debug("A client has gone", "path", c.r.URL.Path, "error", err)
	}
	return nil
}

// exited says with which code a session has ended, as a kubelet does.
func exited(code int) *metav1.Status {
	if code == 0 {
		return &metav1.Status{Status: metav1.StatusSuccess}
	}
	return &metav1.Status{
		Status: metav1.StatusFailure, Reason: reasonExitCode, Message: fmt.Sprintf("command terminated with non-zero exit code: %d", code),
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: causeExitCode, Message: strconv.Itoa(code)}}},
	}
}

func sessionFailed(err error) *metav1.Status {
	status := statusOf(err)
	return &status
}
