package health

import (
	"encoding/json"
	"strconv"
)

// jsonView and jsonStatus are the names of the JSON answer; they are part of the API.
type jsonView struct {
	Probe  Probe        `json:"probe"`
	OK     bool         `json:"ok"`
	Reason string       `json:"reason"`
	Checks []jsonStatus `json:"checks"`
	Notes  []string     `json:"notes,omitempty"`
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

func (v *view) json() string {
	out := jsonView{v.Probe, v.OK, v.Reason, []jsonStatus{}, v.notes}
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
	data, err := json.Marshal(out)
	if err != nil {
		return strconv.Quote(err.Error())
	}
	return string(data) + "\n"
}
