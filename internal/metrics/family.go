package metrics

// Type is what the numbers of a family are.
type Type string

// The types.
const (
	// Counter only grows, from the start of what it counts.
	Counter Type = "counter"
	// Gauge goes up and down.
	Gauge Type = "gauge"
	// Durations is a histogram of durations, told in seconds.
	Durations Type = "histogram"
)

// Family is a metric with all its series.
type Family struct {
	// Name of the metric, such as "probity_proxy_retries_total".
	Name string
	Type Type
	// Help says what it is, in a sentence.
	Help string
	// Labels are the names of the labels that each series has.
	Labels []string
}
