package script

import "github.com/probity-run/probity/internal/lifecycle"

// form is how the value of a field is written: in words, for the reference, and as a JSON schema,
// for editors.
type form struct {
	words  string
	schema schema
}

// schema is a JSON schema, or a part of one.
type schema = map[string]any

// durationPattern is what [ParseDuration] takes, bounds left out.
const durationPattern = `^(0|([0-9]+(\.[0-9]+)?d)?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h))*)$`

// reference is a definition of [Schema].
func reference(definition string) schema { return schema{"$ref": "#/definitions/" + definition} }

// timeForm is a time, the same always.
func timeForm() form { return form{"time", reference("duration")} }

// chanceForm is a time that may be by chance.
func chanceForm() form { return form{"time", reference("time")} }

func shutdownForm() form {
	return form{"time, or never", schema{"anyOf": []any{schema{"const": "never"}, reference("time")}}}
}

func textForm(words string) form { return form{words, schema{"type": []any{"string", "number"}}} }

// wordForm is one of some words.
func wordForm(words string, all ...string) form { return form{words, schema{"enum": anys(all)}} }

func booleanForm() form { return form{"true or false", schema{"type": "boolean"}} }

// shareForm is a number from 0 to 1.
func shareForm(words string) form {
	return form{words, schema{"type": "number", "minimum": 0, "maximum": 1}}
}

func integerForm(words string, low, high int) form { return form{words, integerSchema(low, high)} }

func integerSchema(low, high int) schema {
	return schema{"type": "integer", "minimum": low, "maximum": high}
}

// replyForm is one of some words, or a status code.
func replyForm(words string, all ...string) form {
	return form{words, schema{"anyOf": []any{schema{"enum": anys(all)}, integerSchema(minStatus, maxStatus)}}}
}

// listForm is a list, or one item on its own.
func listForm(words string, item schema) form {
	return form{words, schema{"anyOf": []any{schema{"type": "array", "items": item}, item}}}
}

func probesForm() form {
	var names []string
	for _, t := range lifecycle.ProbeTypes() {
		names = append(names, ProbeName(t))
	}
	return listForm("list of startup, readiness, liveness", schema{"enum": anys(names)})
}

func programsForm() form {
	return form{"mapping of container names to programs", schema{"type": "object", "additionalProperties": reference("program")}}
}

// anys are words as JSON has them in a list.
func anys(words []string) []any {
	all := make([]any, len(words))
	for i, word := range words {
		all[i] = word
	}
	return all
}
