package tune

import (
	"slices"
	"strings"
)

// Request describes what a probe asks. The zero value is not known.
type Request struct {
	// Text is how it is written: "GET :http/livez". It has the names of headers, and not their
	// values, which may be secret.
	Text string `json:"request,omitempty"`
	// Resolved is the same text of all ways to write it: "GET :8080/livez", with the port's number
	// and the defaults. It is "" in files of older versions.
	Resolved string `json:"resolved,omitempty"`
}

// words are what it asks, as it is written, for a line that a person reads.
func (r Request) words() string { return clean(r.Text) }

// distinct are what two requests ask, told so that one sees what is different.
func distinct(a, b Request) (string, string) {
	if a.words() == b.words() {
		return clean(a.Resolved), clean(b.Resolved)
	}
	return a.words(), b.words()
}

// cleaned is it as a file has it.
func (r Request) cleaned() Request { return Request{clean(r.Text), clean(r.Resolved)} }

// likeness says how surely two requests ask one endpoint; 0 if they do not. What was just measured,
// or is asked of a cluster, has the texts as they are, and a series of a file has them as one line.
// The port of a name may have another number in another manifest, and is the same one.
func (r Request) likeness(other Request) int {
	known := r.Resolved != "" && other.Resolved != ""
	a, b := r.Text, other.Text
	if !known { // an older file does not say HTTPS
		a, b = strings.Replace(a, "GET https://", "GET ", 1), strings.Replace(b, "GET https://", "GET ", 1)
	}
	switch {
	case known && r.Resolved == other.Resolved:
		return 3
	case known && clean(r.Resolved) == clean(other.Resolved):
		return 2
	case clean(a) == clean(b):
		return 1
	}
	return 0
}

// same reports whether two requests ask one endpoint.
func (r Request) same(other Request) bool { return r.likeness(other) > 0 }

// measuredOf is which endpoint of a list a request asks; -1 for none. Several may be described
// alike, as the values of their headers are left out: of those it is the one that one of the probes
// asked.
func measuredOf(list []Endpoint, r Request, probes ...string) int {
	best, most := -1, 0
	for i := range list {
		likeness := 2 * list[i].likeness(r)
		if likeness > 0 && slices.ContainsFunc(probes, func(p string) bool { return slices.Contains(list[i].Probes, p) }) {
			likeness++
		}
		if likeness > most {
			best, most = i, likeness
		}
	}
	return best
}
