package simulate

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/simulate/script"
)

// Trace plays a manifest against Services of the caller's, one for each Pod that is made, and
// returns everything that happened: every attempt of a probe on its own, with the instant of its
// request, what it found and how long it took; signals and exits; states, conditions, Events and
// endpoints. It is meant for comparisons with what a kubelet and Probity itself did under the same
// script.
func Trace(objects []manifest.Object, service func(pod *corev1.Pod) Service, opts Options) ([]Entry, error) {
	return Play{Service: func(pod *corev1.Pod, _ func() time.Duration) Service { return service(pod) }}.Run(objects, opts)
}

// Replies is a Service that answers by the number of the request: what a person writes down in a
// table of scenarios.
type Replies struct {
	// Answers are by what is asked: the path of an httpGet probe, else the name of the probe in
	// lower case (liveness). Each is a list of words, one for each attempt on an instance, the last
	// one for ever: a status code, hang, refused or error; *n is n times, @1s an answer after a
	// second. Example: "200*3 500@1s hang". What is not listed is answered with 200 at once.
	Answers map[string]string
	// Later replaces Answers on instances after the first, if it is not nil.
	Later map[string]string
	// Stop is what becomes of a process on the stop signal. The zero value ends it at once with
	// code 0.
	Stopped Ending
	// Lives says when the processes of a container end by themselves, by instance; those that are
	// not listed do not.
	Lives map[string][]Ending
}

// Start implements [Service].
func (r *Replies) Start(i Instance) Life {
	if lives := r.Lives[i.Container]; i.Number <= len(lives) {
		return Life{End: &lives[i.Number-1]}
	}
	return Life{}
}

// Stop implements [Service].
func (r *Replies) Stop(Instance, time.Duration) Ending { return r.Stopped }

// Hook implements [Service]. Only sleep takes time.
func (r *Replies) Hook(_ Instance, _ lifecycle.HookType, handler *corev1.LifecycleHandler) HookAnswer {
	if handler.Sleep != nil {
		return HookAnswer{After: time.Duration(handler.Sleep.Seconds) * time.Second}
	}
	return HookAnswer{}
}

// Probe implements [Service].
func (r *Replies) Probe(a Attempt) Answer {
	answers := r.Answers
	if a.Instance.Number > 1 && r.Later != nil {
		answers = r.Later
	}
	key := script.ProbeName(a.Type)
	if a.Probe.HTTPGet != nil {
		key = path(a.Probe.HTTPGet.Path)
	}
	return answer(nthWord(answers[key], a.Number), a)
}

// nthWord is the word for the n-th attempt.
func nthWord(list string, n int) (word string) {
	for field := range strings.FieldsSeq(list) {
		w, times, _ := strings.Cut(field, "*")
		word = w
		count, err := strconv.Atoi(times)
		if err != nil {
			count = 1
		}
		if n -= count; n <= 0 {
			break
		}
	}
	return word
}

// answer is what a word means. One that takes longer than the timeout is a timeout.
func answer(word string, a Attempt) Answer {
	timeout := seconds(a.Probe.TimeoutSeconds)
	what, delay, late := strings.Cut(word, "@")
	var after time.Duration
	if late {
		d, err := time.ParseDuration(delay)
		if err != nil {
			return Answer{lifecycle.OutcomeErrorUnknown, fmt.Sprintf("the scenario says %q: %v", word, err), 0}
		}
		after = d
	}
	// whose container is not known, and so not what its ports are called
	w := handlerWords(&corev1.Container{}, a.Probe)
	reply, ok := script.ParseReply(what)
	switch {
	case what == "":
		return Answer{}
	case !ok:
		return Answer{lifecycle.OutcomeErrorUnknown, fmt.Sprintf("the scenario says %q, which is no answer", word), 0}
	case reply.Kind == script.ReplyHang || after > timeout:
		return Answer{lifecycle.OutcomeFailure, w.silent, timeout}
	case reply.Kind == script.ReplyRefused && a.Probe.GRPC != nil:
		after = timeout
	}
	outcome, output := w.failure(reply)
	return Answer{outcome, output, after}
}
