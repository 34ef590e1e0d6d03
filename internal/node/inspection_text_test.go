package node

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
)

func listening(port int, addrs ...string) []process.Listener {
	var all []process.Listener
	for _, addr := range addrs {
		all = append(all, process.Listener{Addr: netip.MustParseAddr(addr), Port: port})
	}
	return all
}

func TestLoopbackOnly(t *testing.T) {
	const advice = " only: on a cluster neither a probe nor a Service reaches it there; let app listen on 0.0.0.0, or on all addresses"
	for name, test := range map[string]struct {
		listeners []process.Listener
		want      string
	}{
		"127.0.0.1":               {listening(41001, "127.0.0.1"), "Port 8080 (here 41001) is open on 127.0.0.1" + advice},
		"another of 127.0.0.0/8":  {listening(41001, "127.0.0.2"), "Port 8080 (here 41001) is open on 127.0.0.2" + advice},
		"::1":                     {listening(41001, "::1"), "Port 8080 (here 41001) is open on ::1" + advice},
		"both":                    {listening(41001, "127.0.0.1", "::1"), "Port 8080 (here 41001) is open on 127.0.0.1 and ::1" + advice},
		"the declared port":       {listening(8080, "127.0.0.1"), "Port 8080 (here 41001) is open on 127.0.0.1" + advice},
		"all addresses":           {listening(41001, "0.0.0.0"), ""},
		"all addresses, by IPv6":  {listening(41001, "::"), ""},
		"the Pod's own address":   {listening(41001, "127.80.12.207"), ""},
		"another Pod's address":   {listening(41001, "127.80.12.208"), "Port 8080 (here 41001) is open on 127.80.12.208" + advice},
		"one address of a card":   {listening(41001, "10.0.0.7"), ""},
		"loopback and all others": {listening(41001, "127.0.0.1", "0.0.0.0"), ""},
		"another port":            {listening(6060, "127.0.0.1"), ""},
		"nothing":                 {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := loopbackOnly(&corev1.Container{Name: "app"}, podPort{8080, 41001}, netip.MustParseAddr("127.80.12.207"), test.listeners); got != test.want {
				t.Errorf("loopbackOnly = %q, want %q", got, test.want)
			}
		})
	}
}

func TestReachablePorts(t *testing.T) {
	ports := &portMap{private: map[int32]int{8080: 41001, 9090: 41002, 53: 41003}}
	c := &corev1.Container{
		Ports:          []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}, {ContainerPort: 53, Protocol: corev1.ProtocolUDP}},
		ReadinessProbe: exampleProbe("/", 1), // http
		LivenessProbe:  &corev1.Probe{ProbeHandler: corev1.ProbeHandler{GRPC: &corev1.GRPCAction{Port: 9090}}},
		StartupProbe:   &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Host: "127.0.0.1", Port: intstrOf("7000")}}},
	}
	if diff := cmp.Diff([]podPort{{8080, 41001}, {9090, 41002}}, ports.reachable(c), cmp.AllowUnexported(podPort{})); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	c.ReadinessProbe = exampleProbe("/", 1)
	c.ReadinessProbe.HTTPGet.Port = intstrOf("unknown")
	if got := ports.reachable(c); len(got) != 2 {
		t.Errorf("a port that no name stands for: %v", got)
	}
}

func TestStopSignalIgnored(t *testing.T) {
	usr1 := corev1.Signal("SIGUSR1")
	for name, test := range map[string]struct {
		main   string
		others []string
		pod    corev1.PodSpec
		signal *corev1.Signal
		want   string
	}{
		"a program": {"python3", nil, corev1.PodSpec{}, nil, "app would be killed after 30 s on a cluster: python3 has no handler for SIGTERM, which process 1 of a container " +
			"then ignores; handle the signal, or start the program by an init such as tini"},
		"a grace period and a signal of its own": {"node", nil, corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(5))}, &usr1, "app would be killed after 5 s on a cluster: " +
			"node has no handler for SIGUSR1, which process 1 of a container then ignores; handle the signal, or start the program by an init such as tini"},
		"a shell before the program": {"sh", []string{"server", "helper"}, corev1.PodSpec{}, nil, "app would be killed after 30 s on a cluster: only the shell sh gets SIGTERM there, " +
			"ignores it as process 1, and does not pass it on to server, helper; put exec before the last command"},
		"a shell alone": {"bash", nil, corev1.PodSpec{}, nil, "app would be killed after 30 s on a cluster: bash has no handler for SIGTERM, which process 1 of a container " +
			"then ignores; handle the signal, or start the program by an init such as tini"},
		"a handler":                   {"", nil, corev1.PodSpec{}, nil, ""},
		"it is killed at once anyway": {"python3", nil, corev1.PodSpec{TerminationGracePeriodSeconds: new(int64(0))}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := &corev1.Container{Name: "app", Lifecycle: &corev1.Lifecycle{StopSignal: test.signal}}
			if got := stopSignalIgnored(&test.pod, c, test.main, test.others); got != test.want {
				t.Errorf("stopSignalIgnored = %q, want %q", got, test.want)
			}
		})
	}
}

func TestFirstOfNamespace(t *testing.T) {
	for name, test := range map[string]struct {
		pod  corev1.PodSpec
		want bool
	}{
		"a namespace for each container": {corev1.PodSpec{}, true},
		"one that is not shared":         {corev1.PodSpec{ShareProcessNamespace: new(false)}, true},
		"a shared one":                   {corev1.PodSpec{ShareProcessNamespace: new(true)}, false},
		"the node's":                     {corev1.PodSpec{HostPID: true}, false},
	} {
		if got := firstOfNamespace(&test.pod); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

func TestPortMismatch(t *testing.T) {
	ports := &portMap{private: map[int32]int{8080: 41001, 9090: 41002}}
	declared := target{port: 41001, declared: 8080}
	for name, test := range map[string]struct {
		to        target
		listeners []process.Listener
		want      string
	}{
		"another port": {declared, listening(9000, "0.0.0.0", "::"), "The readiness probe asks port 8080 (here 41001), where nothing of the Pod listens; it listens on 9000: " +
			"let the probe, the containerPort and the program of app name one port"},
		"a declared one": {target{port: 8000}, listening(41002, "::"), "The readiness probe asks port 8000, where nothing of the Pod listens; it listens on 9090 (here 41002): " +
			"let the probe, the containerPort and the program of app name one port"},
		"several": {target{port: 8000}, append(listening(9001, "::"), listening(9000, "::1")...), "The readiness probe asks port 8000, where nothing of the Pod listens; it listens on " +
			"9000, 9001: let the probe, the containerPort and the program of app name one port"},
		"the port":          {declared, append(listening(9000, "::"), listening(41001, "::")...), ""},
		"the declared port": {declared, listening(8080, "::"), ""},
		"nothing at all":    {declared, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := portMismatch(&corev1.Container{Name: "app"}, lifecycle.Readiness, test.to, test.listeners, ports); got != test.want {
				t.Errorf("portMismatch = %q, want %q", got, test.want)
			}
		})
	}
}

func TestSuspicious(t *testing.T) {
	var got []int
	for n := range 30 {
		if n > 0 && suspicious(n) {
			got = append(got, n)
		}
	}
	if diff := cmp.Diff([]int{3, 6, 12, 24}, got); diff != "" {
		t.Error(diff)
	}
}
