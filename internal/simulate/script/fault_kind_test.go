package script

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKindRows holds every row of the table of fault kinds to be complete: a script can ask for it,
// it does something, the reference explains it, and its ready-made fault is one of its kind.
func TestKindRows(t *testing.T) {
	reference, seen, fields := Reference(), map[FaultKind]bool{}, names(faultFields())
	for _, row := range kindRows() {
		t.Run(string(row.kind), func(t *testing.T) {
			if row.kind == "" || seen[row.kind] {
				t.Fatal("the row has no name of its own")
			}
			seen[row.kind] = true
			f := decodedFault(t, row)
			if row.effect == nil || reflect.ValueOf(f.Effect()).IsZero() {
				t.Error("a fault of this kind does nothing")
			}
			if row.note == "" && row.readyMade == "" {
				t.Error("neither a note nor a ready-made fault explains it")
			}
			if !strings.Contains(reference, row.note) || !strings.Contains(reference, string(row.kind)) {
				t.Error("the reference does not speak of it")
			}
			for _, field := range row.takes {
				if !slices.Contains(fields, field) {
					t.Errorf("it takes the field %s, which is none", field)
				}
			}
			if row.detection == DetectionNone && f.Effect().OnContainer() && row.summary == "" {
				t.Error("no probe acts on it, and no word stands for that in the summary")
			}
			if row.readyMade != "" {
				checkReadyMade(t, row)
			}
		})
	}
}

// decodedFault reads the shortest fault of a kind.
func decodedFault(t *testing.T, row kindRow) *Fault {
	t.Helper()
	text := "faults: [{fault: " + string(row.kind) + ", at: 1s"
	if row.needsLatency {
		text += ", latency: 2s"
	}
	s, err := Decode("test", []byte(text+"}]"))
	if err != nil {
		t.Fatal(err)
	}
	if f := &s.Faults[0]; f.Kind == row.kind && *f.At == Fixed(time.Second) {
		return f
	}
	t.Fatalf("it is read as %+v", s.Faults[0])
	return nil
}

func checkReadyMade(t *testing.T, row kindRow) {
	t.Helper()
	i := slices.IndexFunc(ReadyMadeFaults(), func(r ReadyMadeFault) bool { return r.Name == row.readyMade })
	if i < 0 {
		t.Fatalf("there is no ready-made fault %s", row.readyMade)
	}
	example, _, _ := strings.Cut(ReadyMadeFaults()[i].Syntax, ", ")
	s := &Script{}
	if err := s.ParseFault(example); err != nil {
		t.Fatal(err)
	}
	if len(s.Faults) != 1 || s.Faults[0].Kind != row.kind {
		t.Errorf("%s makes %+v", example, s.Faults)
	}
}

// TestReadyMadeFaults reads every example of the reference, and wants each ready-made fault that is
// of a kind to stand in a row or to be a variant of one that does.
func TestReadyMadeFaults(t *testing.T) {
	for _, r := range ReadyMadeFaults() {
		if r.Name == "" || r.Text == "" || (r.add == nil) == (r.value == nil) || !strings.HasPrefix(r.Syntax, r.Name) {
			t.Errorf("the line of %q is not complete", r.Name)
		}
		for example := range strings.SplitSeq(r.Syntax, ", ") {
			s := &Script{}
			if err := s.ParseFault(example); err != nil {
				t.Error(err)
			}
			if len(s.Faults) == 0 && len(s.Programs) == 0 {
				t.Errorf("%s changes nothing", example)
			}
			for _, f := range s.Faults {
				if _, known := f.Kind.row(); !known || f.Label() != example {
					t.Errorf("%s makes %+v", example, f)
				}
			}
		}
	}
}
