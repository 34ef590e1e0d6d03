package tune

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/probity-run/probity/internal/printable"
)

// The limits of a series that is read: anybody may have written it.
const (
	// MaxFileBytes bounds a file, and maxBytes what it is when it is unpacked.
	MaxFileBytes  = 8 << 20
	maxBytes      = 64 << 20
	maxContainers = 1000
	maxItems      = 100_000 // starts, windows, stalls and counts: more would take minutes to judge
	maxSeconds    = 1e10    // of a window: some centuries
	leastSeconds  = 0.1     // of a window
	maxNumber     = 1e12
	maxText       = 1000 // bytes
)

// Write writes the form of a file: JSON, packed by gzip. Equal series have equal files.
func (s *Series) Write(w io.Writer) error {
	zip := gzip.NewWriter(w)
	encoder := json.NewEncoder(zip)
	encoder.SetIndent("", " ")
	return errors.Join(encoder.Encode(s), zip.Close())
}

// Read reads a series that [Series.Write] has written, or its JSON as it is. The error says what in
// it is not as it has to be.
func Read(r io.Reader) (*Series, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > MaxFileBytes:
		return nil, fmt.Errorf("it is larger than %d MiB", MaxFileBytes>>20)
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		if data, err = unpack(data); err != nil {
			return nil, err
		}
	}
	s := &Series{}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(s); err != nil {
		return nil, fmt.Errorf("it is no series of probity tune: %s", printable.Line(printable.CutMiddle(err.Error(), maxText)))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the series")
	}
	return s, s.check()
}

func unpack(data []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err == nil {
		data, err = io.ReadAll(io.LimitReader(zip, maxBytes+1))
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("it cannot be unpacked: %w", err)
	case len(data) > maxBytes:
		return nil, fmt.Errorf("it is larger than %d MiB when it is unpacked", maxBytes>>20)
	}
	return data, nil
}

// check finds what nobody could have measured.
func (s *Series) check() error {
	if s.Schema == schema1 {
		s.Schema = Schema // it only lacks what was not measured then
	}
	if s.Schema != Schema {
		return fmt.Errorf("its schema is %s, and %s is wanted: was it written by another version?", printable.Quote(printable.Cut(s.Schema)), Schema)
	}
	if len(s.Containers) > maxContainers {
		return fmt.Errorf("it has more than %d containers", maxContainers)
	}
	s.Manifest, s.Host, s.Version = clean(s.Manifest), clean(s.Host), clean(s.Version)
	for i := range s.Skipped {
		s.Skipped[i] = clean(s.Skipped[i])
	}
	seen := map[string]bool{}
	for i := range s.Containers {
		c := &s.Containers[i]
		c.Workload, c.Name = clean(c.Workload), clean(c.Name)
		name := c.Workload + "/" + c.Name
		if seen[name] {
			return fmt.Errorf("it has container %s twice", printable.Line(name))
		}
		seen[name] = true
		if err := c.check(); err != nil {
			return fmt.Errorf("container %s: %w", printable.Line(name), err)
		}
	}
	return s.CheckSize()
}

// CheckSize refuses what has too much in it to be judged in a reasonable time: a series that was
// joined of several may, though each of them does not.
func (s *Series) CheckSize() error {
	items := 0
	for i := range s.Containers {
		c := &s.Containers[i]
		items += len(c.Starts) + len(c.Endpoints) + len(c.Counts)
		for j := range c.Endpoints {
			for k := range c.Endpoints[j].Windows {
				w := &c.Endpoints[j].Windows[k]
				items += 1 + len(w.Stalls) + len(w.Slow)
			}
		}
	}
	if items > maxItems {
		return fmt.Errorf("it has %d starts, endpoints, windows, stalls, slow stretches and counts, and %d are the most: use fewer series at a time, or a shorter --for", items, maxItems)
	}
	return nil
}

// clean is a text that may be printed on a line. What is clean stays as it is: files are read and
// written again.
func clean(text string) string {
	text = printable.Line(text)
	if len(text) > maxText {
		text = printable.CutMiddle(text, maxText-len(" … "))
	}
	return text
}

func (c *Container) check() error {
	if c.Workload == "" || c.Name == "" {
		return errors.New("it has no name")
	}
	for i, s := range c.Starts {
		if !within(s.Seconds) || !slices.Contains([]How{Alone, Together, Limited, Live}, s.How) {
			return fmt.Errorf("starts[%d] is none: %v s, %s", i, s.Seconds, printable.Quote(printable.Cut(string(s.How))))
		}
	}
	for i := range c.Counts {
		if err := c.Counts[i].check(); err != nil {
			return fmt.Errorf("counts[%d]: %w", i, err)
		}
	}
	for i := range c.Endpoints {
		e := &c.Endpoints[i]
		e.Request = e.cleaned()
		for _, probe := range e.Probes {
			if !slices.Contains([]string{"startup", "readiness", "liveness"}, probe) {
				return fmt.Errorf("endpoints[%d]: there is no probe %s", i, printable.Quote(printable.Cut(probe)))
			}
		}
		for j := range e.Windows {
			w := &e.Windows[j]
			w.Load = clean(w.Load)
			if err := w.check(); err != nil {
				return fmt.Errorf("endpoints[%d].windows[%d]: %w", i, j, err)
			}
		}
	}
	return nil
}

func (w *Window) check() error {
	switch {
	case !within(w.Seconds) || w.Seconds < leastSeconds:
		return fmt.Errorf("it is %v s long", w.Seconds)
	case w.Samples < 0 || float64(w.Samples) > maxNumber || w.Tainted < 0 || w.Tainted > w.Samples:
		return fmt.Errorf("it has %d samples, and %d of them are tainted", w.Samples, w.Tainted)
	case len(w.Latency) > sketchLength:
		return fmt.Errorf("its latency has more than %d counts", sketchLength)
	}
	for i, n := range w.Latency {
		if n < 0 || float64(n) > maxNumber {
			return fmt.Errorf("latency[%d] is %d", i, n)
		}
	}
	end := 0.0
	for i, s := range w.Stalls {
		if !within(s.Begin) || !within(s.Length) || s.Length == 0 || s.Begin < end || s.End() > w.Seconds+stallSlack {
			return fmt.Errorf("stalls[%d], %v s from %v s on, does not lie behind the one before it and within the window", i, s.Length, s.Begin)
		}
		end = s.End()
	}
	begin := 0.0
	for i, s := range w.Slow {
		if !within(s.Begin) || !within(s.Length) || s.Length == 0 || s.Begin < begin || s.End() > w.Seconds+stallSlack || s.Than < 1 || s.Than > mostPeriod {
			return fmt.Errorf("slow[%d], %v s from %v s on with answers after more than %d s, does not begin behind the one before it and lie within the window", i, s.Length, s.Begin, s.Than)
		}
		begin = s.Begin
	}
	return nil
}

// stallSlack is by how much a stall may outlast its window: who measures waits for the last answer.
const stallSlack = 60

func (c *Count) check() error {
	c.Context, c.Request = clean(c.Context), c.cleaned()
	for _, n := range []int{c.Restarts, c.Kills, c.StartKills, c.Failures} {
		if n < 0 || float64(n) > maxNumber {
			return fmt.Errorf("it has a count of %d", n)
		}
	}
	tiny := func(hours float64) bool { return hours > 0 && hours < leastSeconds/3600 }
	if !within(c.PodHours) || !within(c.EventHours) || tiny(c.PodHours) || tiny(c.EventHours) {
		return fmt.Errorf("it is about %v and %v hours", c.PodHours, c.EventHours)
	}
	if l := c.Liveness; l != nil && (l.Period < 1 || l.Timeout < 1 || l.Failures < 1 || max(l.Period, l.Timeout, l.Failures) > math.MaxInt32) {
		return errors.New("a number of the liveness probe is below 1")
	}
	return nil
}

// within reports whether a number of seconds or hours lies between 0 and the most.
func within(x float64) bool { return x >= 0 && x <= maxSeconds }
