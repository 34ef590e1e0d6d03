package terminal

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// TestOutput: what containers print is shown wherever the live view does not show the run: in lines
// on a terminal as well, and after the view has ended.
func TestOutput(t *testing.T) {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "web"}}
	for name, test := range map[string]struct {
		screen func(Options) screen
		want   bool
	}{
		"lines": {func(o Options) screen { return newLinesScreen(o) }, true},
		"lines on a terminal": {func(o Options) screen {
			s := newLinesScreen(o)
			s.onTerminal = true
			return s
		}, true},
		"the live view": {func(o Options) screen { return &liveScreen{opts: o} }, false},
		"a live view that has ended": {func(o Options) screen {
			return &liveScreen{opts: o, lines: newLinesScreen(o)}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			v := &View{screen: test.screen(Options{Out: &out, Err: &out})}
			if v.Live() == test.want {
				t.Errorf("Live is %v", v.Live())
			}
			if !test.want {
				v.Output(pod, "app", process.LogEntry{Text: []byte("hello")}) // would panic: no view runs
				return
			}
			v.Output(pod, "app", process.LogEntry{Text: []byte("hello")})
			v.screen.flush()
			if got := out.String(); got != "web | hello\n" {
				t.Errorf("printed %q", got)
			}
		})
	}
}

// TestEndOfTheView: lines take over, and a HUP that comes later is none of a closed window.
func TestEndOfTheView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		s := &liveScreen{opts: Options{Out: &out, Err: &out}, run: Run{Store: store.New(store.Options{Kinds: store.Kubernetes()})}}
		if !s.interactive() {
			t.Error("nobody watches the live view")
		}
		s.failed(errors.New("the terminal is gone"))
		if !s.interactive() {
			t.Error("the HUP of the closed window would not stop the run")
		}
		time.Sleep(hangupTime)
		if s.interactive() {
			t.Error("somebody watches a view that has ended")
		}
		s.lines.close()
		if !strings.Contains(out.String(), "the terminal is gone") {
			t.Errorf("printed %q", out.String())
		}
	})
}

func TestFieldNames(t *testing.T) {
	const path = "spec.template.spec.containers[0].livenessProbe.successThreshold"
	if got := lastFields(path); got != "livenessProbe.successThreshold" {
		t.Errorf("lastFields = %q", got)
	}
	for in, want := range map[string]string{path: "spec.….livenessProbe.successThreshold", "spec.replicas": "spec.replicas", "": ""} {
		if got := shortened(in); got != want {
			t.Errorf("shortened(%q) = %q, want %q", in, got, want)
		}
	}
}
