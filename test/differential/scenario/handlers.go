package scenario

import "fmt"

// tcp are the cases of section F.
func tcp() []Scenario {
	probe := "livenessProbe: {tcpSocket: {port: 8443}, periodSeconds: 1, failureThreshold: 1000}\n"
	on := func(mode string) string {
		return pod("", twoPorts("-tcp=8443:"+mode, probe))
	}
	return []Scenario{
		{ID: "F01", Title: "TCP: a connection is a success; no byte is sent", Length: seconds(6), Manifest: on("open")},
		{ID: "F02", Title: "TCP: a server that closes at once is healthy", Length: seconds(6), Manifest: on("close")},
		{ID: "F04", Title: "TCP: a server that accepts nothing is healthy", Length: seconds(6), Manifest: on("deaf")},
		{ID: "F05", Title: "TCP: nobody listens", Quick: true, Length: seconds(6), Manifest: pod("", twoPorts("", probe))},
		{ID: "F08", Title: "TCP: a port by its name", Length: seconds(6),
			Manifest: pod("", twoPorts("-tcp=8443:open", "livenessProbe: {tcpSocket: {port: second}, periodSeconds: 1}\n"))},
		{ID: "F09", Title: "TCP: what an HTTP server would answer does not matter", Length: seconds(6),
			Manifest: pod("", app("-answers=/=500", "livenessProbe: {tcpSocket: {port: 8080}, periodSeconds: 1, failureThreshold: 1}\n"))},
	}
}

// execProbe is a liveness probe that runs the player.
func execProbe(steps string, failures int, args ...string) string {
	words := append([]string{"PLAYER", "do", "probe", steps}, args...)
	return fmt.Sprintf("livenessProbe: {exec: {command: [%s]}, periodSeconds: 1, failureThreshold: %d}\n", quoted(words), failures)
}

// exec are the cases of section G.
func exec() []Scenario {
	one := func(id, title, steps string) Scenario {
		return Scenario{ID: id, Title: title, Length: seconds(7), Manifest: pod("", app("", execProbe(steps, never)))}
	}
	env := "env: [{name: A, value: x}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]\n"
	return []Scenario{
		one("G01", "exec: exit code 0 is a success, whatever is printed", "print:text+eprint:more+0"),
		one("G02", "exec: the message is the standard output, then the standard error", "eprint:err+print:out+1"),
		one("G03", "exec: a failure without output", "3"),
		one("G04", "exec: output is cut to 10 KiB", "big:20480+1"),
		one("G06", "exec: much output does no harm", "big:1048576+0"),
		one("G07", "exec: a time-out is a failure", "0,sleep:10s,0"),
		one("G08", "exec: a time-out ends a command that ignores SIGTERM", "0,stubborn+sleep:10s,0"),
		one("G10", "exec: death by a signal is a failure", "kill"),
		{ID: "G05", Title: "exec: kills after its threshold", Starts: 2, Length: seconds(5), Manifest: pod("", app("", execProbe("0,1|0", 3)))},
		{ID: "G09", Title: "exec: a command that cannot be run is an error", Length: seconds(7),
			Manifest: pod("", app("", "livenessProbe: {exec: {command: [/no/such/command, x]}, periodSeconds: 1, failureThreshold: 1}\n"))},
		{ID: "G11", Title: "exec: references to the environment are expanded, by the manifest alone", Length: seconds(6),
			Manifest: pod("", app("", execProbe("args+1", never, "$(A)-$(B)", "$(C)", "$$(A)", "a", "|", "false")+env))},
		{ID: "G14", Title: "exec: readiness that times out is never ready", Length: seconds(8),
			Manifest: pod("", app("", "readinessProbe: {exec: {command: [PLAYER, do, ready, 'sleep:5s']}, periodSeconds: 1, failureThreshold: 1}\n"))},
	}
}

// grpc are the cases of section H.
func grpc() []Scenario {
	probe := func(more string) string {
		return "livenessProbe: {grpc: {port: 8443" + more + "}, periodSeconds: 1, failureThreshold: 1000}\n"
	}
	one := func(id, title, args, more string) Scenario {
		return Scenario{ID: id, Title: title, Length: seconds(8), Manifest: pod("", twoPorts(args, probe(more)))}
	}
	return []Scenario{
		one("H01", "gRPC: SERVING, and what is asked for", "-shape -grpc=8443", ""),
		one("H02", "gRPC: the other states are failures", "-grpc=8443 -health=SERVING,NOT_SERVING,UNKNOWN,SERVICE_UNKNOWN,SERVING", ""),
		one("H04", "gRPC: codes are failures", "-grpc=8443 -health=NOT_FOUND,PERMISSION_DENIED,UNAVAILABLE,INTERNAL,SERVING", ""),
		one("H05", "gRPC: a server without the health service", "-grpc=8443 -health=NONE", ""),
		one("H06", "gRPC: a check that hangs", "-grpc=8443 -health=SERVING,hang,SERVING", ""),
		one("H07", "gRPC: nobody listens", "", ""),
		one("H08", "gRPC: a server that never speaks", "-tcp=8443:open", ""),
		{ID: "H09", Title: "gRPC: a server of HTTP/1.1", Length: seconds(8), Manifest: pod("", app("", "livenessProbe: {grpc: {port: 8080}, periodSeconds: 1, failureThreshold: 1000}\n"))},
		one("H10", "gRPC: a server with TLS", "-grpc=8443 -grpc-tls", ""),
		one("H12", "gRPC: a service by its name", "-shape -grpc=8443", ", service: svc"),
		{ID: "H15", Title: "gRPC: kills after its threshold", Starts: 2, Length: seconds(5),
			Manifest: pod("", twoPorts("-grpc=8443 -health=SERVING,NOT_SERVING|SERVING", "livenessProbe: {grpc: {port: 8443}, periodSeconds: 1, failureThreshold: 2}\n"))},
	}
}
