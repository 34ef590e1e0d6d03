package script

import (
	"maps"
	"slices"
)

// Schema is the JSON schema of scripts, of draft 7, which editors know. It is made of the tables
// that read them. What it refuses, [Decode] refuses; Decode knows more, such as that the median of
// a distribution lies below its 99th percentile.
func Schema() map[string]any {
	root := objectSchema(scriptFields())
	root["$schema"] = "http://json-schema.org/draft-07/schema#"
	root["title"] = "Script of probity simulate and probity drill"
	root["description"] = "What a service does, and what happens to it: probity simulate script describes it."
	root["definitions"] = map[string]any{
		"duration": durationSchema(),
		"time":     timeSchema(),
		"program":  objectSchema(programFields()),
		"exit":     objectSchema(exitFields()),
		"fault":    faultSchema(),
	}
	return root
}

// objectSchema is a mapping with these fields and no others.
func objectSchema[T any](fields []field[T]) schema {
	properties := map[string]any{}
	for _, f := range fields {
		property := maps.Clone(f.form.schema)
		text := f.text
		if f.otherwise != "" {
			text += " Default: " + f.otherwise + "."
		}
		if _, refers := property["$ref"]; refers && text != "" {
			property = schema{"allOf": []any{property}} // nothing is read beside a reference
		}
		if text != "" {
			property["description"] = text
		}
		properties[f.name] = property
	}
	return schema{"type": "object", "properties": properties, "additionalProperties": false}
}

// durationSchema is a time such as 90s. YAML reads a plain 0 as a number.
func durationSchema() schema {
	return schema{"anyOf": []any{schema{"type": "string", "minLength": 1, "pattern": durationPattern}, schema{"const": 0}}}
}

// timeSchema is a time, or a distribution of times.
func timeSchema() schema {
	all := []any{reference("duration")}
	for _, s := range shapes() {
		value := objectSchema(s.fields())
		value["required"] = anys(s.takes)
		if len(s.takes) == 1 {
			value = schema{"anyOf": []any{reference("duration"), value}}
		}
		all = append(all, schema{"type": "object", "properties": map[string]any{s.name: value}, "required": []any{s.name}, "additionalProperties": false})
	}
	return schema{"anyOf": all}
}

// faultSchema is a fault, with the fields that its kind has a use for.
func faultSchema() schema {
	fault := objectSchema(faultFields())
	fault["required"] = []any{"fault"}
	var rules []any
	for _, name := range []string{"latency", "ramp", "share"} {
		takes := kindsThatTake(name)
		others := kindsThat(func(row kindRow) bool { return !slices.Contains(takes, string(row.kind)) })
		rules = append(rules, whereKind(others, schema{"properties": map[string]any{name: false}}))
	}
	needs := kindsThat(func(row kindRow) bool { return row.needsLatency })
	fault["allOf"] = append(rules, whereKind(needs, schema{"required": []any{"latency"}}))
	return fault
}

// whereKind is a rule for faults of some kinds.
func whereKind(kinds []string, then schema) schema {
	condition := schema{"properties": map[string]any{"fault": schema{"enum": anys(kinds)}}, "required": []any{"fault"}}
	return schema{"if": condition, "then": then}
}
