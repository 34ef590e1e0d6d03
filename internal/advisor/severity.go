package advisor

import (
	"fmt"
	"strings"
)

// Severity classes findings by their consequence. A larger one is worse.
type Severity int

// The severities.
const (
	Style Severity = iota + 1 // nothing breaks, but a reader is misled
	Waste                     // time, resources or precision are lost
	Risk                      // an outage under a plausible fault
	// a certain outage: refused by the API server, never ready, or killed again and again
	Outage
)

// Severities lists all, the worst first.
func Severities() []Severity { return []Severity{Outage, Risk, Waste, Style} }

// String gives the word that --fail-on takes.
func (s Severity) String() string {
	switch s {
	case Style:
		return "style"
	case Waste:
		return "waste"
	case Risk:
		return "risk"
	case Outage:
		return "outage"
	}
	return fmt.Sprintf("Severity(%d)", int(s))
}

// ParseSeverity returns the severity that String names so.
func ParseSeverity(word string) (Severity, error) {
	var words []string
	for _, s := range Severities() {
		if s.String() == word {
			return s, nil
		}
		words = append(words, s.String())
	}
	return 0, fmt.Errorf("there is no severity %q: use one of %s", word, strings.Join(words, ", "))
}

// MarshalText writes the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(text []byte) error {
	v, err := ParseSeverity(string(text))
	*s = v
	return err
}
