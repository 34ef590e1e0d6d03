package terminal

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

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
		"lines": {func(o Options) screen { return newLinesScreen(o) }, nil},
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

// TestMergedEvents: an Event that occurs again is MODIFIED in JSON, with its count.
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
	var last string
	for range 3 {
		change, err := watch.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := jsonLine(change.Type, change.Object)
		if err != nil {
			t.Fatal(err)
		}
		last = string(data)
	}
	if !strings.HasPrefix(last, `{"type":"MODIFIED"`) || !strings.Contains(last, `"count":2`) {
		t.Errorf("JSON = %s, want MODIFIED with a count of 2", last)
	}
}

// TestStream: what is no terminal gets every byte.
func TestStream(t *testing.T) {
	var out bytes.Buffer
	if _, err := Stream(&out).Write([]byte("\x1b[2J\xff")); err != nil || out.String() != "\x1b[2J\xff" {
		t.Errorf("written %q, %v", out.String(), err)
	}
}
