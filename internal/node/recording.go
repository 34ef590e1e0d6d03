package node

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/history"
	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// recording keeps the past of a Pod, for people. It belongs to the loop's goroutine.
type recording struct {
	past   *history.Pod
	spec   *corev1.PodSpec
	probes map[probeKey]*history.Probe
	causes map[string]string              // why an instance is being stopped, by its container's field path
	failed map[string]lifecycle.ProbeType // the probe that failed for good, by container
}

func newRecording(past *history.Pod, pod *corev1.Pod) *recording {
	return &recording{past: past, spec: &pod.Spec, probes: map[probeKey]*history.Probe{}, causes: map[string]string{}, failed: map[string]lifecycle.ProbeType{}}
}

// attempted records an attempt. state is that of the probe after it.
func (r *recording) attempted(a *attempt, result probe.Result, took time.Duration, state lifecycle.ProbeState) {
	past := r.probes[a.key()]
	if past == nil {
		past = r.past.Probe(history.Key{Container: a.Container, Type: string(a.Type)}, history.Probing{
			Asks: asks(&a.Probe.ProbeHandler), SuccessThreshold: int(a.Probe.SuccessThreshold), FailureThreshold: int(a.Probe.FailureThreshold),
		})
		r.probes[a.key()] = past
	}
	if state.Result == lifecycle.ResultFailure && a.Type != lifecycle.Readiness {
		r.failed[a.Container] = a.Type
	}
	d := result.Detail
	took = cmp.Or(d.Total, took) // without the wait for the engine
	_, message := outcomeOf(result)
	r.past.Attempt(past, history.Attempt{
		Time: a.began, Took: took, Outcome: recordedOutcome(result), Instance: a.instance.number, Message: message,
		Run: counted(state), Failing: state.Last == lifecycle.ResultFailure, Result: recordedResult(state.Result),
	}, history.Detail{
		Remote: d.Remote, Status: d.Status, ExitCode: d.ExitCode, Message: message, Body: d.Body, BodySize: d.BodySize,
		Connect: d.Connect, FirstByte: d.FirstByte, Total: took, TimedOut: d.TimedOut,
	})
}

// counted is the counter after an attempt. A worker that has got to its threshold, and runs no
// more, counts from 0 again.
func counted(state lifecycle.ProbeState) int {
	if state.Hold && state.Run == 0 {
		return state.Threshold
	}
	return state.Run
}

func recordedOutcome(result probe.Result) history.Outcome {
	switch {
	case result.Err != nil || result.Outcome == probe.Unknown:
		return history.NoVerdict
	case result.Outcome == probe.Success:
		return history.Answered
	case result.Outcome == probe.Warning:
		return history.Warning
	case result.Detail.TimedOut:
		return history.TimedOut
	}
	return history.Failed
}

func recordedResult(result lifecycle.ProbeResult) history.Result {
	switch result {
	case lifecycle.ResultSuccess:
		return history.Passing
	case lifecycle.ResultFailure:
		return history.Failing
	default:
		return history.NotKnown
	}
}

// asks is what a probe asks, in the manifest's words.
func asks(h *corev1.ProbeHandler) string {
	switch {
	case h.Exec != nil:
		return "exec " + strings.Join(h.Exec.Command, " ")
	case h.HTTPGet != nil:
		path := "/" + strings.TrimPrefix(h.HTTPGet.Path, "/")
		return fmt.Sprintf("GET %s://%s:%s%s", strings.ToLower(cmp.Or(string(h.HTTPGet.Scheme), "http")), h.HTTPGet.Host, h.HTTPGet.Port.String(), path)
	case h.TCPSocket != nil:
		return fmt.Sprintf("tcp %s:%s", h.TCPSocket.Host, h.TCPSocket.Port.String())
	case h.GRPC != nil && h.GRPC.Service != nil && *h.GRPC.Service != "":
		return fmt.Sprintf("grpc :%d %s", h.GRPC.Port, *h.GRPC.Service)
	case h.GRPC != nil:
		return fmt.Sprintf("grpc :%d", h.GRPC.Port)
	}
	return ""
}

// killing notes why the instance of a container is being stopped.
func (r *recording) killing(fieldPath, cause string) { r.causes[fieldPath] = cause }

// started records that an instance began.
func (r *recording) started(container string, inst *instance) {
	delete(r.causes, fieldPath(r.spec, container))
	delete(r.failed, container)
	r.past.Started(history.Instance{Container: container, Number: inst.number, Started: inst.process.StartedAt()})
}

// ended records how an instance ended.
func (r *recording) ended(container string, inst *instance, exit process.Exit, lines []string) {
	r.past.Ended(history.Instance{
		Container: container, Number: inst.number, Started: inst.process.StartedAt(), Ended: exit.At, ExitCode: exit.Code, Signal: int(exit.Signal),
		Cause: r.causes[fieldPath(r.spec, container)], Probe: string(r.failed[container]), LastLines: lines,
	})
}
