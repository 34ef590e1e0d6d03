package terminal

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/node"
	"github.com/probity-run/probity/internal/printable"
)

var escapes = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func examplePicture() snapshot {
	now := time.Date(2026, 1, 1, 12, 0, 42, 0, time.UTC)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{node.AnnotationPID + "app": "4711"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "app", Ready: true, Started: new(true), RestartCount: 2,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-42 * time.Second))}},
		}}},
	}
	report := &node.ProbeReport{Probes: []node.ProbeRecord{
		{Container: "app", Type: lifecycle.Liveness, Outcome: "failure", Output: "HTTP probe failed\x1b[2J with statuscode: 500", Latency: 1234567, Run: 2, Threshold: 3},
		{Container: "app", Type: lifecycle.Startup, Outcome: "success", Latency: 980 * time.Microsecond, Threshold: 1, Hold: true},
	}}
	event := &corev1.Event{
		Type: "Warning", Reason: "Unhealthy", Message: "Liveness probe failed:\nno answer", EventTime: metav1.NewMicroTime(now),
		InvolvedObject: corev1.ObjectReference{Name: "web", FieldPath: "spec.containers{app}"},
	}
	return snapshot{pods: []*corev1.Pod{pod}, reports: map[string]*node.ProbeReport{"web": report}, events: []*corev1.Event{event}, now: now}
}

func TestTable(t *testing.T) {
	for name, test := range map[string]struct {
		width, height int
		lines         []string
		want          string
	}{
		"wide": {100, 20, nil, `
POD  READY  STARTED  RESTARTS  STATE    AGE  PID
web  yes    yes      2         Running  42s  4711
  ✓ startup   success    980µs  done
  ✗ liveness  failure   1.23ms  2/3   HTTP probe failed\u001b[2J with statuscode: 500

EVENTS
12:00:42.000  Warning  Unhealthy    web/app  Liveness probe failed: no answer`},
		"narrow": {24, 20, nil, `
POD  READY  STARTED  RES
web  yes    yes      2
  ✓ startup   success
  ✗ liveness  failure

EVENTS
12:00:42.000  Warning  U`},
		"low": {30, 3, nil, `
POD  READY  STARTED  RESTARTS
web  yes    yes      2
  ✓ startup   success    980µs`},
		"output": {40, 12, []string{"web | one", "web | two", "web | three"}, `
POD  READY  STARTED  RESTARTS  STATE
web  yes    yes      2         Running
  ✓ startup   success    980µs  done
  ✗ liveness  failure   1.23ms  2/3   HT

EVENTS
12:00:42.000  Warning  Unhealthy    web/

OUTPUT
web | two
web | three`},
	} {
		t.Run(name, func(t *testing.T) {
			p := examplePicture()
			p.lines = test.lines
			var got []string
			for line := range strings.SplitSeq(p.render(test.width, test.height), "\n") {
				got = append(got, strings.TrimRight(escapes.ReplaceAllString(line, ""), " "))
			}
			if diff := cmp.Diff(strings.Split(strings.TrimPrefix(test.want, "\n"), "\n"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestHostileTable: what others wrote is neither obeyed nor hidden, and takes the columns that it
// takes.
func TestHostileTable(t *testing.T) {
	const hostile = "漢字\x1b]0;t\x07\u009b2J\r\u202e\u200b\U000e0041\xff\x1b[31mred\x1b[0m\nend"
	const shown = `漢字\u001b]0;t\u0007\u009b2J\r\u202e\u200b\udb40\udc41\xffred end`
	p := examplePicture()
	p.pods[0].Annotations[node.AnnotationPID+"app"] = hostile
	p.reports["web"].Probes[0].Output = hostile
	p.events[0].Message, p.events[0].InvolvedObject.Name = hostile, hostile
	p.services = []*corev1.Service{{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Annotations: map[string]string{manifest.AnnotationAddress + "80": hostile}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}}
	screen := newTableScreen(nil)
	screen.say("web | " + hostile)
	p.lines = screen.lines
	for width := 1; width < 250; width++ {
		for line := range strings.SplitSeq(p.render(width, 40), "\n") {
			text := escapes.ReplaceAllString(line, "")
			if printable.Line(text) != text || printable.Width(text) > width {
				t.Errorf("line %q in %d columns", line, width)
			}
		}
	}
	whole := escapes.ReplaceAllString(p.render(500, 40), "")
	for _, want := range []string{"web | " + shown, "2/3   " + shown, "/app  " + shown} {
		if !strings.Contains(whole, want) {
			t.Errorf("%q is not in\n%s", want, whole)
		}
	}
	// the column after a wide name begins where its header does
	p.pods[0].Name = "漢"
	lines := strings.Split(escapes.ReplaceAllString(p.render(500, 40), ""), "\n")
	header, row := lines[0], lines[1]
	if at, want := printable.Width(row[:strings.Index(row, "yes")]), strings.Index(header, "READY"); at != want {
		t.Errorf("READY is in column %d, its header in %d:\n%s\n%s", at, want, header, row)
	}
}

func TestOneLine(t *testing.T) {
	for in, want := range map[string]string{"": "", "a\n": "a", "a\r\n": "a", "a\r": "a", "a\r\nb\n\n": "a b", "a\rb": `a\rb`, "\x1b[1mbold\x1b[m\n": "bold"} {
		if got := oneLine(in); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestShortDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                       "0s",
		999 * time.Millisecond:             "0s",
		59 * time.Second:                   "59s",
		61 * time.Second:                   "1m01s",
		3*time.Hour + 4*time.Minute:        "3h04m",
		100*time.Hour + 59*time.Minute + 1: "100h59m",
	} {
		if got := shortDuration(d); got != want {
			t.Errorf("shortDuration(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestServiceTable(t *testing.T) {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Annotations: map[string]string{manifest.AnnotationAddress + "80": "127.0.0.1:8080"}},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	}
	headless := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "db"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 5432}}}}
	slice := func(port int32, ready bool) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
			Ports:      []discoveryv1.EndpointPort{{Name: new("http"), Port: &port}},
			Endpoints:  []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: &ready}}},
		}
	}
	p := snapshot{services: []*corev1.Service{headless, service}, slices: []*discoveryv1.EndpointSlice{slice(1, true), slice(2, false), slice(3, true)}}
	want := "\nSERVICE  ADDRESS         READY\nweb      127.0.0.1:8080  2/3"
	var got []string
	for _, line := range p.serviceTable(80) {
		got = append(got, strings.TrimRight(escapes.ReplaceAllString(line, ""), " "))
	}
	if diff := cmp.Diff(want, strings.Join(got, "\n")); diff != "" {
		t.Error(diff)
	}
	if lines := (snapshot{services: []*corev1.Service{headless}}).serviceTable(80); lines != nil {
		t.Errorf("a table without Services: %q", lines)
	}
}

// What is over is not shown as if it were now.
func TestTableOfStates(t *testing.T) {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for name, test := range map[string]struct {
		change func(*snapshot, *corev1.Pod, *corev1.ContainerStatus)
		want   []string // words of the container's row
		probes bool     // their rows are shown
	}{
		"running": {func(*snapshot, *corev1.Pod, *corev1.ContainerStatus) {}, []string{"web", "yes", "yes", "2", "Running", "42s", "4711"}, true},
		"crashed": {func(_ *snapshot, _ *corev1.Pod, s *corev1.ContainerStatus) {
			s.Ready, s.Started = false, new(false)
			s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}}
		}, []string{"web", "no", "no", "2", "Error", "(3)", "4711"}, false},
		"in back-off": {func(_ *snapshot, _ *corev1.Pod, s *corev1.ContainerStatus) {
			s.Ready, s.Started = false, new(false)
			s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
		}, []string{"web", "no", "no", "2", "CrashLoopBackOff", "4711"}, false},
		"being killed": {func(_ *snapshot, pod *corev1.Pod, s *corev1.ContainerStatus) {
			pod.Annotations[node.AnnotationStopping+"app"] = "true"
		}, []string{"web", "yes", "yes", "2", "Terminating", "42s", "4711"}, true},
		"a finished init container": {func(_ *snapshot, _ *corev1.Pod, s *corev1.ContainerStatus) {
			s.Started, s.RestartCount = nil, 0
			s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}
		}, []string{"web", "0", "Completed", "4711"}, false},
		"an init container that runs": {func(_ *snapshot, _ *corev1.Pod, s *corev1.ContainerStatus) {
			s.Started, s.RestartCount, s.Ready, s.State = nil, 0, false, running
		}, []string{"web", "0", "Running"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := examplePicture()
			test.change(&p, p.pods[0], &p.pods[0].Status.ContainerStatuses[0])
			lines := p.table(100)
			row := strings.Fields(escapes.ReplaceAllString(lines[1], ""))
			if diff := cmp.Diff(test.want, row[:min(len(row), len(test.want))]); diff != "" {
				t.Errorf("row (-want +got):\n%s", diff)
			}
			if shown := len(lines) > 2; shown != test.probes {
				t.Errorf("rows of probes are shown: %v, want %v", shown, test.probes)
			}
		})
	}
}

func TestWarningsAreWrapped(t *testing.T) {
	event := &corev1.Event{
		Type: "Warning", Reason: "PortInUse", EventTime: metav1.NewMicroTime(time.Date(2026, 1, 1, 12, 0, 42, 0, time.UTC)),
		InvolvedObject: corev1.ObjectReference{Name: "web-7d9c6b5f4-pz4vd", FieldPath: "spec.containers{app}"},
		Message:        "Port 8080 is taken by process 7 (nc): if app needs it, let it listen on the port in PORT, or run one replica",
	}
	want := []string{
		"12:00:42.000  Warning  PortInUse    web-7d9c6b5f4-pz4vd/app  Port 8080 is taken",
		"              by process 7 (nc): if app needs it, let it listen on the port in",
		"              PORT, or run one replica",
	}
	var got []string
	for _, line := range eventRows(event, 80) {
		got = append(got, escapes.ReplaceAllString(line, ""))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	event.Type = "Normal"
	if rows := eventRows(event, 80); len(rows) != 1 {
		t.Errorf("a Normal Event takes %d lines, want 1", len(rows))
	}
	for _, line := range wrap(strings.Repeat("x", 1000), 80) {
		if len(line) > 80 {
			t.Errorf("a line of %d columns in a window of 80", len(line))
		}
	}
}
