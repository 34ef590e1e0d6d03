package metrics

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestWriter(t *testing.T) {
	var text strings.Builder
	w := NewWriter(&text)
	w.Begin(Family{Name: "plain", Type: Gauge, Help: `With a \ and` + "\na line."})
	w.Sample(0.5)
	w.Begin(Family{Name: "none", Type: Gauge, Help: "Nothing to tell."})
	w.Begin(Family{Name: "labelled_total", Type: Counter, Help: "With labels.", Labels: []string{"pod", "code"}})
	w.Sample(1234567, "web", "2xx")
	w.Sample(0, "a\"b\\c\nd\xff", "ä")
	w.Begin(Family{Name: "took_seconds", Type: Durations, Help: "A histogram.", Labels: []string{"pod"}})
	w.Durations(observed([]time.Duration{5 * ms, 10 * ms, 50 * ms}, ms, 7*ms, 7*ms, 60*ms), "web")
	w.Begin(Family{Name: "all_seconds", Type: Durations, Help: "Without a label."})
	w.Durations(observed(nil, ms))
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := `# HELP plain With a \\ and\na line.
# TYPE plain gauge
plain 0.5
# HELP labelled_total With labels.
# TYPE labelled_total counter
labelled_total{pod="web",code="2xx"} 1.234567e+06
labelled_total{pod="a\"b\\c\nd` + "\uFFFD" + `",code="ä"} 0
# HELP took_seconds A histogram.
# TYPE took_seconds histogram
took_seconds_bucket{pod="web",le="0.005"} 1
took_seconds_bucket{pod="web",le="0.01"} 3
took_seconds_bucket{pod="web",le="0.05"} 3
took_seconds_bucket{pod="web",le="+Inf"} 4
took_seconds_sum{pod="web"} 0.075
took_seconds_count{pod="web"} 4
# HELP all_seconds Without a label.
# TYPE all_seconds histogram
all_seconds_bucket{le="+Inf"} 1
all_seconds_sum 0.001
all_seconds_count 1
`
	if diff := cmp.Diff(want, text.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
}

func TestWriterChecksLabels(t *testing.T) {
	w := NewWriter(&strings.Builder{})
	w.Begin(Family{Name: "x", Type: Gauge, Help: "X.", Labels: []string{"pod"}})
	defer func() {
		if recover() == nil {
			t.Error("a sample without its label was written")
		}
	}()
	w.Sample(1)
}

// full takes nothing.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriterKeepsErrors(t *testing.T) {
	w := NewWriter(full{})
	w.Begin(Family{Name: "x", Type: Gauge, Help: "X."})
	for range 10_000 {
		w.Sample(1)
	}
	if err := w.Flush(); !errors.Is(err, errFull) {
		t.Errorf("error %v, want that of the write", err)
	}
}
