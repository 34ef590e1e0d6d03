package health

import (
	"encoding/json"
	"strconv"
	"time"
)

// The words for the whole in JSON.
const (
	statusPass = "pass"
	statusWarn = "warn" // the probe succeeds, but something that does not count fails
	statusFail = "fail"
)

// jsonView and jsonStatus are the names of the JSON answer; they are part of the API.
type jsonView struct {
	Status   string       `json:"status"`
	Probe    Probe        `json:"probe"`
	OK       bool         `json:"ok"`
	Reason   string       `json:"reason"`
	Degraded []string     `json:"degraded,omitempty"` // the names of those that fail and do not count
	Checks   []jsonStatus `json:"checks"`
	Notes    []string     `json:"notes,omitempty"`
}

type jsonStatus struct {
	Name      string   `json:"name"`
	Kind      Kind     `json:"kind"`
	State     string   `json:"state"`
	Gates     bool     `json:"gates"`
	Detail    string   `json:"detail,omitempty"`
	Error     string   `json:"error,omitempty"`
	Age       *float64 `json:"ageSeconds,omitempty"` // nothing if there is no result
	Duration  float64  `json:"durationSeconds"`
	Succeeded uint64   `json:"succeeded"`
	Failed    uint64   `json:"failed"`
	Done      int64    `json:"done,omitempty"`
	Total     int64    `json:"total,omitempty"`
}

// draftView and draftStatus are the names of draft-inadarei-api-health-check-06, and, beyond it,
// probe and degraded.
type draftView struct {
	Status   string                   `json:"status"`
	Probe    Probe                    `json:"probe"`
	Output   string                   `json:"output,omitempty"`
	Notes    []string                 `json:"notes,omitempty"`
	Degraded []string                 `json:"degraded,omitempty"`
	Checks   map[string][]draftStatus `json:"checks,omitempty"`
}

type draftStatus struct {
	ComponentType string `json:"componentType"`
	Status        string `json:"status"`
	Time          string `json:"time,omitempty"` // of the last result
	Output        string `json:"output,omitempty"`
}

// status is the status of the whole, with the names of those that fail and do not count.
func (v *view) status() (status string, degraded []string) {
	for _, s := range v.Checks {
		if statusOf(s) == statusWarn {
			degraded = append(degraded, s.Name)
		}
	}
	switch {
	case !v.OK:
		return statusFail, degraded
	case degraded != nil:
		return statusWarn, degraded
	}
	return statusPass, nil
}

func statusOf(s Status) string {
	switch {
	case s.State == stateOK:
		return statusPass
	case s.Gates:
		return statusFail
	}
	return statusWarn
}

func (v *view) json() string {
	status, degraded := v.status()
	out := jsonView{status, v.Probe, v.OK, v.Reason, degraded, []jsonStatus{}, v.notes}
	for _, s := range v.Checks {
		c := jsonStatus{Name: s.Name, Kind: s.Kind, State: s.State, Gates: s.Gates, Detail: s.Detail,
			Duration: s.Duration.Seconds(), Succeeded: s.Succeeded, Failed: s.Failed, Done: s.Done, Total: s.Total}
		if s.Age >= 0 {
			age := s.Age.Seconds()
			c.Age = &age
		}
		if s.Err != nil {
			c.Error = s.Err.Error()
		}
		out.Checks = append(out.Checks, c)
	}
	return marshal(out)
}

func (v *view) healthJSON() string {
	status, degraded := v.status()
	out := draftView{Status: status, Probe: v.Probe, Notes: v.notes, Degraded: degraded, Checks: map[string][]draftStatus{}}
	if status != statusPass {
		out.Output = v.Reason
	}
	for _, s := range v.Checks {
		c := draftStatus{ComponentType: "component", Status: statusOf(s)}
		if s.Age >= 0 {
			c.Time = v.at.Add(-s.Age).UTC().Format(time.RFC3339)
		}
		if c.Status != statusPass {
			c.Output = s.State
			if s.Detail != "" {
				c.Output += " (" + s.Detail + ")"
			}
			if s.Err != nil {
				c.Output += ": " + s.Err.Error()
			}
		}
		out.Checks[s.Name] = []draftStatus{c}
	}
	return marshal(out)
}

func marshal(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return strconv.Quote(err.Error())
	}
	return string(data) + "\n"
}
