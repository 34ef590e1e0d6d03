package draft

import "strings"

// Difference is a parameter in which two values of a form differ.
type Difference struct {
	// Name is as in "liveness periodSeconds", or "liveness" for a probe that is not in both.
	Name    string
	Was, Is string
}

// Differences are those that mean something: a default that is written is none.
func Differences(was, is Values) (list []Difference) {
	for _, probe := range Probes() {
		a, b := was.Handler(probe), is.Handler(probe)
		title := strings.ToLower(Title(probe))
		if a != b {
			list = append(list, Difference{title, handlerWord(a), handlerWord(b)})
		}
		if a == "" || b == "" {
			continue
		}
		for _, p := range Parameters(probe, "") {
			field := probe + "." + p.Name
			if p.Handler != "" && (p.Handler != b || a != b) || means(p, was[field]) == means(p, is[field]) {
				continue
			}
			_, name, nested := strings.Cut(p.Name, ".")
			if !nested {
				name = p.Name
			}
			list = append(list, Difference{title + " " + name, shown(p, was[field]), shown(p, is[field])})
		}
	}
	return list
}

func handlerWord(handler string) string {
	if handler == "" {
		return "no probe"
	}
	return handler
}

// means is a field's value, or its default.
func means(p Parameter, value string) string {
	if value = strings.TrimSpace(strings.ReplaceAll(value, "\r\n", "\n")); value == "" {
		return p.Default
	}
	return value
}

func shown(p Parameter, value string) string {
	switch {
	case strings.TrimSpace(value) != "":
		return value
	case p.Default == "":
		return "none"
	}
	return p.Default + " (default)"
}
