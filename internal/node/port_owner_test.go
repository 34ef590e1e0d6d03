package node

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/probe"
)

// ownership answers for the ports in a map; nobody listens on others.
func ownership(byPort map[int]process.Ownership) ownsFunc {
	return func(port int) (process.Ownership, error) {
		if o, ok := byPort[port]; ok {
			return o, nil
		}
		return process.Ownership{Owner: process.Nobody, Addr: loopbackAddr}, nil
	}
}

func TestLocate(t *testing.T) {
	ip6 := netip.IPv6Loopback()
	own := process.Ownership{Owner: process.Own, Addr: loopbackAddr}
	unknown := process.Ownership{Owner: process.Unknown, Addr: loopbackAddr}
	stranger := process.Ownership{Owner: process.Stranger, Addr: loopbackAddr, PID: 7, Command: "nc"}
	hidden := process.Ownership{Owner: process.Stranger, Addr: loopbackAddr}
	const notOwn = "port 41001 does not belong to this Pod: "
	declared := target{host: loopback, port: 41001, declared: 8080}
	for name, test := range map[string]struct {
		to      target
		owners  map[int]process.Ownership
		host    string
		port    int
		adopted bool
		failure string
	}{
		"own":                      {declared, map[int]process.Ownership{41001: own}, "127.0.0.1", 41001, false, ""},
		"own, on IPv6":             {declared, map[int]process.Ownership{41001: {Owner: process.Own, Addr: ip6}}, "::1", 41001, false, ""},
		"unknown counts as own":    {declared, map[int]process.Ownership{41001: unknown}, "127.0.0.1", 41001, false, ""},
		"nobody: let it refuse":    {declared, nil, "127.0.0.1", 41001, false, ""},
		"a stranger":               {declared, map[int]process.Ownership{41001: stranger}, "", 41001, false, notOwn + "process 7 (nc) listens there"},
		"somebody unseen":          {declared, map[int]process.Ownership{41001: hidden}, "", 41001, false, notOwn + "a process that cannot be seen from here listens there"},
		"on the declared port":     {declared, map[int]process.Ownership{8080: own}, "127.0.0.1", 8080, true, ""},
		"on both":                  {declared, map[int]process.Ownership{8080: own, 41001: own}, "127.0.0.1", 41001, false, ""},
		"a stranger on the other":  {declared, map[int]process.Ownership{8080: stranger}, "127.0.0.1", 41001, false, ""},
		"not certainly the other":  {declared, map[int]process.Ownership{8080: unknown}, "127.0.0.1", 41001, false, ""},
		"a port of no declaration": {target{host: loopback, port: 7000}, nil, "127.0.0.1", 7000, false, ""},
		"a fixed port":             {target{host: loopback, port: 8080, declared: 8080}, nil, "127.0.0.1", 8080, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			found, verdict := locate(test.to, ownership(test.owners))
			to, adopted := found.target, found.adopted
			if to.port != test.port || adopted != test.adopted {
				t.Errorf("locate = %+v, adopted %v, want port %d, adopted %v", to, adopted, test.port, test.adopted)
			}
			switch {
			case test.failure == "" && verdict == nil:
				if to.host != test.host {
					t.Errorf("host = %s, want %s", to.host, test.host)
				}
			case verdict == nil || verdict.Outcome != probe.Failure || verdict.Output != test.failure:
				t.Errorf("verdict = %+v, want %q", verdict, test.failure)
			}
		})
	}
}

func TestLocateWithoutAnAnswer(t *testing.T) {
	_, verdict := locate(target{host: loopback, port: 80}, func(int) (process.Ownership, error) { return process.Ownership{}, errors.New("no descriptors") })
	if verdict == nil || verdict.Outcome != probe.Unknown || errorText(verdict.Err) != "cannot learn who listens on port 80: no descriptors" {
		t.Errorf("verdict = %+v, want an error that counts for nothing", verdict)
	}
}

func TestPortInUseText(t *testing.T) {
	c := &corev1.Container{Name: "app", Ports: []corev1.ContainerPort{{ContainerPort: 9090}, {ContainerPort: 8080}}}
	stranger := map[int]process.Ownership{8080: {Owner: process.Stranger, PID: 7, Command: "nc"}}
	const text = "Port 8080 is taken by process 7 (nc): if app needs it, let it listen on the port in PORT, or run one replica"
	for name, test := range map[string]struct {
		exit   process.Exit
		owners map[int]process.Ownership
		want   string
	}{
		"a failure beside a stranger":    {process.Exit{Code: 1}, stranger, text},
		"a success":                      {process.Exit{}, stranger, ""},
		"death by a signal":              {process.Exit{Code: 137, Signal: syscall.SIGKILL}, stranger, ""},
		"nobody is there":                {process.Exit{Code: 1}, nil, ""},
		"another container of the Pod's": {process.Exit{Code: 1}, map[int]process.Ownership{8080: {Owner: process.Own}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := portInUse(&corev1.Pod{}, c, test.exit, ownership(test.owners), describe); got != test.want {
				t.Errorf("portInUse = %q, want %q", got, test.want)
			}
		})
	}
}

// A program whose port is fixed cannot be told another one.
func TestPortTakenText(t *testing.T) {
	c := &corev1.Container{Name: "app"}
	fixed := &corev1.Pod{Spec: corev1.PodSpec{HostNetwork: true}}
	owner := process.Ownership{Owner: process.Stranger, PID: 7, Command: "nc"}
	want := "Port 8080 is taken by process 7 (nc), and app has it fixed: end that process, or run one replica"
	if got := portTaken(fixed, c, 8080, describe(owner)); got != want {
		t.Errorf("portTaken = %q, want %q", got, want)
	}
}

func TestTreeOfSeveralProcesses(t *testing.T) {
	log := &timeline{}
	running := &fakeProcess{pid: 5, log: log, done: make(chan struct{})}
	ended := &fakeProcess{pid: 6, log: log, done: make(chan struct{})}
	ended.end(process.Exit{})
	pids, err := portOwners{tree: fakeTree}.treeOf([]process.Process{running, ended})()
	if err != nil || len(pids) != 1 || pids[0] != 5 {
		t.Errorf("tree = %v, %v, want 5", pids, err)
	}
	short := portOwners{tree: func(process.Process) ([]int, error) { return nil, errors.New("no descriptors") }}
	if _, err := short.treeOf([]process.Process{running})(); err == nil {
		t.Error("a tree that cannot be listed is no error")
	}
}

// TestCheckListenerFindsTheSocket: a Pod has an address of its own, and many programs listen at
// 127.0.0.1 only.
func TestCheckListenerFindsTheSocket(t *testing.T) {
	own := netip.MustParseAddrPort("127.64.0.9:41001")
	for name, test := range map[string]struct {
		owner process.Ownership
		want  string
		err   string
	}{
		"at its own address": {process.Ownership{Owner: process.Own, Addr: own.Addr()}, "127.64.0.9:41001", ""},
		"at 127.0.0.1":       {process.Ownership{Owner: process.Own, Addr: loopbackAddr}, "127.0.0.1:41001", ""},
		"nowhere":            {process.Ownership{Owner: process.Nobody, Addr: own.Addr()}, "127.64.0.9:41001", "the Pod does not listen on 127.64.0.9:41001"},
		"a stranger":         {process.Ownership{Owner: process.Stranger, Addr: loopbackAddr, PID: 7, Command: "nc"}, "127.64.0.9:41001", "port 41001 does not belong to the Pod: process 7 (nc) listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := checkListener(own, func(int) (process.Ownership, error) { return test.owner, nil })
			if got.String() != test.want || err == nil && test.err != "" || err != nil && err.Error() != test.err {
				t.Errorf("%s, %v; want %s, %s", got, err, test.want, test.err)
			}
		})
	}
}
