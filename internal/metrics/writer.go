package metrics

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ContentType is that of what a [Writer] writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Writer writes families in Prometheus' text format, version 0.0.4:
//
//	w.Begin(family)
//	w.Sample(1, "default", "web")
//	…
//	err := w.Flush()
//
// Errors are kept until Flush. It belongs to one goroutine.
type Writer struct {
	out    *bufio.Writer
	family Family
	headed bool // the family's head is written
	number []byte
}

// NewWriter makes a writer.
func NewWriter(out io.Writer) *Writer { return &Writer{out: bufio.NewWriter(out)} }

// Begin says of which family the samples are that follow. Nothing is written of one without
// samples.
func (w *Writer) Begin(f Family) { w.family, w.headed = f, false }

// Sample writes one series of the current family. There are as many values of labels as the family
// has labels, in that order.
func (w *Writer) Sample(value float64, labels ...string) {
	w.sample("", value, labels, "")
}

// Durations writes one series of the current family, whose type is [Durations].
func (w *Writer) Durations(d Distribution, labels ...string) {
	var below uint64
	for i, bound := range d.Bounds {
		below += d.Counts[i]
		w.sample("_bucket", float64(below), labels, strconv.FormatFloat(bound.Seconds(), 'g', -1, 64))
	}
	count := float64(d.Count())
	w.sample("_bucket", count, labels, "+Inf")
	w.sample("_sum", d.Sum.Seconds(), labels, "")
	w.sample("_count", count, labels, "")
}

// Flush writes what is left. The error is the first one of all writes.
func (w *Writer) Flush() error { return w.out.Flush() }

func (w *Writer) sample(suffix string, value float64, labels []string, bound string) {
	if len(labels) != len(w.family.Labels) {
		// without the values, which stay on the stack by that
		panic(fmt.Sprintf("metrics: %s has the labels %q, and there are %d values", w.family.Name, w.family.Labels, len(labels)))
	}
	if !w.headed {
		w.headed = true
		w.print("# HELP ", w.family.Name, " ", escapedHelp(w.family.Help), "\n# TYPE ", w.family.Name, " ", string(w.family.Type), "\n")
	}
	w.print(w.family.Name, suffix)
	before := "{"
	for i, label := range labels {
		w.print(before, w.family.Labels[i], `="`, escapedLabel(label), `"`)
		before = ","
	}
	if bound != "" {
		w.print(before, `le="`, bound, `"`)
		before = ","
	}
	if before == "," {
		w.print("}")
	}
	w.number = append(strconv.AppendFloat(append(w.number[:0], ' '), value, 'g', -1, 64), '\n')
	_, _ = w.out.Write(w.number)
}

// print writes words. bufio keeps the first error.
func (w *Writer) print(words ...string) {
	for _, word := range words {
		_, _ = w.out.WriteString(word)
	}
}

// escapedHelp allocates nothing if there is nothing to escape, as a Replacer would for each family.
func escapedHelp(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, `\`, `\\`), "\n", `\n`)
}

func escapedLabel(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r == '"' || r == '\\' || r == '\n' || r >= utf8.RuneSelf }) {
		return text // as nearly all of them are
	}
	return strings.ReplaceAll(escapedHelp(strings.ToValidUTF8(text, "\uFFFD")), `"`, `\"`)
}
