// Package draft is the model of the form in which probes are configured: what its fields are, what
// an object becomes by what was typed, and what would follow from it. It knows no page and no
// server, and is pure.
//
//   - [Parameters]: the fields of a probe, with label, help, unit and default.
//   - [Values]: what is in them. [Read] takes them from a live object.
//   - [Draft]: the object that they make, with the API server's errors at the fields.
//   - [Judge]: what `probity check` finds in the draft, and did not find, or no longer finds.
//   - [Compare]: what is known of both in numbers; [Play]: both under one fault, as timelines.
//   - [Diff]: both as YAML. [Edits]: the same for the file, which keeps its comments.
package draft
