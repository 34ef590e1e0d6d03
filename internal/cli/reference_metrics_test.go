package cli

import (
	"fmt"
	"strings"

	"github.com/probity-run/probity/internal/apiserver/scrape"
)

// metricsPage renders the families of /metrics as docs/reference/metrics.md.
func metricsPage() string {
	var b strings.Builder
	b.WriteString("# Metrics of a run\n\nThis page is generated. `/metrics` of a run's Kubernetes API has these, `/metrics/probes` those that begin with `prober_` and `process_start_time_seconds`:\n")
	b.WriteString("[how to scrape them](../how-to/scrape-with-prometheus.md). A histogram has the series `_bucket`, `_sum` and `_count`, and the label `le`.\n\n")
	b.WriteString("| metric | type | labels | what it is |\n|---|---|---|---|\n")
	for _, f := range scrape.Families() {
		labels := ""
		if len(f.Labels) > 0 {
			labels = "`" + strings.Join(f.Labels, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.Name, f.Type, labels, escaped(f.Help))
	}
	return b.String()
}
