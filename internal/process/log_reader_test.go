package process

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var logStart = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// numbered writes entries whose texts are their numbers, each with a time of its own.
type numbered struct {
	file logFile
	next int
}

func newNumbered(dir string, maxSize int64, maxFiles int) *numbered {
	return &numbered{file: logFile{path: logPath(dir, 0), maxSize: maxSize, maxFiles: maxFiles}}
}

func (w *numbered) write(t *testing.T, n int) {
	var data []byte
	for range n {
		stamp := stampOf(logStart.Add(time.Duration(w.next) * time.Millisecond))
		data = appendLogEntry(data, stamp, Stdout, false, strconv.AppendInt(nil, int64(w.next), 10))
		w.next++
	}
	if kept, err := w.file.write(data); err != nil || kept != n {
		t.Errorf("write = %d, %v, want %d", kept, err, n)
	}
}

func numberOf(t *testing.T, e LogEntry) int {
	t.Helper()
	n, err := strconv.Atoi(string(e.Text))
	if err != nil || !e.Time.Equal(logStart.Add(time.Duration(n)*time.Millisecond)) {
		t.Fatalf("entry %q at %v", e.Text, e.Time)
	}
	return n
}

func newReader(t *testing.T, dir string) *LogReader {
	t.Helper()
	r := OpenLogReader(dir, 0)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// numbers reads by a step to the end.
func numbers(t *testing.T, step func() (LogEntry, error)) (all []int) {
	t.Helper()
	for {
		e, err := step()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, numberOf(t, e))
	}
}

func sequence(from, to int) (all []int) {
	for n := from; n < to; n++ {
		all = append(all, n)
	}
	return all
}

func TestReadBothWays(t *testing.T) {
	for name, test := range map[string]struct{ entries, perWrite int }{
		"nothing": {0, 1}, "one": {1, 1}, "one file": {5, 5}, "some files": {100, 1}, "larger than a block": {9000, 3000},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			w := newNumbered(dir, 500, 100)
			for w.next < test.entries {
				w.write(t, test.perWrite)
			}
			r := newReader(t, dir)
			want := sequence(0, test.entries)
			if got := numbers(t, r.Next); !slices.Equal(got, want) {
				t.Errorf("forwards: %d entries, want %d", len(got), len(want))
			}
			slices.Reverse(want)
			if got := numbers(t, r.Previous); !slices.Equal(got, want) {
				t.Errorf("backwards: %d entries, want %d", len(got), len(want))
			}
			if err := r.SeekEnd(); err != nil {
				t.Fatal(err)
			}
			if got := numbers(t, r.Previous); !slices.Equal(got, want) {
				t.Errorf("backwards from the end: %d entries, want %d", len(got), len(want))
			}
		})
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	w := newNumbered(dir, 200, 100)
	for range 290 {
		w.write(t, 1)
	}
	r := newReader(t, dir)
	has := func(text string) func(LogEntry) bool {
		return func(e LogEntry) bool { return strings.Contains(string(e.Text), text) }
	}
	var found []int
	for range 3 {
		e, err := r.Find(false, has("77"))
		if err != nil {
			break
		}
		found = append(found, numberOf(t, e))
	}
	if err := r.SeekEnd(); err != nil {
		t.Fatal(err)
	}
	back, err := r.Find(true, has("77"))
	if want := []int{77, 177, 277}; !slices.Equal(found, want) || err != nil || numberOf(t, back) != 277 {
		t.Errorf("found %v, and backwards %q, %v; want %v and 277", found, back.Text, err, want)
	}
	if _, err := r.Find(false, has("nothing")); !errors.Is(err, io.EOF) {
		t.Errorf("error = %v, want %v", err, io.EOF)
	}
}

// A position survives rotations, another reader and its text, as long as the file is kept.
func TestSeek(t *testing.T) {
	dir := t.TempDir()
	w := newNumbered(dir, 200, 20)
	for range 30 {
		w.write(t, 1)
	}
	r := newReader(t, dir)
	var places []LogPosition
	for {
		places = append(places, r.Position())
		if _, err := r.Next(); err != nil {
			break
		}
	}
	for range 30 {
		w.write(t, 1)
	}
	other := newReader(t, dir)
	for n, place := range places {
		parsed, err := ParseLogPosition(place.String())
		if err != nil || parsed != place {
			t.Fatalf("position %q = %v, %v", place.String(), parsed, err)
		}
		if err := other.Seek(parsed); err != nil {
			t.Fatal(err)
		}
		if e, err := other.Next(); err != nil || numberOf(t, e) != n {
			t.Errorf("behind position %d is %q, %v", n, e.Text, err)
		}
	}
	for range 400 {
		w.write(t, 1)
	}
	if err := other.Seek(places[7]); !errors.Is(err, ErrLogGone) {
		t.Errorf("seek to a deleted file = %v, want %v", err, ErrLogGone)
	}
	if err := other.Seek(LogPosition{}); err != nil {
		t.Fatal(err)
	}
	if e, err := other.Next(); err != nil || numberOf(t, e) <= 7 {
		t.Errorf("the first that is kept is %q, %v", e.Text, err)
	}
	for _, text := range []string{"x", "+1", "a+", "a+-1", "a+1x"} {
		if p, err := ParseLogPosition(text); err == nil {
			t.Errorf("position %q = %v, want an error", text, p)
		}
	}
	bent := other.Position()
	bent.offset--
	if err := other.Seek(bent); err == nil || errors.Is(err, ErrLogGone) {
		t.Errorf("seek into a line = %v, want an error", err)
	}
}

// Half an entry is none until the rest is there, and what is no entry is left out.
func TestHalfALine(t *testing.T) {
	dir := t.TempDir()
	w := newNumbered(dir, 1<<20, 5)
	w.write(t, 2)
	r, end := newReader(t, dir), newReader(t, dir)
	half := appendLogEntry(nil, stampOf(logStart.Add(2*time.Millisecond)), Stdout, false, []byte("2"))
	if _, err := w.file.file.Write(append([]byte("rubbish\n\n"), half[:20]...)); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r.Next); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("read %v before the entry is complete", got)
	}
	if err := end.SeekEnd(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.file.file.Write(half[20:]); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r.Next); !slices.Equal(got, []int{2}) {
		t.Errorf("read %v after it, want 2", got)
	}
	if got := numbers(t, end.Next); !slices.Equal(got, []int{2}) {
		t.Errorf("read %v from the end, want 2", got)
	}
	if got := numbers(t, end.Previous); !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("read %v backwards, want 2, 1, 0", got)
	}
}

// A line of another program that has no end does not hold up a reader.
func TestEndlessLine(t *testing.T) {
	dir := t.TempDir()
	w := newNumbered(dir, 1<<30, 5)
	w.write(t, 1)
	if _, err := w.file.file.Write([]byte(strings.Repeat("x", 5*blockSize+7) + "\n")); err != nil {
		t.Fatal(err)
	}
	w.write(t, 1)
	r := newReader(t, dir)
	if got := numbers(t, r.Next); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("read %v, want 0, 1", got)
	}
	if got := numbers(t, r.Previous); !slices.Equal(got, []int{1, 0}) {
		t.Errorf("read %v backwards, want 1, 0", got)
	}
}

// A reader beside a writer that rotates after nearly every entry gets each entry once, in order,
// and at each place the same backwards.
func TestReadersBesideRotation(t *testing.T) {
	const entries = 150
	dir := t.TempDir()
	w := newNumbered(dir, 150, entries)
	var all sync.WaitGroup
	all.Go(func() {
		random := rand.New(rand.NewPCG(1, 2))
		for w.next < entries {
			w.write(t, min(1+random.IntN(4), entries-w.next))
		}
	})
	for seed := range uint64(3) {
		all.Go(func() {
			r, random := OpenLogReader(dir, 0), rand.New(rand.NewPCG(seed, 0))
			defer r.Close()
			for place := 0; place < entries; {
				if random.IntN(100) == 0 {
					place -= goBack(t, r, place, random.IntN(40))
				}
				e, err := r.Next()
				if errors.Is(err, io.EOF) {
					continue
				}
				if err != nil || numberOf(t, e) != place {
					t.Errorf("entry %d is %q, %v", place, e.Text, err)
					return
				}
				place++
			}
			if r.Lost() {
				t.Error("entries were lost, although none was deleted")
			}
		})
	}
	all.Wait()
}

// goBack reads backwards and reports how many entries that were.
func goBack(t *testing.T, r *LogReader, place, n int) (back int) {
	for ; back < n; back++ {
		e, err := r.Previous()
		if errors.Is(err, io.EOF) && back == place {
			return back
		}
		if err != nil || numberOf(t, e) != place-back-1 {
			t.Errorf("before entry %d is %q, %v", place-back, e.Text, err)
			return back
		}
	}
	return back
}

// A reader that is overtaken by the deletion of files goes on in order, and says so.
func TestReaderThatIsTooSlow(t *testing.T) {
	dir := t.TempDir()
	w := newNumbered(dir, 150, 3)
	w.write(t, 1)
	r := newReader(t, dir)
	if e, err := r.Next(); err != nil || numberOf(t, e) != 0 || r.Lost() {
		t.Fatalf("entry = %q, %v", e.Text, err)
	}
	for range 100 {
		w.write(t, 1)
	}
	got := numbers(t, r.Next)
	if !r.Lost() || r.Lost() {
		t.Error("that entries were lost is not said once")
	}
	// what was in the file that it had open, and what is kept
	if last := got[len(got)-1]; !slices.IsSorted(got) || last != 100 || got[0] != 1 || len(got) > 15 {
		t.Errorf("read %v, want the rest of the first file and what is kept", got)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, r.Next); len(got) > 0 {
		t.Errorf("read %v of a log that is gone", got)
	}
}

// FuzzLogReader walks at random through a log of random bytes, beside a plain list of its entries.
func FuzzLogReader(f *testing.F) {
	f.Add([]byte("2026-11-29T12:00:00Z stdout F one\nrubbish\n2026-11-29T12:00:01Z stderr P two\nhalf"), uint64(1))
	f.Add([]byte(""), uint64(2))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		dir := t.TempDir()
		if err := os.WriteFile(logPath(dir, 0), data, 0o600); err != nil {
			t.Fatal(err)
		}
		var want []string
		lines := strings.Split(string(data), "\n")
		for _, line := range lines[:len(lines)-1] {
			if e, err := ParseLogEntry([]byte(line)); err == nil {
				want = append(want, string(e.Text))
			}
		}
		if head := data[:min(len(data), 64)]; strings.IndexByte(string(head), ' ') <= 0 {
			want = nil // the file seems to have no entry yet
		}
		r, random := OpenLogReader(dir, 0), rand.New(rand.NewPCG(seed, 0))
		defer r.Close()
		for place, steps := 0, 0; steps < 3*len(want)+3; steps++ {
			step, change, expected := r.Next, 1, place
			if random.IntN(3) == 0 {
				step, change, expected = r.Previous, -1, place-1
			}
			e, err := step()
			switch {
			case errors.Is(err, io.EOF) && (expected < 0 || expected == len(want)):
			case err != nil || expected < 0 || expected >= len(want) || string(e.Text) != want[expected]:
				t.Fatalf("at %d, step %d: %q, %v", place, change, e.Text, err)
			default:
				place += change
			}
		}
	})
}
