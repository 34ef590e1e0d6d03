package clusterdash

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/kube"
	"github.com/probity-run/probity/internal/process"
)

// logServer is an API server that has logs: lines of one a second, the newest of which a follower
// gets when it is printed.
type logServer struct {
	lines   int
	printed chan string // read by one who follows
}

func line(i int) string {
	return at(i).UTC().Format(time.RFC3339Nano) + " line " + strconv.Itoa(i) + "\n"
}

func (s *logServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("previous") == "true" {
		_, _ = fmt.Fprint(w, at(-5).UTC().Format(time.RFC3339Nano)+" before\n")
		return
	}
	first := 0
	if tail, err := strconv.Atoi(q.Get("tailLines")); err == nil {
		first = max(s.lines-tail, 0)
	}
	if since, err := time.Parse(time.RFC3339Nano, q.Get("sinceTime")); err == nil {
		first = int(since.Sub(noon) / time.Second) // the line of that second again, as kubelets do
	}
	for i := first; i < s.lines; i++ {
		_, _ = fmt.Fprint(w, line(i))
	}
	if q.Get("follow") != "true" {
		return
	}
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case text := <-s.printed:
			_, _ = fmt.Fprint(w, text)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// logOf opens the log of an instance of a container that was restarted that often.
func logOf(t *testing.T, s *logServer, instance, restarts int) *log {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	l := openLog(kube.New(server.Client(), server.URL), pod, "app", instance, func() int { return restarts })
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// all reads to the end, in one of both directions.
func all(t *testing.T, step func() (process.LogEntry, error)) (texts []string) {
	t.Helper()
	for {
		entry, err := step()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(entry.Text))
	}
}

// TestLogBackwards: older lines are read when they are wanted, each once.
func TestLogBackwards(t *testing.T) {
	l := logOf(t, &logServer{lines: 5 * firstTail}, 0, 0)
	if err := l.SeekEnd(); err != nil {
		t.Fatal(err)
	}
	got := all(t, l.Previous)
	if len(got) != 5*firstTail {
		t.Fatalf("there are %d lines, want %d", len(got), 5*firstTail)
	}
	for i, text := range got {
		if want := "line " + strconv.Itoa(5*firstTail-1-i); text != want {
			t.Fatalf("line %d from the end is %q, want %q", i, text, want)
		}
	}
	if forth := all(t, l.Next); len(forth) != 5*firstTail {
		t.Errorf("forth there are %d lines", len(forth))
	}
}

// TestLogFollows: behind the end come lines as they are printed, and none again that is known.
func TestLogFollows(t *testing.T) {
	for name, begin := range map[string]func(*log) error{
		"from the end":       func(l *log) error { return l.SeekEnd() },
		"from the beginning": func(*log) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			s := &logServer{lines: 3, printed: make(chan string)}
			l := logOf(t, s, 0, 0)
			if err := begin(l); err != nil {
				t.Fatal(err)
			}
			known := all(t, l.Next)
			_, _ = l.Next() // begins to follow
			s.printed <- line(7)
			for {
				entry, err := l.Next()
				if errors.Is(err, io.EOF) {
					time.Sleep(time.Millisecond)
					continue
				}
				if err != nil || string(entry.Text) != "line 7" {
					t.Fatalf("after %v comes %q, %v; want line 7", known, entry.Text, err)
				}
				return
			}
		})
	}
}

// TestLogsBefore: a cluster has the log of the instance before, and of none before that.
func TestLogsBefore(t *testing.T) {
	for restarts, want := range map[int]string{0: "line 0 line 1", 1: "before", 2: ""} {
		if got := strings.Join(all(t, logOf(t, &logServer{lines: 2}, 0, restarts).Next), " "); got != want {
			t.Errorf("after %d restarts: %q, want %q", restarts, got, want)
		}
	}
}

// TestBefore: of an instant that an end of a log divides no line is lost, and none comes twice.
func TestBefore(t *testing.T) {
	entries := func(seconds ...int) (all []process.LogEntry) {
		for i, s := range seconds {
			all = append(all, process.LogEntry{Time: at(s), Text: []byte(strconv.Itoa(i))})
		}
		return all
	}
	whole := entries(1, 2, 2, 2, 3)
	for known, want := range map[int]int{1: 4, 2: 3, 3: 2, 4: 1, 5: 0} {
		if got := before(whole, whole[len(whole)-known:]); len(got) != want {
			t.Errorf("before the last %d lines: %d, want %d", known, len(got), want)
		}
	}
}
