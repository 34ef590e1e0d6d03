package measure

import (
	"bytes"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/probity-run/probity/internal/tune"
)

// TestSameEndpoint: a promise holds for all ways to write the endpoint that was measured, and for
// no other endpoint. Series of older versions have the text alone.
func TestSameEndpoint(t *testing.T) {
	const named = "{httpGet: {path: /livez, port: http}}"
	for name, c := range map[string]struct {
		measured, there string // liveness probes of a container with the ports http, 8080, and ops, 9090
		same, before    bool   // before: with a series of an older version
	}{
		"as it was":              {named, named, true, true},
		"a name, then a number":  {named, "{httpGet: {path: /livez, port: 8080}}", true, false},
		"a number, then a name":  {"{httpGet: {path: /livez, port: 8080}}", named, true, false},
		"a number as a text":     {"{httpGet: {path: /livez, port: 8080}}", `{httpGet: {path: /livez, port: "8080"}}`, true, true},
		"another name":           {named, "{httpGet: {path: /livez, port: ops}}", false, false},
		"another number":         {named, "{httpGet: {path: /livez, port: 9090}}", false, false},
		"a name of no port":      {named, "{httpGet: {path: /livez, port: web}}", false, false},
		"no path":                {"{httpGet: {port: 8080}}", "{httpGet: {path: /, port: http, scheme: HTTP, host: ''}}", true, false},
		"a path without a slash": {"{httpGet: {path: livez, port: http}}", named, true, true},
		"another path":           {named, "{httpGet: {path: /readyz, port: http}}", false, false},
		"the scheme by default":  {named, "{httpGet: {path: /livez, port: http, scheme: HTTP}}", true, true},
		"another scheme":         {named, "{httpGet: {path: /livez, port: http, scheme: HTTPS}}", false, true},
		"HTTPS":                  {"{httpGet: {path: /livez, port: http, scheme: HTTPS}}", "{httpGet: {path: /livez, port: 8080, scheme: HTTPS}}", true, false},
		"HTTPS as it was":        {"{httpGet: {path: /livez, port: http, scheme: HTTPS}}", "{httpGet: {path: /livez, port: http, scheme: HTTPS}}", true, true},
		"another host":           {named, "{httpGet: {path: /livez, port: http, host: 127.0.0.1}}", false, false},
		"headers": {"{httpGet: {path: /livez, port: http, httpHeaders: [{name: x-b, value: a}, {name: X-A, value: b}]}}",
			"{httpGet: {path: /livez, port: 8080, httpHeaders: [{name: X-A, value: b}, {name: X-B, value: a}]}}", true, false},
		"tcp":                {"{tcpSocket: {port: http}}", "{tcpSocket: {port: 8080}}", true, false},
		"tcp of another":     {"{tcpSocket: {port: http}}", "{tcpSocket: {port: ops}}", false, false},
		"another kind":       {"{tcpSocket: {port: http}}", named, false, false},
		"grpc":               {"{grpc: {port: 8080}}", "{grpc: {port: 8080, service: ''}}", true, true},
		"grpc of another":    {"{grpc: {port: 8080}}", "{grpc: {port: 8080, service: a}}", false, false},
		"a command":          {`{exec: {command: [sh, -c, "a\nb"]}}`, `{exec: {command: [sh, -c, "a\nb"]}}`, true, true},
		"of another command": {`{exec: {command: [a]}}`, `{exec: {command: [b]}}`, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			measured, there := requestOf(t, c.measured), requestOf(t, c.there)
			old := tune.Request{Text: strings.Replace(measured.Text, "GET https://", "GET ", 1)}
			for what, is := range map[tune.Request]bool{measured: c.same, old: c.before} {
				live := &tune.Container{Counts: []tune.Count{{PodHours: 100, Liveness: &tune.Setting{Period: 3, Timeout: 1, Failures: 4}, Request: there}}}
				v, ok := kept(t, what).Against(live)
				if !ok || v.Unknown == is {
					t.Errorf("%+v, and %+v in the cluster: %v, %q", what, there, v.Unknown, v.Text)
				}
			}
		})
	}
}

// TestSamePortName: a port that is named alike is the same one, whatever its number is in another
// manifest.
func TestSamePortName(t *testing.T) {
	measured := requestOf(t, "{httpGet: {path: /livez, port: http}}")
	live := &tune.Container{Counts: []tune.Count{{PodHours: 100, Liveness: &tune.Setting{Period: 3, Timeout: 1, Failures: 4}, Request: tune.Request{Text: measured.Text, Resolved: "GET :80/livez"}}}}
	if v, ok := kept(t, measured).Against(live); !ok || v.Unknown {
		t.Errorf("%v, %+v", ok, v)
	}
}

// TestEndpointsOnce: an endpoint is measured once, however often its ways to be written are; one
// with other values of headers is another one.
func TestEndpointsOnce(t *testing.T) {
	c := container(t, "{httpGet: {path: /livez, port: http}}")
	c.ReadinessProbe = container(t, "{httpGet: {path: livez, port: 8080, scheme: HTTP}}").LivenessProbe
	if list := endpointsOf(c); len(list) != 1 || strings.Join(list[0].probes, " ") != "readiness liveness" {
		t.Errorf("%d endpoints, want one of both: %+v", len(list), list)
	}
	c.ReadinessProbe.HTTPGet.HTTPHeaders = []corev1.HTTPHeader{{Name: "X-Probe", Value: "a"}}
	c.LivenessProbe.HTTPGet.HTTPHeaders = []corev1.HTTPHeader{{Name: "X-Probe", Value: "b"}}
	if list := endpointsOf(c); len(list) != 2 {
		t.Errorf("%d endpoints, want two", len(list))
	}
}

// kept is a container with a measured endpoint, as a series of a file has it.
func kept(t *testing.T, r tune.Request) *tune.Container {
	t.Helper()
	series := &tune.Series{Schema: tune.Schema, Containers: []tune.Container{{Workload: "pod/web", Name: "web", Endpoints: []tune.Endpoint{
		{Probes: []string{"liveness"}, Request: r, Windows: []tune.Window{{Seconds: 120, Samples: 2400}}},
	}}}}
	var file bytes.Buffer
	if err := series.Write(&file); err != nil {
		t.Fatal(err)
	}
	read, err := tune.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	return &read.Containers[0]
}

func requestOf(t *testing.T, probe string) tune.Request {
	t.Helper()
	c := container(t, probe)
	return RequestOf(c, &c.LivenessProbe.ProbeHandler)
}

// container has the ports http, 8080, and ops, 9090, and a liveness probe.
func container(t *testing.T, probe string) *corev1.Container {
	t.Helper()
	c := &corev1.Container{}
	text := "{name: web, ports: [{name: http, containerPort: 8080}, {name: ops, containerPort: 9090}], livenessProbe: " + probe + "}"
	if err := yaml.UnmarshalStrict([]byte(text), c); err != nil {
		t.Fatal(err)
	}
	return c
}
