package diagnosis

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/manifest"
)

var now = time.Date(2026, 11, 4, 12, 8, 31, 0, time.UTC)

// running are the facts of a Pod that is ready: an HTTP server of three replicas, an hour old.
func running() *Facts {
	get := func(path string, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: path, Port: intstr.FromString("http")}},
			TimeoutSeconds: 1, PeriodSeconds: 3, FailureThreshold: failures, SuccessThreshold: 1,
		}
	}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web-1", CreationTimestamp: metav1.NewTime(now.Add(-time.Hour))},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: new(int64(30)), Containers: []corev1.Container{{
			Name: "app", Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
			StartupProbe: get("/startupz", 60), ReadinessProbe: get("/readyz", 1), LivenessProbe: get("/livez", 3),
		}}},
		Status: corev1.PodStatus{
			Phase:             corev1.PodRunning,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(now.Add(-time.Hour))}}}},
		},
	}
	ok := func(t Probe) Probe {
		t.Container, t.Attempts, t.At, t.Took, t.Passing, t.Known, t.EverPassed, t.Run, t.Threshold = "app", 9, now.Add(-time.Second), time.Millisecond, true, true, true, 1, 1
		return t
	}
	return &Facts{
		Now: now, Pod: pod, Services: []string{"web"}, Workload: Workload{Kind: "Deployment", Name: "web", Desired: 3, Ready: 2},
		Probes: []Probe{ok(Probe{Type: startup, Over: true}), ok(Probe{Type: readiness}), ok(Probe{Type: liveness})},
		Containers: map[string]Container{"app": {
			PID: 48122, Ports: []Port{{"http", 8080, 37121}}, Looked: true, Listeners: []netip.AddrPort{netip.MustParseAddrPort("[::]:37121")},
		}},
		Place:      func(field string) string { return "app.yaml:" + strings.TrimPrefix(field, "spec.containers[0].") },
		HasService: func(name string) bool { return name == "web" },
	}
}

func (f *Facts) fail(i, run, threshold int, output string) *Probe {
	p := &f.Probes[i]
	p.Failed, p.Run, p.Threshold, p.Output = true, run, threshold, output
	if run >= threshold && i == 1 {
		p.Passing, p.FailingSince = false, now.Add(-12*time.Second)
		f.unready()
	}
	return p
}

func (f *Facts) unready() { f.Pod.Status.Conditions[0].Status = corev1.ConditionFalse }

func (f *Facts) started(ago time.Duration) {
	f.Pod.CreationTimestamp = metav1.NewTime(now.Add(-ago))
	f.Pod.Status.ContainerStatuses[0].State.Running.StartedAt = metav1.NewTime(now.Add(-ago))
}

// never makes a failing readiness probe one that has never passed.
func (f *Facts) never(output string) *Probe {
	f.started(72 * time.Second)
	p := f.fail(1, 36, 1, output)
	p.EverPassed, p.Attempts = false, 36
	return p
}

func (f *Facts) container(change func(*Container)) {
	c := f.Containers["app"]
	change(&c)
	f.Containers["app"] = c
}

func (f *Facts) ended(end corev1.ContainerStateTerminated, words string) {
	f.unready()
	f.Probes = nil
	end.StartedAt, end.FinishedAt = metav1.NewTime(now.Add(-8*time.Second)), metav1.NewTime(now.Add(-6*time.Second))
	s := &f.Pod.Status.ContainerStatuses[0]
	s.RestartCount = 6
	s.LastTerminationState.Terminated = &end
	s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: crashLoop, Message: "back-off 40s restarting failed container=app pod=x"}}
	f.container(func(c *Container) { c.PID, c.LastWords, c.Ran, c.Crashes = 0, words, 200*time.Millisecond, 7 })
}

const (
	refusedText  = `Get "http://127.0.0.1:8081/readyz": dial tcp 127.0.0.1:8081: connect: connection refused`
	timeoutText  = `Get "http://127.0.0.1:37121/livez": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
	statusText   = "HTTP probe failed with statuscode: "
	withoutRoute = "No request reaches it."
)

func TestDiagnosis(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Facts)
		want   Diagnosis
	}{
		"well": {func(f *Facts) { f.Probes[1].Status = 204 }, Diagnosis{State: Ready, Check: "ok", Why: "Readiness 204 in 1.0 ms, liveness answered in 1.0 ms. In rotation of service/web."}},
		"hung": {func(f *Facts) {
			f.fail(1, 1, 1, timeoutText)
			p := f.fail(2, 2, 3, timeoutText)
			p.Connected, p.ConnectTook, p.At = true, 100*time.Microsecond, now.Add(-1200*time.Millisecond)
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "2/3", Reason: "timeout 1 s · GET /livez · 2/3, one more and it is restarted",
			Why:  "timeout 1 s · GET /livez · 2/3, one more and it is restarted (next attempt in 1.8 s). Connected in 0.1 ms, sent, then silence.",
			So:   "Out of rotation for 12 s (readiness timed out too); 2 of 3 replicas serve.",
			Next: "read its last lines (l); before the restart, kill -QUIT 48122 makes a Go or Java program print its stacks.",
		}},
		"liveness fails, readiness does not": {func(f *Facts) { f.fail(2, 1, 3, statusText+"500") }, Diagnosis{
			State: Ready, Attention: true, Check: "1/3", Reason: "HTTP 500 · GET /livez · 1/3, 2 more and it is restarted",
			Why:  "HTTP 500 · GET /livez · 1/3, 2 more and it is restarted (next attempt in 2 s).",
			So:   "In rotation until then; the restart gives it 30 s to end.",
			Next: "read in its log why it answers 500 (l).",
		}},
		"the timeout is near what answers take": {func(f *Facts) { f.fail(2, 1, 3, timeoutText).Slowest = 930 * time.Millisecond }, Diagnosis{
			State: Ready, Attention: true, Check: "1/3", Reason: "timeout 1 s · GET /livez · 1/3, 2 more and it is restarted",
			Why:  "timeout 1 s · GET /livez · 1/3, 2 more and it is restarted (next attempt in 2 s).",
			So:   "In rotation until then; the restart gives it 30 s to end.",
			Next: "raise livenessProbe.timeoutSeconds (app.yaml:livenessProbe.timeoutSeconds): p99 was 930 ms of 1 s.",
		}},
		"being restarted": {func(f *Facts) {
			f.fail(2, 3, 3, timeoutText)
			f.container(func(c *Container) { c.Stopping, c.KillAt = true, now.Add(21*time.Second) })
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "0:21", Reason: "timeout 1 s · GET /livez · 3/3, it is being restarted",
			Why: "timeout 1 s · GET /livez · 3/3, it is being restarted.",
			So:  "It is being restarted: the stop signal was sent, SIGKILL in 0:21; 2 of 3 replicas serve.", Next: "read its last lines (l).",
		}},
		"never ready": {func(f *Facts) { f.never(statusText + "503").Body = "database: \x1b[31mping: refused\n" }, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "HTTP 503 · GET /readyz · 36 attempts · “database: ping: refused”",
			Why: "HTTP 503 · GET /readyz · 36 attempts in 1m12s, never ready · “database: ping: refused”.",
			So:  withoutRoute, Next: "read in its log why it answers 503 (l).",
		}},
		"wrong port": {func(f *Facts) {
			f.never(refusedText)
			f.Pod.Spec.Containers[0].ReadinessProbe.HTTPGet.Port = intstr.FromInt32(8081)
			f.Workload.Rollout, f.Workload.Deadline = 1, now.Add(528*time.Second)
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "connection refused · GET :8081/readyz · 36 attempts",
			Why:  "connection refused · GET :8081/readyz · 36 attempts in 1m12s, never ready.",
			So:   "No request reaches it. Rollout 1 waits for it; it is given up in 8m48s (progressDeadlineSeconds).",
			Next: "set readinessProbe.httpGet.port to http (app.yaml:readinessProbe.httpGet.port): the program listens on 8080 (here 37121), nothing on 8081.",
		}},
		"nothing listens": {func(f *Facts) { f.never(refusedText); f.container(func(c *Container) { c.Listeners = nil }) }, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "connection refused · GET :8080/readyz · 36 attempts",
			Why: "connection refused · GET :8080/readyz · 36 attempts in 1m12s, never ready.", So: withoutRoute,
			Next: "let it listen on $PORT (37121): it has no listening socket after 1m12s.",
		}},
		"it listens on another address": {func(f *Facts) {
			f.never(refusedText)
			f.container(func(c *Container) { c.Listeners = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.7:37121")} })
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "connection refused · GET :8080/readyz · 36 attempts",
			Why: "connection refused · GET :8080/readyz · 36 attempts in 1m12s, never ready.", So: withoutRoute,
			Next: "let it listen on 127.0.0.1 or on all addresses: it listens on 127.0.0.7:37121.",
		}},
		"nobody looked": {func(f *Facts) { f.never(refusedText); f.container(func(c *Container) { c.Looked = false }) }, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "connection refused · GET :8080/readyz · 36 attempts",
			Why: "connection refused · GET :8080/readyz · 36 attempts in 1m12s, never ready.", So: withoutRoute,
			Next: "let it listen on $PORT (37121); l shows what it wrote.",
		}},
		"no such page": {func(f *Facts) {
			f.never(statusText + "404").Body = "<html><head><style>p{}</style></head><body><h1>Not  found</h1></body></html>"
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "HTTP 404 · GET /readyz · 36 attempts · “Not found”",
			Why: "HTTP 404 · GET /readyz · 36 attempts in 1m12s, never ready · “Not found”.", So: withoutRoute,
			Next: "correct readinessProbe.httpGet.path (app.yaml:readinessProbe.httpGet.path): nothing answers at /readyz.",
		}},
		"a login": {func(f *Facts) { f.never(statusText + "401") }, Diagnosis{
			State: NotReady, Attention: true, Check: "never", Reason: "HTTP 401 · GET /readyz · 36 attempts",
			Why: "HTTP 401 · GET /readyz · 36 attempts in 1m12s, never ready.", So: withoutRoute, Next: "let /readyz answer without a login: a probe has none.",
		}},
		"out of rotation": {func(f *Facts) { f.fail(1, 4, 1, statusText+"503") }, Diagnosis{
			State: NotReady, Attention: true, Check: "1/1 out", Reason: "HTTP 503 · GET /readyz · out of rotation for 12 s", Why: "HTTP 503 · GET /readyz · out of rotation for 12 s.",
			So: "Out of rotation for 12 s; 2 of 3 replicas serve.", Next: "read in its log why it answers 503 (l).",
		}},
		"starting": {func(f *Facts) {
			f.started(11 * time.Second)
			f.unready()
			p := f.fail(0, 11, 60, statusText+"503")
			p.Over, p.EverPassed, p.Known, p.Body = false, false, false, "loading weights: 2.1 of 4.0 MiB"
			f.Probes = f.Probes[:1]
			f.Pod.Spec.Containers[0].StartupProbe.PeriodSeconds = 1
		}, Diagnosis{
			State: Starting, Check: "11/60", Reason: "HTTP 503 · GET /startupz · 11/60 · “loading weights: 2.1 of 4.0 MiB”",
			Why:  "HTTP 503 · GET /startupz · attempt 11 of 60 · “loading weights: 2.1 of 4.0 MiB”.",
			So:   "Readiness and liveness begin when startup has passed. Restarted in 49 s if it has not.",
			Next: "wait; if it needs longer, raise startupProbe.failureThreshold (app.yaml:startupProbe.failureThreshold); its log says how far it is (l).",
		}},
		"crash": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 7}, "FATAL cannot reach postgres at db:5432: connection refused")
		}, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "exit 7 after 0.2 s · starts again in 0:34 · “FATAL cannot reach postgres at db:5432: connection refused”",
			Why:  "exit 7 after 0.2 s, seven times in a row. Last words: “FATAL cannot reach postgres at db:5432: connection refused”",
			So:   "Starts again in 0:34; after the next crash it waits 1m20s.",
			Next: "add db's manifest to the command line: no Service db exists here. Then r starts it now; l shows all it wrote.",
		}},
		"out of memory": {func(f *Facts) { f.ended(corev1.ContainerStateTerminated{ExitCode: 137, Signal: 9}, "x") }, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "SIGKILL after 0.2 s · starts again in 0:34 · “x”", Why: "SIGKILL after 0.2 s, seven times in a row. Last words: “x”",
			So:   "Starts again in 0:34; after the next crash it waits 1m20s.",
			Next: "look whether memory ran out (dmesg): somebody else than Probity sent SIGKILL. Then r starts it now; l shows all it wrote.",
		}},
		"no such command": {func(f *Facts) { f.ended(corev1.ContainerStateTerminated{ExitCode: 127}, "") }, Diagnosis{
			State: BackOff, Attention: true, Check: "0:34", Reason: "exit 127 after 0.2 s · starts again in 0:34", Why: "exit 127 after 0.2 s, seven times in a row. It printed nothing.",
			So: "Starts again in 0:34; after the next crash it waits 1m20s.", Next: "correct command (app.yaml:command), or name the program with --command app='./program'.",
		}},
		"failed for good": {func(f *Facts) {
			f.ended(corev1.ContainerStateTerminated{ExitCode: 1}, "DATABASE_URL is not set")
			f.Pod.Status.Phase, f.Pod.Spec.RestartPolicy = corev1.PodFailed, corev1.RestartPolicyNever
			s := &f.Pod.Status.ContainerStatuses[0]
			s.State = s.LastTerminationState
		}, Diagnosis{
			State: Failed, Attention: true, Check: "exit 1", Reason: "exit 1 after 0.2 s · “DATABASE_URL is not set”", Why: "exit 1 after 0.2 s. Last words: “DATABASE_URL is not set”",
			So: "It is not restarted: restartPolicy is Never.", Next: "set DATABASE_URL in env. l shows all it wrote.",
		}},
		"complete": {func(f *Facts) {
			f.Pod.Status.Phase = corev1.PodSucceeded
			f.Pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: metav1.NewTime(now.Add(-3 * time.Second)), FinishedAt: metav1.NewTime(now)}}
		}, Diagnosis{State: Complete, Why: "Exit 0 after 3 s."}},
		"stopping": {func(f *Facts) { f.Pod.DeletionTimestamp, f.InFlight = new(metav1.NewTime(now.Add(21*time.Second))), 3 }, Diagnosis{
			State: Stopping, Check: "0:21", Reason: "3 requests in flight · SIGKILL in 0:21", Why: "Stopping: the stop signal was sent, 3 requests in flight · SIGKILL in 0:21.",
			So: "Out of rotation; startup and liveness are not probed while stopping.",
		}},
		"out by hand": {func(f *Facts) {
			f.Pod.Annotations = map[string]string{manifest.AnnotationRotation: manifest.RotationOut}
		}, Diagnosis{
			State: Out, Check: "out", Why: "Taken out of rotation by hand: the annotation probity.run/rotation: out says so. Its probes go on.",
			So: "2 of 3 replicas serve.", Next: "press o to send requests to it again.",
		}},
		"cannot be started": {func(f *Facts) {
			f.unready()
			f.Probes = nil
			f.Pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "RunContainerError", Message: `exec: "./web": stat ./web: no such file or directory`}}
		}, Diagnosis{
			State: NotReady, Attention: true, Check: "no start", Reason: `cannot be started: exec: "./web": stat ./web: no such file or directory`, Why: `app cannot be started: exec: "./web": stat ./web: no such file or directory`,
			So: "It is tried again; nothing of the container runs.", Next: "correct command (app.yaml:command), or name the program with --command app='./program'.",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			test.change(f)
			got := Of(*f)
			got.Cause = ""
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestCause: Pods with the same trouble have the same cause, whatever their counters say.
func TestCause(t *testing.T) {
	a, b, c := running(), running(), running()
	a.never(statusText + "503")
	b.never(statusText + "503").Attempts = 12
	c.never(statusText + "500")
	if x, y := Of(*a).Cause, Of(*b).Cause; x != y || x == "" {
		t.Errorf("the same trouble has causes %q and %q", x, y)
	}
	if x, y := Of(*a).Cause, Of(*c).Cause; x == y {
		t.Errorf("two troubles have the same cause %q", x)
	}
	d, e := running(), running() // they became ready at different times
	for i, f := range []*Facts{d, e} {
		f.Workload.MinReady = time.Minute
		f.Pod.Status.Conditions[0].LastTransitionTime = metav1.NewTime(now.Add(-time.Duration(i) * time.Second))
	}
	if x, y := Of(*d), Of(*e); x.Cause != y.Cause || x.Reason == y.Reason {
		t.Errorf("two Pods that are ready have reasons %q and %q, and causes %q and %q", x.Reason, y.Reason, x.Cause, y.Cause)
	}
}

func TestMissing(t *testing.T) {
	for words, want := range map[string]string{
		"dial tcp: lookup redis on 10.0.0.2:53: no such host":                     "add redis's manifest to the command line: no Service redis exists here.",
		"connect ECONNREFUSED cache.default.svc:6379 failed to connect":           "add cache's manifest to the command line: no Service cache exists here.",
		"dial tcp web:80: connect: connection refused":                            "", // it is there
		"cannot reach postgres at localhost:5432: connection refused":             "",
		"Error: environment variable API_KEY is required":                         "set API_KEY in env.",
		"panic: open /etc/app/config.yaml: no such file or directory":             "make /etc/app/config.yaml, or correct its path: it does not exist.",
		"FileNotFoundError: [Errno 2] No such file or directory: './weights.bin'": "make ./weights.bin, or correct its path: it does not exist.",
		"cannot connect to postgres://app:secret@store/x":                         "add store's manifest to the command line: no Service store exists here.",
		"segmentation fault": "",
		"":                   "",
	} {
		f := running()
		if got := f.missing(words); got != want {
			t.Errorf("missing(%q) = %q, want %q", words, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 20 * time.Microsecond: "<0.1 ms", 800 * time.Microsecond: "0.8 ms", 12340 * time.Microsecond: "12 ms", 412 * time.Millisecond: "412 ms", time.Second: "1 s",
		1240 * time.Millisecond: "1.24 s", 5 * time.Minute: "5m00s",
	} {
		if got := Latency(d); got != want {
			t.Errorf("Latency(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{-1: "0s", 59 * time.Second: "59s", 72 * time.Second: "1m12s", 42 * time.Minute: "42m", 184 * time.Minute: "3h04m", 50 * time.Hour: "2d02h"} {
		if got := Age(d); got != want {
			t.Errorf("Age(%v) = %q, want %q", d, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 4 * time.Millisecond: "4 ms", 240 * time.Millisecond: "0.2 s", 42900 * time.Millisecond: "42 s",
		time.Minute + time.Second: "1m01s", 3*time.Hour + 4*time.Minute: "3h04m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	if got := Clock(34*time.Second + 400*time.Millisecond); got != "0:34" {
		t.Errorf("Clock = %q", got)
	}
}

// FuzzDiagnosis: whatever others write, every text is one line that nothing obeys.
func FuzzDiagnosis(f *testing.F) {
	for _, s := range []string{"", "cannot reach postgres at db:5432", "\x1b]0;t\x07", "<html>", "lookup x", "A_B not set", statusText + "503", refusedText} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, words, output string) {
		crashed, failing := running(), running()
		crashed.ended(corev1.ContainerStateTerminated{ExitCode: 7}, words)
		failing.never(output).Body = words
		for _, facts := range []*Facts{crashed, failing} {
			d := Of(*facts)
			for _, text := range []string{d.Reason, d.Why, d.So, d.Next, d.Check} {
				if oneLine(text) != text {
					t.Errorf("%q is not clean", text)
				}
			}
			if d.Why == "" {
				t.Error("nothing is said")
			}
		}
	})
}

// TestTextOfOthers: what a command prints, or a server says, is not taken for the kubelet's words.
func TestTextOfOthers(t *testing.T) {
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"check"}}}
	grpc := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/EOF", Port: intstr.FromInt32(80)}}
	tcp := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}
	rpc := "error: health rpc probe failed: rpc error: code = Internal desc = "
	for name, test := range map[string]struct {
		handler corev1.ProbeHandler
		output  string
		want    cause
	}{
		"a command prints a status":        {exec, statusText + "404", command},
		"a command prints a login":         {exec, "statuscode: 401", command},
		"a command prints a refusal":       {exec, "db: connection refused", command},
		"a command prints an end":          {exec, "unexpected EOF", command},
		"a command prints a stranger":      {exec, "port 80 does not belong to this Pod: x listens there", command},
		"a command prints a deadline":      {exec, "context deadline exceeded", command},
		"a command took too long":          {exec, `command timed out: "check" timed out after 1s`, timedOut},
		"a server of gRPC says a status":   {grpc, rpc + statusText + "403", unhealthy},
		"a server of gRPC says a refusal":  {grpc, rpc + "db: connection refused", unhealthy},
		"a server of gRPC says a deadline": {grpc, rpc + "context deadline exceeded", unhealthy},
		"no server of gRPC":                {grpc, `timeout: failed to connect service "127.0.0.1:9000" within 1s: context deadline exceeded`, timedOut},
		"gRPC is slow":                     {grpc, "timeout: health rpc did not complete within 1s", timedOut},
		"gRPC does not serve":              {grpc, `service unhealthy (responded with "NOT_SERVING")`, unhealthy},
		"a status":                         {get, statusText + "404", status},
		"a path":                           {get, `Get "http://127.0.0.1:80/EOF": no route to host`, otherwise},
		"an answer that is none":           {get, `Get "http://127.0.0.1:80/EOF": malformed HTTP status code "statuscode: 404"`, otherwise},
		"an end":                           {get, `Get "http://127.0.0.1:80/EOF": EOF`, reset},
		"an HTTP server is slow":           {get, timeoutText, timedOut},
		"no TCP server":                    {tcp, "dial tcp 127.0.0.1:80: connect: connection refused", refused},
		"TCP is slow":                      {tcp, "dial tcp 127.0.0.1:80: i/o timeout", timedOut},
		"another process":                  {tcp, "port 80 does not belong to this Pod: x listens there", stranger},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			f.Pod.Spec.Containers[0].ReadinessProbe.ProbeHandler = test.handler
			p := f.never(test.output)
			if got := f.failureOf(p).cause; got != test.want {
				t.Errorf("cause %d, want %d", got, test.want)
			}
			if d := Of(*f); d.Next == "" {
				t.Error("there is no next step")
			}
		})
	}
}
