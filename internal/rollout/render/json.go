package render

import (
	"strings"
	"time"

	"github.com/probity-run/probity/internal/rollout"
)

// timeFormat is that of all times: RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

type progressLine struct {
	Time      string         `json:"time"`
	Kind      string         `json:"kind"`
	Object    rollout.Object `json:"object"`
	Revision  int64          `json:"revision,omitempty"`
	Desired   int            `json:"desired"`
	Updated   int            `json:"updated"`
	Ready     int            `json:"ready"`
	Available int            `json:"available"`
	Old       int            `json:"old"`
}

type causeLine struct {
	Time      string         `json:"time"`
	Kind      string         `json:"kind"`
	Object    rollout.Object `json:"object"`
	Pods      []string       `json:"pods,omitempty"`
	Container string         `json:"container,omitempty"`
	Cause     rollout.Kind   `json:"cause"`
	Degree    rollout.Degree `json:"degree"`
	Since     string         `json:"since,omitempty"`
	Count     int            `json:"count,omitempty"`
	AtLeast   bool           `json:"atLeast,omitempty"`
	Probe     *rollout.Probe `json:"probe,omitempty"`
	Text      string         `json:"text"`
}

type verdictLine struct {
	Time      string             `json:"time"`
	Kind      string             `json:"kind"`
	Result    rollout.Outcome    `json:"result"`
	Exit      int                `json:"exit"`
	Object    rollout.Object     `json:"object"`
	Cause     rollout.Kind       `json:"cause,omitempty"`
	Degree    string             `json:"degree,omitempty"`
	Pods      []string           `json:"pods,omitempty"`
	Container string             `json:"container,omitempty"`
	Text      string             `json:"text,omitempty"`
	Details   []string           `json:"details,omitempty"`
	Probe     *rollout.Probe     `json:"probe,omitempty"`
	Evidence  []rollout.Evidence `json:"evidence,omitempty"`
	Next      string             `json:"next,omitempty"`
	Predicted []prediction       `json:"predicted,omitempty"`
	Simulate  string             `json:"simulate,omitempty"`
	Log       []rollout.Log      `json:"log,omitempty"`
	Also      []other            `json:"also,omitempty"`
	Warnings  []other            `json:"warnings,omitempty"`
}

type prediction struct {
	Rule string `json:"rule"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// other is a cause beside that of a verdict.
type other struct {
	Cause rollout.Kind `json:"cause"`
	Pods  int          `json:"pods,omitempty"`
	Text  string       `json:"text"`
}

// JSON has the objects for what differs in a result from the one before, which is the zero value at
// first; each is to be written on a line of its own.
func JSON(before, after *rollout.Result) (lines []any) {
	at := stamp(after.At)
	progress := func(r *rollout.Result) progressLine {
		return progressLine{at, "progress", r.Object, r.Revision, r.Desired, r.Updated, r.Ready, r.Available, r.Old}
	}
	if progress(before) != progress(after) {
		lines = append(lines, progress(after))
	}
	was := map[string]rollout.Degree{}
	for _, c := range before.Causes {
		was[c.Key] = c.Degree
	}
	for _, c := range after.Causes {
		if degree, known := was[c.Key]; known && degree == c.Degree {
			continue
		}
		lines = append(lines, causeLine{Time: at, Kind: "cause", Object: after.Object, Pods: c.Pods, Container: c.Container, Cause: c.Kind, Degree: c.Degree,
			Since: stamp(c.Since), Count: c.Count, AtLeast: c.AtLeast, Probe: c.Probe, Text: c.Short})
	}
	if after.Verdict != nil && before.Verdict == nil {
		lines = append(lines, verdict(after))
	}
	return lines
}

func verdict(r *rollout.Result) verdictLine {
	v := r.Verdict
	line := verdictLine{Time: stamp(r.At), Kind: "verdict", Result: v.Outcome, Exit: v.Exit, Object: r.Object, Cause: v.Kind, Pods: v.Pods, Container: v.Container,
		Text: v.Text, Details: v.Details, Probe: v.Probe, Evidence: v.Evidence, Next: v.Next, Simulate: v.See, Log: v.Logs, Also: others(v.Also), Warnings: others(v.Warnings)}
	if v.Kind != "" {
		line.Degree = v.Degree.String()
	}
	for _, f := range v.Predicted {
		line.Predicted = append(line.Predicted, prediction{f.Rule, strings.ToValidUTF8(f.Region.File, "\uFFFD"), f.Region.Line})
	}
	return line
}

func others(causes []rollout.Cause) (all []other) {
	for _, c := range causes {
		all = append(all, other{c.Kind, len(c.Pods), c.Short})
	}
	return all
}

// stamp is a time, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeFormat)
}
