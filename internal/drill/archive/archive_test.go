package archive

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/probity-run/probity/internal/drill"
	"github.com/probity-run/probity/internal/drill/drilltest"
)

func newArchive(t *testing.T) (Archive, string) {
	t.Helper()
	dir := t.TempDir()
	open := func() (*os.Root, error) { return os.OpenRoot(dir) }
	return Archive{Open: open, Make: open}, dir
}

// at is the report of a drill that began so many seconds later than others.
func at(seconds int, files ...string) *drill.Report {
	r := drilltest.Sample()
	r.Files, r.Began = files, r.Began.Add(time.Duration(seconds)*time.Second)
	return r
}

// TestKeptReportIsWhole: what is read is what was kept, to the microsecond in which times are
// written.
func TestKeptReportIsWhole(t *testing.T) {
	a, _ := newArchive(t)
	want := at(0, "app.yaml")
	if err := a.Keep(Entry{Outcome: "1 of 3", Grade: drill.GradeFail}, want); err != nil {
		t.Fatal(err)
	}
	all, err := a.List()
	path, _ := filepath.Abs("app.yaml")
	if err != nil || len(all) != 1 || all[0].Outcome != "1 of 3" || all[0].Grade != drill.GradeFail || !cmp.Equal(all[0].Files, []string{path}) || all[0].Took != want.Took {
		t.Fatalf("List = %+v, %v", all, err)
	}
	got, err := a.Read(all[0].Name)
	if err != nil {
		t.Fatal(err)
	}
	jsonOf := func(r *drill.Report) string {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if diff := cmp.Diff(jsonOf(want), jsonOf(got)); diff != "" {
		t.Error(diff)
	}
}

// TestNewestAreKept: the oldest go, whatever was kept last.
func TestNewestAreKept(t *testing.T) {
	a, dir := newArchive(t)
	for i := range Kept + 3 {
		if err := a.Keep(Entry{}, at(i, "app.yaml")); err != nil {
			t.Fatal(err)
		}
	}
	all, err := a.List()
	if err != nil || len(all) != Kept || !all[0].Began.Equal(at(Kept+2).Began) || !all[Kept-1].Began.Equal(at(3).Began) {
		t.Errorf("%d are kept, from %v on, %v", len(all), all[0].Began, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, err := a.Clear()
	left, _ := os.ReadDir(dir)
	if err != nil || len(removed) != Kept || len(left) != 1 {
		t.Errorf("Clear = %d files, %v; %d are left, and one is somebody else's", len(removed), err, len(left))
	}
}

// TestStandardInputIsNotKept: nobody could say whose drill it was.
func TestStandardInputIsNotKept(t *testing.T) {
	a, dir := newArchive(t)
	if err := a.Keep(Entry{}, at(0, "-")); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files are there", len(left))
	}
}

// TestUnreadable: a file that cannot be read is named, and keeps nobody from the others.
func TestUnreadable(t *testing.T) {
	a, dir := newArchive(t)
	if err := a.Keep(Entry{}, at(0, "app.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "7"+suffix), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := a.List()
	if len(all) != 1 || err == nil || !strings.Contains(err.Error(), "7"+suffix) {
		t.Errorf("List = %d drills, %v", len(all), err)
	}
	for _, name := range []string{"8", "", "..", "../7", "now"} {
		if _, err := a.Read(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Read(%q): %v, want that there is none", name, err)
		}
	}
	if _, err := a.Read("7"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of nonsense: %v", err)
	}
}

// TestTooManyRequests: a report that would be too long is kept without them, and the one that was
// given stays as it is.
func TestTooManyRequests(t *testing.T) {
	a, _ := newArchive(t)
	r := at(0, "app.yaml")
	p := r.Results[1].Repetitions[0]
	const requests = 5000
	random := rand.NewChaCha8([32]byte{})
	noise := make([]byte, maxPacked/requests)
	for range requests { // what cannot be packed
		random.Read(noise)
		p.Requests = append(p.Requests, drill.Request{Error: hex.EncodeToString(noise)})
	}
	if err := a.Keep(Entry{}, r); err != nil {
		t.Fatal(err)
	}
	names, err := a.Names()
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Read(names[0])
	if err != nil || len(got.Results[1].Repetitions[0].Requests) != 0 || len(got.Results[1].Repetitions[0].Ledger) == 0 || len(p.Requests) < requests {
		t.Errorf("%v, or requests are kept, or the ledger is not", err)
	}
}

func TestIsOf(t *testing.T) {
	for _, c := range []struct {
		file, manifest string
		want           bool
	}{
		{"/a/app.yaml", "/a/app.yaml", true}, {"/a/app.yaml", "/a", true}, {"/a", "/a/app.yaml", true}, {"/a/app.yaml", "/", true},
		{"/a/app.yaml", "/a/app", false}, {"/ab", "/a", false}, {"/a/b", "/a/c", false},
	} {
		if got := (Entry{Files: []string{c.file}}).IsOf([]string{c.manifest}); got != c.want {
			t.Errorf("a drill of %s is of %s: %v, want %v", c.file, c.manifest, got, c.want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	data, err := encode(Entry{Files: []string{"/app.yaml"}}, drilltest.Sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := decode(data)
		if err != nil {
			return
		}
		again, err := encode(Entry{}, r)
		if err != nil {
			t.Skip(err) // it is longer than what is kept
		}
		back, err := decode(again)
		if err != nil {
			t.Fatal(err)
		}
		var one, other bytes.Buffer
		if errors.Join(json.NewEncoder(&one).Encode(r), json.NewEncoder(&other).Encode(back)) != nil || one.String() != other.String() {
			t.Error("another report is read than was written")
		}
	})
}

// TestWithoutAFolder: who only looks finds nothing, and makes nothing.
func TestWithoutAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "drills")
	a := Archive{Open: func() (*os.Root, error) { return os.OpenRoot(dir) }}
	names, err := a.Names()
	if len(names) > 0 || err != nil {
		t.Errorf("names %v, %v", names, err)
	}
	if all, err := a.List(); len(all) > 0 || err != nil {
		t.Errorf("drills %v, %v", all, err)
	}
	if removed, err := a.Clear(); len(removed) > 0 || err != nil {
		t.Errorf("removed %v, %v", removed, err)
	}
	if _, err := a.Read("1"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a drill is there: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder was made")
	}
}
