package diagnosis

import "cmp"

// Style is how things are put to whoever reads them. The zero value is that of the live view.
type Style struct {
	// Dot parts the pieces of a reason. Default: " · ".
	Dot string
	// Quote puts a text of others in quotes, without what a terminal obeys, on one line, and
	// without its end if it is long. Default: “…”.
	Quote func(text string) string
	// NoKeys says that nobody can press keys: flags are named in their place.
	NoKeys bool
	// Log is a command that shows the log of the Pod. Default with NoKeys: --logs.
	Log string
}

func (s Style) dot() string { return cmp.Or(s.Dot, " · ") }

func (s Style) quote(text string) string {
	if s.Quote != nil {
		return s.Quote(text)
	}
	return quoted(text)
}

// log names what shows the log of a container.
func (s Style) log() string {
	switch {
	case s.Log != "":
		return s.Log
	case s.NoKeys:
		return "--logs"
	}
	return "l"
}
