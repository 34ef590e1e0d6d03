package scenario

// never is a failureThreshold that no scenario reaches: every answer of a script is tried on one
// instance.
const never = 1000

// http are the cases of section D about the outcome, with liveness probes, whose requests never
// come out of turn.
func http() []Scenario {
	tls := func(mode string) string {
		return app("-tls=8443 -tls-mode="+mode+" -shape", "livenessProbe: {httpGet: {path: /live, port: 8443, scheme: HTTPS}, periodSeconds: 1, failureThreshold: 1000}\n")
	}
	return []Scenario{
		{ID: "D01", Title: "HTTP: 2xx are successes, after 103 too", Length: seconds(12),
			Manifest: pod("", app("-answers=/live=200,201,204,206,226,299,103,200", live(1)))},
		{ID: "D02", Title: "HTTP: 3xx that lead nowhere are successes with a warning", Length: seconds(11),
			Manifest: pod("", app("-answers=/live=300,304,305,306,399,302,302@http://another.example/x,200", live(1)))},
		{ID: "D04", Title: "HTTP: 4xx are failures", Length: seconds(11),
			Manifest: pod("", app("-answers=/live=400,401,403,404,408,429,499,200", live(never)))},
		{ID: "D05", Title: "HTTP: 5xx are failures, and whatever is above", Length: seconds(9),
			Manifest: pod("", app("-answers=/live=500,502,503,599,999,200", live(never)))},
		{ID: "D07", Title: "HTTP: redirects on the same host are followed, relative, absolute and to HTTPS", Length: seconds(9),
			Manifest: pod("", twoPorts("-tls=8443 -answers=/live=302@/ok,301@/bad,307@http://HOST:PORT/ok,308@https://HOST:TLSPORT/ok,200;/bad=500", live(never)))},
		{ID: "D12", Title: "HTTP: nine redirects are followed, endless ones fail", Length: seconds(6),
			Manifest: pod("", app("-answers=/live=302@/1,302@/live;/1=302@/2;/2=302@/3;/3=302@/4;/4=302@/5;/5=302@/6;/6=302@/7;/7=302@/8;/8=302@/9;/9=200", live(never)))},
		{ID: "D16", Title: "HTTP: a Location that cannot be read, or of another scheme, fails", Length: seconds(6),
			Manifest: pod("", app("-answers=/live=302@http://[::1,302@ftp://HOST/x,200", live(never)))},
		{ID: "D18", Title: "HTTP: a refused connection fails", Length: seconds(8),
			Manifest: pod("", app("-delay=4500ms", live(never)))},
		{ID: "D19", Title: "HTTP: no byte, a reset, and garbage fail", Length: seconds(8),
			Manifest: pod("", app("-answers=/live=drop,reset,garbage,200", live(never)))},
		{ID: "D22", Title: "HTTP: headers that come too late fail", Length: seconds(8),
			Manifest: pod("", app("-answers=/live=hang,200,slow:1500ms,200", live(never)))},
		{ID: "D23", Title: "HTTP: a body that stalls is an error, tried three times", Length: seconds(12),
			Manifest: pod("", app("-answers=/live=200,stall:200x3,stall:500x3,200", live(1)))},
		{ID: "D25", Title: "HTTP: a body that is too short or badly chunked is an error", Quick: true, Length: seconds(8),
			Manifest: pod("", app("-answers=/live=200,shortx3,chunkx3,200", live(1)))},
		{ID: "D28", Title: "HTTP: of a large body only the first 10 KiB matter; headers of 10 MiB are too much", Length: seconds(8),
			Manifest: pod("", app("-answers=/live=big:1048576x3,bighead,200", live(never)))},
		{ID: "D31", Title: "HTTPS: any certificate will do; HTTP/2 is spoken", Length: seconds(6), Manifest: pod("", secondPort(tls("h2")))},
		{ID: "D32", Title: "HTTPS: a server without HTTP/2", Length: seconds(6), Manifest: pod("", secondPort(tls("h1")))},
		{ID: "D37", Title: "HTTPS: a server that wants a certificate gets none", Length: seconds(6), Manifest: pod("", secondPort(tls("client")))},
		{ID: "D33", Title: "HTTP to a TLS port fails", Length: seconds(6),
			Manifest: pod("", twoPorts("-tls=8443", "livenessProbe: {httpGet: {path: /live, port: 8443}, periodSeconds: 1, failureThreshold: 1000}\n"))},
		{ID: "D34", Title: "HTTPS to a plain port fails", Length: seconds(6),
			Manifest: pod("", app("", live(never, "periodSeconds: 1", "timeoutSeconds: 1")+"readinessProbe: {httpGet: {path: /r, port: 8080, scheme: HTTPS}, periodSeconds: 1}\n"))},
	}
}

// request are the cases of section D about the request.
func request() []Scenario {
	path := func(path string) string {
		return "livenessProbe: {httpGet: {port: 8080, path: '" + path + "'}, periodSeconds: 1}\n"
	}
	headers := func(list string) string {
		return "livenessProbe: {httpGet: {port: 8080, path: /live, httpHeaders: [" + list + "]}, periodSeconds: 1}\n"
	}
	return []Scenario{
		{ID: "D40", Title: "request: method, headers and host by default", Length: seconds(5), Manifest: pod("", app("-shape", path("/healthz")))},
		{ID: "D41", Title: "request: headers of one's own", Length: seconds(5),
			Manifest: pod("", app("-shape", headers("{name: X-A, value: '1'}, {name: x-a, value: '2'}, {name: Host, value: vh.example}, {name: Accept-Encoding, value: gzip}")))},
		{ID: "D42", Title: "request: User-Agent and Accept replaced", Length: seconds(5),
			Manifest: pod("", app("-shape", headers("{name: User-Agent, value: mine/1}, {name: Accept, value: text/html}")))},
		{ID: "D43", Title: "request: User-Agent and Accept removed", Length: seconds(5),
			Manifest: pod("", app("-shape", headers("{name: user-agent, value: ''}, {name: Accept, value: ''}, {name: X-Empty, value: ''}")))},
		{ID: "D44", Title: "request: a path without slash, with a space", Length: seconds(5), Manifest: pod("", app("-shape", path("a b")))},
		{ID: "D45", Title: "request: a path with query and fragment", Length: seconds(5), Manifest: pod("", app("-shape", path("/a?x=1&y#f")))},
		{ID: "D46", Title: "request: a path that cannot be parsed", Length: seconds(5), Manifest: pod("", app("-shape", path("/%zz")))},
		{ID: "D48", Title: "request: a path with a host, and none", Length: seconds(5),
			Manifest: pod("", app("-shape", path("//evil/p")+"readinessProbe: {httpGet: {port: 8080}, periodSeconds: 1}\n"))},
		{ID: "D47", Title: "request: a port by its name is the container's own", Starts: 2, Length: seconds(5),
			Manifest: pod("", container("a", "", "livenessProbe: {httpGet: {path: /live, port: http-a}, periodSeconds: 1}\n"),
				containerAt("b", 8081, "", "livenessProbe: {httpGet: {path: /live, port: http-b}, periodSeconds: 1}\n"))},
	}
}

// errors are the cases of section E.
func errors() []Scenario {
	return []Scenario{
		{ID: "E01", Title: "errors do not count: liveness never kills", Length: seconds(12),
			Manifest: pod("", app("-answers=/live=200,stall:200", live(1)))},
		{ID: "E03", Title: "errors do not break a run of successes", Length: seconds(10),
			Manifest: pod("", app("-answers=/ready=200,shortx3,200", ready(1, "successThreshold: 2")))},
		{ID: "E04", Title: "errors do not break a run of failures", Starts: 2, Length: seconds(5),
			Manifest: pod("", app("-answers=/live=200,500,shortx3,500|/live=200", live(2)))},
		{ID: "E06", Title: "a port name that nobody declared never kills and never makes ready", Length: seconds(8),
			Manifest: pod("", app("", "livenessProbe: {tcpSocket: {port: nope}, periodSeconds: 1, failureThreshold: 1}\nreadinessProbe: {httpGet: {port: nope}, periodSeconds: 1}\n"))},
	}
}
