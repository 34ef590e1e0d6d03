package lines

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestReasons: the kubelet's texts in a few words.
func TestReasons(t *testing.T) {
	grpc, tcp := corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9000}}, corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(5432)}}
	exec := corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"pg_isready", "-q"}}}
	get := corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "readyz", Port: intstr.FromString("http"), Scheme: corev1.URISchemeHTTPS}}
	for name, test := range map[string]struct {
		handler      corev1.ProbeHandler
		output, want string
	}{
		"a status":         {get, "HTTP probe failed with statuscode: 503", "HTTP 503 · GET https /readyz"},
		"refused":          {get, refused, "connection refused · GET https :8080/readyz"},
		"slow":             {get, slow, "timeout 2 s · GET https /readyz"},
		"another error":    {get, `Get "https://127.0.0.1:1/": http: server gave HTTP response to HTTPS client`, "http: server gave HTTP response to HTTPS client · GET https /readyz"},
		"tcp":              {tcp, "dial tcp 127.0.0.1:5432: connect: connection refused", "connection refused · tcp :5432"},
		"tcp, slow":        {tcp, "dial tcp 127.0.0.1:5432: i/o timeout", "timeout 2 s · tcp :5432"},
		"gRPC":             {grpc, `service unhealthy (responded with "NOT_SERVING")`, "NOT_SERVING · grpc :9000"},
		"gRPC, slow":       {grpc, `timeout: failed to connect service "127.0.0.1:9000" within 2s: context deadline exceeded`, "timeout 2 s · grpc :9000"},
		"exec":             {exec, "a\n\x1b[1mno heartbeat\n\n", `it printed "\x1b[1mno heartbeat" · exec pg_isready -q`},
		"exec, silent":     {exec, "\n", "it failed and printed nothing · exec pg_isready -q"},
		"exec, slow":       {exec, `command timed out: "pg_isready -q" timed out after 2s`, "timeout 2 s · exec pg_isready -q"},
		"long":             {get, strings.Repeat("ä", 300), strings.Repeat("ä", 200) + "… · GET https /readyz"},
		"not of this Pod":  {tcp, "port 5432 does not belong to this Pod: process 7 (nc) has it", "port 5432 does not belong to this Pod: process 7 (nc) has it · tcp :5432"},
		"hostile\x1b text": {tcp, "\x1b]0;owned\x07x\ny", `\u001b]0;owned\u0007x y · tcp :5432`},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := newStage(t, false), examplePod("web")
			s.pod(p, running("a"))
			got := s.reporter.reason(Attempt{Pod: p.UID, Container: "app", Output: test.output}, &corev1.Probe{ProbeHandler: test.handler, TimeoutSeconds: 2})
			if got != test.want {
				t.Errorf("reason %q, want %q", got, test.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	l := Line{time.Date(2026, 1, 1, 12, 4, 9, 50e6, time.Local), Ready, "pod/web-1", "5.5 s after its start"}
	if got, want := l.String(), "12:04:09.050 Ready     pod/web-1  5.5 s after its start"; got != want {
		t.Errorf("line %q, want %q", got, want)
	}
	for d, want := range map[time.Duration]string{
		-time.Second: "0 ms", 4 * time.Millisecond: "4 ms", 240 * time.Millisecond: "0.2 s", 42900 * time.Millisecond: "42 s",
		time.Minute + time.Second: "1m01s", 3*time.Hour + 4*time.Minute: "3h04m",
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) = %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int]string{1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 112: "112th", 122: "122nd"} {
		if got := ordinal(n); got != want {
			t.Errorf("ordinal(%d) = %q, want %q", n, got, want)
		}
	}
}
