package attach

import (
	"time"

	"github.com/probity-run/probity/internal/drill"
)

// Request is what is asked for: those of [drill.Options] that do not belong to the run.
type Request struct {
	Only          []string            `json:"only,omitempty"`
	Faults        []string            `json:"faults,omitempty"` // as --fault takes them
	Requests      []drill.RequestSpec `json:"requests,omitempty"`
	Rate          float64             `json:"rate"`
	Repetitions   int                 `json:"repetitions"`
	Budget        drill.Offset        `json:"budget"`
	LikeProbity   bool                `json:"likeProbity,omitempty"`
	EndpointDelay drill.Offset        `json:"endpointDelay"` // negative: none
}

// RequestOf asks for a drill as options say.
func RequestOf(o drill.Options) Request {
	r := Request{
		Only: o.Only, Requests: o.Requests, Rate: o.Rate, Repetitions: o.Repetitions, Budget: drill.Offset(o.Budget), LikeProbity: o.LikeProbity,
		EndpointDelay: drill.Offset(o.EndpointDelay),
	}
	if o.EndpointDelay < 0 {
		r.EndpointDelay = -drill.Offset(time.Second) // in JSON less than a microsecond is 0, which is the default
	}
	for _, f := range o.Faults {
		r.Faults = append(r.Faults, f.Word)
	}
	return r
}

// addTo sets the options that are asked for. The error says what nobody can drill with.
func (r Request) addTo(o *drill.Options) error {
	o.Only, o.Requests, o.Rate, o.Repetitions, o.LikeProbity = r.Only, r.Requests, r.Rate, r.Repetitions, r.LikeProbity
	o.Budget, o.EndpointDelay = time.Duration(r.Budget), time.Duration(r.EndpointDelay)
	for _, word := range r.Faults {
		f, err := drill.ParseFault(word)
		if err != nil {
			return err
		}
		o.Faults = append(o.Faults, f)
	}
	return o.Check()
}

// message is a part of the answer.
type message struct {
	// Progress is a line about what is being done.
	Progress string `json:"progress,omitempty"`
	// Report is what came of it; nothing follows it.
	Report *drill.Report `json:"report,omitempty"`
}
