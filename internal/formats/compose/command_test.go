package compose

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRequestOf(t *testing.T) {
	http := func(port int, path string) request { return request{scheme: "HTTP", port: port, path: path} }
	for line, want := range map[string]request{
		"curl -f http://localhost:8080/health || exit 1":                   http(8080, "/health"),
		"curl -fsS -o /dev/null http://127.0.0.1/ > /dev/null 2>&1":        http(80, "/"),
		"curl --fail localhost:3000":                                       http(3000, "/"),
		"/usr/bin/curl -sf 'http://localhost:9200/_cluster/health?wait=1'": http(9200, "/_cluster/health?wait=1"),
		"curl -fk https://localhost:8443/ok":                               {scheme: "HTTPS", port: 8443, path: "/ok"},
		"curl -f -m 2 -H 'Host: a.b' http://localhost/x":                   {scheme: "HTTP", port: 80, path: "/x", within: 2 * s, headers: []header{{"Host", "a.b"}}},
		"wget -q --spider http://localhost/ || exit 1":                     http(80, "/"),
		"wget --no-verbose --tries=1 --spider http://0.0.0.0:3000/a":       http(3000, "/a"),
		"wget -qO- http://[::1]:9090/-/ready":                              http(9090, "/-/ready"),
		"wget -q -T 3 -O /dev/null http://localhost:81":                    {scheme: "HTTP", port: 81, path: "/", within: 3 * s},
		"nc -z localhost 5432":                                             {connect: true, port: 5432},
		"curl http://localhost/":                                           {}, // without -f an error is a success
		"curl -f https://localhost/":                                       {}, // the probe would not look at the certificate
		"curl -f http://db:5432/":                                          {}, // somebody else
		"curl -f http://user:pass@localhost/":                              {},
		"curl -f -X POST http://localhost/":                                {},
		"curl -f http://localhost/ | grep ok":                              {},
		"curl -f http://localhost/ && test -f /tmp/x":                      {},
		"curl -f http://localhost:$PORT/":                                  {},
		"curl -f \"http://localhost:${PORT}/\"":                            {},
		"curl -f http://localhost/ || kill 1":                              {},
		"curl -f http://localhost/ http://localhost/b":                     {},
		"wget -t 3 -q http://localhost/":                                   {},
		"wget --post-data=x http://localhost/":                             {},
		"pg_isready -U postgres":                                           {},
		"nc -zu localhost 53":                                              {},
		"curl -f -m":                                                       {},
		"test \"$(curl -s http://localhost/)\" = ok":                       {},
	} {
		got, ok := requestOf(&Healthcheck{Shell: true, Command: []Word{{Text: line}}})
		if !ok {
			got = request{}
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(request{}, header{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}

// TestLiteral: what a text says, it says where Kubernetes replaces $(NAME).
func TestLiteral(t *testing.T) {
	for text, want := range map[string]string{"a": "a", "$HOME": "$HOME", "$(date)": "$$(date)", "$$": "$$$", "a$$(b)": "a$$$$(b)", "5$": "5$"} {
		if got := literal(text); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
}

func TestProbesOf(t *testing.T) {
	timing := Timing{Interval: 1500 * s / 1000, Timeout: s / 2, Retries: 4}
	if diff := cmp.Diff(Probes{Readiness: Probe{2, 1, 4}}, ProbesOf(timing, false)); diff != "" {
		t.Errorf("rounded up (-want +got):\n%s", diff)
	}
	timing = Timing{Interval: 30 * s, Timeout: 10 * s, Retries: 3, StartPeriod: 41 * s, StartInterval: 5 * s}
	want := Probes{Readiness: Probe{30, 10, 3}, Startup: &Probe{5, 10, 22}, Liveness: &Probe{30, 10, 3}}
	if diff := cmp.Diff(want, ProbesOf(timing, true)); diff != "" {
		t.Errorf("a start period (-want +got):\n%s", diff)
	}
}
