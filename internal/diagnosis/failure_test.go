package diagnosis

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestFound: the kubelet's texts in a few words, in one word, and what was asked.
func TestFound(t *testing.T) {
	grpc, tcp := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}}
	named, nowhere := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("http")}}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("db")}}
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"pg_isready", "-q"}}}
	long := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"sh", "-c", strings.Repeat("x", 100)}}}
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "readyz", Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTPS}}
	rpc := "error: health rpc probe failed: rpc error: code = "
	for name, test := range map[string]struct {
		handler            corev1.ProbeHandler
		output, word, want string
	}{
		"a status":         {get, statusText + "503", "503", "HTTP 503 · GET https /readyz"},
		"refused":          {get, refusedText, "refused", "connection refused · GET https :8080/readyz"},
		"slow":             {get, timeoutText, "timeout", "timeout 2 s · GET https /readyz"},
		"broken":           {get, `Get "https://127.0.0.1:1/": EOF`, "", "connection closed without an answer · GET https /readyz"},
		"another error":    {get, `Get "https://127.0.0.1:1/": http: server gave HTTP response to HTTPS client`, "", "http: server gave HTTP response to HTTPS client · GET https /readyz"},
		"tcp":              {tcp, "dial tcp 127.0.0.1:5432: connect: connection refused", "refused", "connection refused · tcp :5432"},
		"tcp, slow":        {tcp, "dial tcp 127.0.0.1:5432: i/o timeout", "timeout", "timeout 2 s · tcp :5432"},
		"a port's name":    {named, "dial tcp 127.0.0.1:5432: connect: connection refused", "refused", "connection refused · tcp :8080"},
		"a name of none":   {nowhere, "", "", "failed · tcp :db"},
		"gRPC":             {grpc, `service unhealthy (responded with "NOT_SERVING")`, "NOT_SERVING", "NOT_SERVING · grpc :9000"},
		"gRPC, slow":       {grpc, `timeout: failed to connect service "127.0.0.1:9000" within 2s: context deadline exceeded`, "timeout", "timeout 2 s · grpc :9000"},
		"gRPC, unknown":    {grpc, rpc + "Unimplemented desc = unknown service", "Unimplemented", `Unimplemented "unknown service" · grpc :9000`},
		"exec":             {exec, "a\n\x1b[1mno heartbeat\n\n", "", `"\x1b[1mno heartbeat" · exec pg_isready -q`},
		"exec, silent":     {exec, "\n", "", "the command failed and printed nothing · exec pg_isready -q"},
		"exec, slow":       {exec, `command timed out: "pg_isready -q" timed out after 2s`, "timeout", "timeout 2 s · exec pg_isready -q"},
		"exec, long":       {long, "x", "", `"x" · exec sh -c ` + strings.Repeat("x", 54) + "…"},
		"long":             {get, strings.Repeat("ä", 300), "", strings.Repeat("ä", 200) + "… · GET https /readyz"},
		"not of this Pod":  {tcp, "port 5432 does not belong to this Pod: process 7 (nc) has it", "", "port 5432 does not belong to this Pod: process 7 (nc) has it · tcp :5432"},
		"hostile\x1b text": {tcp, "\x1b]0;owned\x07x\ny", "", `\u001b]0;owned\u0007x y · tcp :5432`},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			f.Style.Quote = strconv.Quote
			spec := f.Pod.Spec.Containers[0].ReadinessProbe
			spec.ProbeHandler, spec.TimeoutSeconds = test.handler, 2
			p := f.fail(1, 3, 2, test.output)
			if got, want := f.Found(p), test.want+" · 2/2"; got != want {
				t.Errorf("found %q, want %q", got, want)
			}
			if got := FailureOf(test.output, spec).Word(); got != test.word {
				t.Errorf("in one word %q, want %q", got, test.word)
			}
		})
	}
}

// TestStyle: whoever has no keys is told flags, and how texts are quoted and parted is theirs.
func TestStyle(t *testing.T) {
	lines := Style{Dot: ", ", Quote: strconv.Quote, NoKeys: true}
	for name, test := range map[string]struct {
		change       func(*Facts)
		reason, next string
	}{
		"a crash": {func(f *Facts) { f.ended(corev1.ContainerStateTerminated{ExitCode: 7}, "FATAL no database") },
			`exit 7 after 0.2 s, starts again in 0:34, "FATAL no database"`, "correct what its last words say; --logs shows all it wrote."},
		"a status": {func(f *Facts) { f.never(statusText + "503").Body = "a\nb" }, `HTTP 503, GET /readyz, 36 attempts, "a\nb"`, "read in its log why it answers 503 (--logs)."},
		"silence":  {func(f *Facts) { f.never(timeoutText) }, `timeout 1 s, GET /readyz, 36 attempts`, "read its last lines (--logs); kill -QUIT 48122 makes a Go or Java program print its stacks."},
		"refused": {func(f *Facts) { f.never(refusedText); f.container(func(c *Container) { c.Looked = false }) },
			"connection refused, GET :8080/readyz, 36 attempts", "let it listen on $PORT (37121); --logs shows what it wrote."},
	} {
		t.Run(name, func(t *testing.T) {
			f := running()
			f.Style = lines
			test.change(f)
			d := Of(*f)
			if d.Reason != test.reason || d.Next != test.next {
				t.Errorf("reason %q, want %q\nnext %q, want %q", d.Reason, test.reason, d.Next, test.next)
			}
		})
	}
}

// TestEndText: how an instance ended; what could not be started says why, once.
func TestEndText(t *testing.T) {
	for want, end := range map[string]corev1.ContainerStateTerminated{
		"exit 7":                        {ExitCode: 7, Reason: "Error"},
		"exit 0":                        {Reason: "Completed"},
		"SIGTERM":                       {ExitCode: 143, Signal: 15, Reason: "Error"},
		"signal 60":                     {ExitCode: 188, Signal: 60},
		"exit 137 (OOMKilled)":          {ExitCode: 137, Reason: "OOMKilled"},
		"cannot be started: no memory":  {ExitCode: 128, Reason: "StartError", Message: "no memory"},
		`cannot start "./web": no file`: {ExitCode: 128, Reason: "StartError", Message: "cannot start \"./web\":\nno file"},
	} {
		if got := EndText(&end); got != want {
			t.Errorf("%+v: %q, want %q", end, got, want)
		}
	}
}

func TestBackOffDelay(t *testing.T) {
	for message, want := range map[string]string{
		"back-off 2m40s restarting failed container=app pod=web_default(x)": "2m40s true",
		"back-off 10s restarting": "10s true", "back-off": "0s false", "": "0s false", "wait 10s": "0s false", "back-off x restarting": "0s false",
	} {
		delay, ok := BackOffDelay(message)
		if got := delay.String() + " " + strconv.FormatBool(ok); got != want {
			t.Errorf("BackOffDelay(%q) = %s, want %s", message, got, want)
		}
	}
}

// TestRestartingCountsAnew: a probe that has asked for a restart begins to count again, and is told
// as it was when it asked.
func TestRestartingCountsAnew(t *testing.T) {
	restarting := func(run int) Diagnosis {
		f := running()
		f.fail(2, run, 3, timeoutText)
		f.container(func(c *Container) { c.Stopping, c.KillAt = true, now.Add(21*time.Second) })
		return Of(*f)
	}
	want := restarting(3)
	if got := restarting(0); !reflect.DeepEqual(got, want) || !strings.Contains(got.Reason, "3/3, it is being restarted") {
		t.Errorf("counting anew: %+v\nwant %+v", got, want)
	}
}
