package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// attemptType is the type of a line that is an attempt.
const attemptType = "ATTEMPT"

// attemptLine is a [Found] in JSON, as probity run -o json --probes prints it and the API sends it.
type attemptLine struct {
	Type   string        `json:"type"`
	Object attemptObject `json:"object"`
}

// attemptObject is what is told of an attempt. docs/how-to/run-in-ci.md tells its fields.
type attemptObject struct {
	Time      string  `json:"time"`
	Namespace string  `json:"namespace"`
	Pod       string  `json:"pod"`
	UID       string  `json:"uid"`
	Container string  `json:"container"`
	Restarts  int     `json:"restarts"`
	Probe     string  `json:"probe"`
	Asked     string  `json:"asked"`
	Outcome   string  `json:"outcome"`
	NotYet    bool    `json:"notYet,omitempty"`
	Took      float64 `json:"tookSeconds"`
	Status    int     `json:"status,omitempty"`
	ExitCode  *int    `json:"exitCode,omitempty"`
	Message   string  `json:"message,omitempty"`
	Counts    string  `json:"counts"`
	Run       int     `json:"run"`
	Threshold int     `json:"threshold"`
	Result    string  `json:"result"`
}

// outcomeWord is an outcome in JSON.
func outcomeWord(o Outcome) string {
	switch o {
	case Answered:
		return "Succeeded"
	case Warning:
		return "Warning"
	case Failed:
		return "Failed"
	case TimedOut:
		return "TimedOut"
	default:
		return "Error"
	}
}

// outcomesInJSON are all outcomes.
func outcomesInJSON() []Outcome { return []Outcome{Answered, Warning, NoVerdict, Failed, TimedOut} }

// resultWord is a result in JSON.
func resultWord(r Result) string {
	switch r {
	case Passing:
		return "Success"
	case Failing:
		return "Failure"
	default:
		return "Unknown"
	}
}

const (
	timeLayout    = "2006-01-02T15:04:05.000000Z"
	countFailures = "failures"
)

// JSON is the attempt of a Pod's probe as a line without its end: {"type":"ATTEMPT","object":{…}}.
// It has no body of an answer.
func (f Found) JSON(pod metav1.Object) ([]byte, error) {
	a := f.Attempt
	object := attemptObject{
		Time: a.Time.UTC().Format(timeLayout), Namespace: pod.GetNamespace(), Pod: pod.GetName(), UID: string(pod.GetUID()),
		Container: f.Container, Restarts: a.Instance, Probe: strings.ToLower(f.Type), Asked: f.Asks,
		Outcome: outcomeWord(a.Outcome), NotYet: a.NotYet, Took: a.Took.Seconds(), Status: f.Detail.Status,
		Message: a.Message, Counts: "successes", Run: a.Run, Threshold: a.Threshold, Result: resultWord(a.Result),
	}
	if a.Failing {
		object.Counts = countFailures
	}
	if f.Detailed && a.Outcome != TimedOut && strings.HasPrefix(f.Asks, "exec ") {
		object.ExitCode = &f.Detail.ExitCode
	}
	return json.Marshal(attemptLine{attemptType, object})
}

// ParseFound reads a line that [Found.JSON] has written, and says of which Pod it is. Of details it
// has what the line tells.
func ParseFound(line []byte) (f Found, pod types.UID, err error) {
	var l attemptLine
	if err := json.Unmarshal(line, &l); err != nil {
		return f, "", fmt.Errorf("cannot read an attempt of a probe: %w", err)
	}
	o := l.Object
	at, err := time.Parse(timeLayout, o.Time)
	outcomes := outcomesInJSON()
	i := slices.IndexFunc(outcomes, func(known Outcome) bool { return outcomeWord(known) == o.Outcome })
	if l.Type != attemptType || err != nil || i < 0 || o.Probe == "" {
		return f, "", fmt.Errorf("cannot read an attempt of a probe: it is %.200q", line)
	}
	f.Key = Key{o.Container, strings.ToUpper(o.Probe[:1]) + o.Probe[1:]}
	f.Probing.Asks = o.Asked
	f.Attempt = Attempt{
		Time: at, Took: time.Duration(o.Took * float64(time.Second)), Outcome: outcomes[i], NotYet: o.NotYet, Instance: o.Restarts,
		Message: o.Message, Run: o.Run, Threshold: o.Threshold, Failing: o.Counts == countFailures,
	}
	for _, r := range []Result{NotKnown, Passing, Failing} {
		if resultWord(r) == o.Result {
			f.Attempt.Result = r
		}
	}
	f.Detail.Status = o.Status
	if o.ExitCode != nil {
		f.Detail.ExitCode = *o.ExitCode
	}
	f.Detailed = o.Status != 0 || o.ExitCode != nil
	return f, types.UID(o.UID), nil
}
