package scrape

import (
	"io"
	"slices"

	"github.com/probity-run/probity/internal/metrics"
)

// family is a metric, and what writes its series.
type family struct {
	metrics.Family
	write func(w *metrics.Writer, f *facts)
}

// all are the families of /metrics, in the order in which they are told.
func all() []family {
	return slices.Concat(probeFamilies(), podFamilies(), workloadFamilies(), serviceFamilies(), requestFamilies(), processFamilies())
}

// Families are those of /metrics.
func Families() (described []metrics.Family) {
	for _, f := range all() {
		described = append(described, f.Family)
	}
	return described
}

// Write writes what /metrics tells. The error is that of the writer.
func Write(out io.Writer, of Sources) error { return write(out, all(), of) }

// WriteProbes writes what /metrics/probes tells: what the kubelet does there.
func WriteProbes(out io.Writer, of Sources) error {
	return write(out, append(probeFamilies(), startFamily()), of)
}

func write(out io.Writer, families []family, of Sources) error {
	w, facts := metrics.NewWriter(out), of.facts()
	for _, f := range families {
		w.Begin(f.Family)
		f.write(w, facts)
	}
	return w.Flush()
}
