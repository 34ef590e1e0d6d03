package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/simulate/script"
)

// EntryKind classes the entries of a timeline.
type EntryKind string

// The kinds of entries.
const (
	EntryProbe     EntryKind = "probe"     // an attempt ended
	EntryProcess   EntryKind = "process"   // a process was started, signalled, or ended
	EntryState     EntryKind = "state"     // a container's state, started or ready changed
	EntryReady     EntryKind = "ready"     // the Pod's Ready condition or phase changed
	EntryEvent     EntryKind = "event"     // a Kubernetes Event
	EntryFault     EntryKind = "fault"     // a fault of the script began or ended
	EntryEndpoints EntryKind = "endpoints" // what a Service routes to changed
	EntryRollout   EntryKind = "rollout"   // a controller did something
)

// Texts of entries that others know again: of a Pod whose object went, and after a fault's label.
const (
	TextGone     = "gone"
	SuffixBegins = " begins"
	SuffixOver   = " is over"
)

// Entry is one thing that happened.
type Entry struct {
	At        Offset     `json:"at"`
	Kind      EntryKind  `json:"kind"`
	Pod       string     `json:"pod,omitempty"`
	Container string     `json:"container,omitempty"`
	Instance  int        `json:"instance,omitempty"` // 1 for the first
	Text      string     `json:"text"`
	Probe     *Attempts  `json:"probe,omitempty"`
	State     *State     `json:"state,omitempty"`
	Ready     *bool      `json:"ready,omitempty"` // of kind ready: the condition
	Event     *Event     `json:"event,omitempty"`
	Endpoints *Endpoints `json:"endpoints,omitempty"`
	Begins    *bool      `json:"begins,omitempty"` // of kind fault
	order     int
	unchanged bool // of a probe: it changed nothing
}

// Attempts is one attempt of a probe, or several in a row, a period apart, that succeeded and
// changed nothing.
type Attempts struct {
	Type    lifecycle.ProbeType `json:"type"`
	Outcome string              `json:"outcome"` // success, warning, failure, error or cancelled
	Output  string              `json:"output,omitempty"`
	Took    Offset              `json:"took"`
	Timeout Offset              `json:"-"` // of the probe
	// Times is how many attempts the entry stands for, and Every how far apart they are.
	Times int    `json:"times"`
	Every Offset `json:"every,omitempty"`
	// Run is the length of the current run of equal results after the (first) attempt, Threshold
	// what it takes to be acted upon, Result what is published.
	Run       int                   `json:"run"`
	Threshold int                   `json:"threshold"`
	Result    lifecycle.ProbeResult `json:"result"`
}

// State is a container's state as its status shows it.
type State struct {
	State   string `json:"state"` // waiting, running or terminated
	Reason  string `json:"reason,omitempty"`
	Started bool   `json:"started"`
	Ready   bool   `json:"ready"`
}

// Event is a Kubernetes Event.
type Event struct {
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Endpoints is what a Service routes to.
type Endpoints struct {
	Service string   `json:"service"`
	Ready   []string `json:"ready"`
	// Draining are endpoints that still serve while they terminate; they are used only if none is
	// ready (R198).
	Draining []string `json:"draining,omitempty"`
	NotReady []string `json:"notReady,omitempty"`
}

// Offset is a time since the start of a simulation, or a length. In JSON it is a number of seconds.
type Offset time.Duration

// MarshalJSON implements [encoding/json.Marshaler].
func (o Offset) MarshalJSON() ([]byte, error) {
	const unit = time.Microsecond // no digits that only show how floats are made
	return strconv.AppendFloat(nil, float64(time.Duration(o).Round(unit)/unit)/float64(time.Second/unit), 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (o *Offset) UnmarshalJSON(data []byte) error {
	seconds, err := strconv.ParseFloat(string(data), 64)
	if err != nil || !(math.Abs(seconds) <= maxOffset.Seconds()) {
		return fmt.Errorf("%s is no number of seconds up to %v", printable.Quote(printable.Cut(string(data))), maxOffset)
	}
	*o = Offset(math.Round(seconds * float64(time.Second)))
	return nil
}

// maxOffset is the longest time that is read.
const maxOffset = 100 * 365 * 24 * time.Hour

// String gives "1m30s".
func (o Offset) String() string { return script.FormatDuration(time.Duration(o)) }

// MaxEntries is how long a timeline gets. What happens after that is in the summary only.
const MaxEntries = 500_000

// Timeline is all that happened, in the order of time. A nil one takes no notes.
type Timeline struct {
	entries []Entry
	lost    int // entries beyond the most
	// the newest entry of each probe, if more successes can be folded into it
	folds map[probeKey]int
}

// probeKey is a probe of a container of a Pod.
type probeKey struct {
	pod, container string
	probe          lifecycle.ProbeType
}

func newTimeline() *Timeline { return &Timeline{folds: map[probeKey]int{}} }

// Entries are all entries in the order of time.
func (t *Timeline) Entries() []Entry {
	if t == nil {
		return nil
	}
	return t.entries
}

// Lost is how many entries were left out at the end, because the timeline was too long.
func (t *Timeline) Lost() int {
	if t == nil {
		return 0
	}
	return t.lost
}

func (t *Timeline) add(e Entry) {
	if t == nil {
		return
	}
	if len(t.entries) == MaxEntries {
		t.lost++
		return
	}
	e.order = len(t.entries)
	t.entries = append(t.entries, e)
}

// addAttempts notes an attempt. Successes that change nothing are folded if they are a period
// apart.
func (t *Timeline) addAttempts(e Entry, unchanged bool, period time.Duration) {
	if t == nil {
		return
	}
	key := probeKey{e.Pod, e.Container, e.Probe.Type}
	at, open := t.folds[key]
	if unchanged && open {
		if before := &t.entries[at]; before.Instance == e.Instance && before.At+Offset(before.Probe.Times)*Offset(period) == e.At {
			before.Probe.Times += e.Probe.Times
			before.Probe.Every = Offset(period)
			return
		}
	}
	delete(t.folds, key)
	if unchanged && len(t.entries) < MaxEntries {
		t.folds[key] = len(t.entries)
		e.unchanged = true
		e.Probe.Took = 0 // that of the first would say nothing about the others
		e.Probe.Every = 0
		if e.Probe.Times > 1 {
			e.Probe.Every = Offset(period)
		}
	}
	t.add(e)
}

// sort brings the entries into the order of time: Pods are simulated ahead of each other, and an
// attempt is noted when it ends.
func (t *Timeline) sort() {
	if t == nil {
		return
	}
	slices.SortStableFunc(t.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.rank(), b.rank()), compareUnchanged(&a, &b), cmp.Compare(a.order, b.order))
	})
}

// rank orders what happens at one time: an attempt that was over at once comes before what came of
// it, another one after what made it begin.
func (e *Entry) rank() int {
	switch {
	case e.Probe == nil:
		return 1
	case e.unchanged:
		return 3
	case e.Probe.Took > 0:
		return 2
	default:
		return 0
	}
}

// compareUnchanged orders attempts that changed nothing by what they are about: when they were
// noted says nothing.
func compareUnchanged(a, b *Entry) int {
	if !a.unchanged || !b.unchanged {
		return 0
	}
	return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Container, b.Container), cmp.Compare(a.Probe.Type, b.Probe.Type))
}
