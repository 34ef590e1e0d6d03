package drill

// Advice is what can be done about a verdict that is not well.
type Advice struct {
	// Rule is the rule of probity check that says the same of the manifest; "" if none does, which
	// is so for all that only the program can do better.
	Rule string `json:"rule,omitempty"`
	// Text says what to do, in a sentence or two.
	Text string `json:"text"`
	// File and Line are where the manifest has the probe, or what else is to be changed.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Patch is the change as a unified difference; "" if no number of the manifest mends it.
	Patch string `json:"patch,omitempty"`
}
