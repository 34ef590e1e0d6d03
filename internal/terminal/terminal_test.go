package terminal

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/store"
)

// TestFallingBehind: a reader so slow that changes are forgotten is told so, and gets what there is
// from the start.
func TestFallingBehind(t *testing.T) {
	for name, test := range map[string]struct {
		screen func(Options) screen
		want   []string // beginnings of the lines
	}{
		"json": {
			func(o Options) screen { return newLineScreen(o, jsonLine, jsonExpired) },
			[]string{
				`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the reader was too slow for the changes","reason":"Expired","code":410}}`,
				`{"type":"ADDED","object":{"kind":"Pod"`,
			},
		},
		"lines": {func(o Options) screen { return newLineScreen(o, (&eventLines{}).line, nil) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			objects := store.New(store.Options{Kinds: append(store.Kubernetes(), node.Kinds()...), History: 4})
			watch, err := objects.Watch(store.WatchOptions{})
			if err != nil {
				t.Fatal(err)
			}
			pod := &corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
			if _, err := store.Create(objects, pod); err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				if _, err := store.Modify(objects, "default", "web", func(p *corev1.Pod) error {
					p.Labels = map[string]string{"n": fmt.Sprint(i)}
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
			var out, errOut bytes.Buffer
			v := &View{store: objects, screen: test.screen(Options{Out: &out, Err: &errOut})}
			done, cancel := context.WithCancel(t.Context())
			cancel() // it shows what is left and returns
			if err := v.show(done, watch); err != nil {
				t.Fatal(err)
			}
			v.screen.close()
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			for i, want := range test.want {
				if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
					t.Errorf("line %d of %q does not begin with %s", i, lines, want)
				}
			}
			if want := "changes are missing in the output"; !strings.Contains(errOut.String(), want) {
				t.Errorf("standard error = %q, want %q", errOut.String(), want)
			}
		})
	}
}

// An Event that occurs again is a line of its own with the count in text, MODIFIED in JSON, and in
// the table the last Event, once.
func TestMergedEvents(t *testing.T) {
	objects := store.New(store.Options{Kinds: append(store.Kubernetes(), node.Kinds()...)})
	watch, err := objects.Watch(store.WatchOptions{Kinds: []store.Object{&corev1.Event{}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"Unhealthy", "Killing", "Unhealthy"} {
		objects.Record(store.Occurrence{
			About: corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: "web"}, Type: "Warning", Reason: reason, Message: "it did", Component: "kubelet",
		})
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	lines, table := &eventLines{}, newTableScreen(nil)
	var text, json []string
	for {
		change, err := watch.Next(done)
		if err != nil {
			break
		}
		line, err := lines.line(change.Type, change.Object)
		if err != nil {
			t.Fatal(err)
		}
		_, shown, _ := strings.Cut(string(line), "  ")
		text = append(text, shown)
		data, err := jsonLine(change.Type, change.Object)
		if err != nil {
			t.Fatal(err)
		}
		json = append(json, string(data))
		if err := table.show(change.Type, change.Object); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"Warning  Unhealthy    web  it did", "Warning  Killing      web  it did", "Warning  Unhealthy    web  x2  it did"}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if last := json[len(json)-1]; !strings.HasPrefix(last, `{"type":"MODIFIED"`) || !strings.Contains(last, `"count":2`) {
		t.Errorf("JSON = %s, want MODIFIED with a count of 2", last)
	}
	var rows []string
	for _, e := range table.snapshot().events {
		rows = append(rows, fmt.Sprintf("%s x%d", e.Reason, e.Count))
	}
	if diff := cmp.Diff([]string{"Killing x1", "Unhealthy x2"}, rows); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// TestStream: what is no terminal gets every byte.
func TestStream(t *testing.T) {
	var out bytes.Buffer
	if _, err := Stream(&out).Write([]byte("\x1b[2J\xff")); err != nil || out.String() != "\x1b[2J\xff" {
		t.Errorf("written %q, %v", out.String(), err)
	}
}
