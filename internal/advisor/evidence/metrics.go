package evidence

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

// counter is the name under which a kubelet counts the attempts of probes.
const counter = "prober_probe_total"

// maxLine is the longest line of metrics that is read, in bytes.
const maxLine = 1 << 16

// AddMetrics reads what a kubelet tells at /metrics/probes, in Prometheus' text format. What is not
// about probes of Pods that are known is passed over. The error is the reader's, or says which line
// is none of that format; what came before it counts.
func (o *Observations) AddMetrics(r io.Reader) error { return ReadCounters(r, o.addCounter) }

// ReadCounters reads the counters of attempts from what a kubelet tells at /metrics/probes, in
// Prometheus' text format, and calls each with the labels and the value of every one. The error is
// the reader's, or says which line is none of that format.
func ReadCounters(r io.Reader, each func(labels map[string]string, value float64)) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		rest, ours := strings.CutPrefix(lines.Text(), counter)
		if !ours || rest == "" || rest[0] != '{' && rest[0] != ' ' {
			continue
		}
		labels, value, err := parseSample(rest)
		if err != nil {
			return fmt.Errorf("cannot read line %d of the kubelet's metrics: %w", n, err)
		}
		each(labels, value)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cannot read the kubelet's metrics: %w", err)
	}
	return nil
}

// addCounter takes one counter of attempts: failed ones count, and those that succeeded tell that
// none has failed.
func (o *Observations) addCounter(labels map[string]string, value float64) {
	p := o.pods[types.UID(labels["pod_uid"])]
	kind := probeType(labels["probe_type"])
	if p == nil || kind < 0 {
		return
	}
	c := p.find(labels["container"])
	if c == nil {
		return
	}
	exact := &c.probes[kind].exact
	*exact = max(*exact, 0)
	if labels["result"] == "failed" {
		*exact = int(min(max(value, 0), maxCount))
	}
}

// maxCount bounds a number that somebody else has written.
const maxCount = 1e12

var (
	errLabel = errors.New("a label has the form name=\"value\"")
	errValue = errors.New("the value is no number")
)

// parseSample reads what follows the name of a sample: labels in braces, a value, and perhaps a
// time, which is of no use here.
func parseSample(text string) (labels map[string]string, value float64, err error) {
	labels = map[string]string{}
	if rest, ok := strings.CutPrefix(text, "{"); ok {
		if text, err = parseLabels(rest, labels); err != nil {
			return nil, 0, err
		}
	}
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 2 {
		return nil, 0, errValue
	}
	if value, err = strconv.ParseFloat(fields[0], 64); err != nil || value != value {
		return nil, 0, errValue
	}
	return labels, value, nil
}

// parseLabels reads labels up to the brace that closes them, and returns what follows it.
func parseLabels(text string, into map[string]string) (rest string, err error) {
	for {
		text = strings.TrimLeft(text, " ,")
		if rest, ok := strings.CutPrefix(text, "}"); ok {
			return rest, nil
		}
		name, quoted, ok := strings.Cut(text, `="`)
		if !ok || name == "" || strings.ContainsAny(name, "{}\",") {
			return "", errLabel
		}
		value, after, ok := unquoteLabel(quoted)
		if !ok {
			return "", errLabel
		}
		into[strings.TrimSpace(name)], text = value, after
	}
}

// unquoteLabel reads the value of a label up to the quote that ends it.
func unquoteLabel(text string) (value, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			return b.String(), text[i+1:], true
		case '\\':
			if i++; i == len(text) {
				return "", "", false
			}
			if text[i] == 'n' {
				b.WriteByte('\n')
			} else {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return "", "", false
}
