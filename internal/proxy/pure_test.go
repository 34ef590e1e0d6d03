package proxy

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func sliceOf(port int32, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		Endpoints: endpoints,
		Ports: []discoveryv1.EndpointPort{
			{Name: new("http"), Port: new(port), Protocol: new(corev1.ProtocolTCP)}, {Name: new("dns"), Port: new(int32(53)), Protocol: new(corev1.ProtocolUDP)},
		},
	}
}

func TestEndpointsOf(t *testing.T) {
	end := func(pod string, ready, serving, terminating *bool) discoveryv1.Endpoint {
		e := at(pod, "127.0.0.1:0")
		e.Conditions = discoveryv1.EndpointConditions{Ready: ready, Serving: serving, Terminating: terminating}
		return e
	}
	yes, no := new(true), new(false)
	tests := map[string]struct {
		slices             []*discoveryv1.EndpointSlice
		ready, terminating []string
	}{
		"R198 ready":                   {[]*discoveryv1.EndpointSlice{sliceOf(2, end("b", yes, yes, no)), sliceOf(1, end("a", yes, yes, no))}, []string{"a 127.0.0.1:1", "b 127.0.0.1:2"}, nil},
		"R198 serving and terminating": {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, yes, yes))}, nil, []string{"a 127.0.0.1:1"}},
		"R198 serving only, never":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, yes, no))}, nil, nil},
		"terminating, not serving":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, no, yes))}, nil, nil},
		"R197 nil":                     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", nil, nil, nil))}, []string{"a 127.0.0.1:1"}, nil},
		"R197 nil serving":             {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", no, nil, yes))}, nil, []string{"a 127.0.0.1:1"}},
		"R195 published not ready":     {[]*discoveryv1.EndpointSlice{sliceOf(1, end("a", yes, no, yes))}, []string{"a 127.0.0.1:1"}, nil},
		"R203 listed twice":            {[]*discoveryv1.EndpointSlice{sliceOf(1, end("old", no, yes, yes)), sliceOf(1, end("new", yes, yes, no))}, []string{"new 127.0.0.1:1"}, nil},
		"R203 listed twice, reversed":  {[]*discoveryv1.EndpointSlice{sliceOf(1, end("new", yes, yes, no)), sliceOf(1, end("old", no, yes, yes))}, []string{"new 127.0.0.1:1"}, nil},
		"no such port":                 {[]*discoveryv1.EndpointSlice{{Endpoints: []discoveryv1.Endpoint{end("a", yes, yes, no)}}}, nil, nil},
	}
	texts := func(list []endpointID) (all []string) {
		for _, id := range list {
			all = append(all, id.name.Name+" "+id.address)
		}
		return all
	}
	for name, test := range tests {
		ready, terminating := endpointsOf(test.slices, "http")
		if diff := cmp.Diff([][]string{test.ready, test.terminating}, [][]string{texts(ready), texts(terminating)}); diff != "" {
			t.Errorf("%s: want, got\n%s", name, diff)
		}
	}
	if ready, _ := endpointsOf([]*discoveryv1.EndpointSlice{sliceOf(1, end("a", yes, yes, no))}, "dns"); ready != nil {
		t.Errorf("a port of UDP has TCP endpoints: %v", ready)
	}
}

func TestProtocolOf(t *testing.T) {
	get := func(port intstr.IntOrString, scheme corev1.URIScheme) *corev1.Pod {
		return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Ports:          []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}},
			ReadinessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Scheme: scheme}}},
		}}}}
	}
	number, name := intstr.FromInt32(8080), intstr.FromString("web")
	tests := map[string]struct {
		port corev1.ServicePort
		pod  *corev1.Pod
		want protocol
	}{
		"nothing":                     {corev1.ServicePort{Port: 80}, nil, protocolTCP},
		"appProtocol http":            {corev1.ServicePort{AppProtocol: new("http")}, nil, protocolHTTP},
		"appProtocol HTTP":            {corev1.ServicePort{AppProtocol: new("HTTP")}, nil, protocolHTTP},
		"appProtocol h2c":             {corev1.ServicePort{AppProtocol: new("kubernetes.io/h2c")}, nil, protocolH2C},
		"appProtocol ws":              {corev1.ServicePort{AppProtocol: new("kubernetes.io/ws")}, nil, protocolHTTP},
		"appProtocol grpc":            {corev1.ServicePort{AppProtocol: new("grpc")}, nil, protocolH2C},
		"appProtocol decides":         {corev1.ServicePort{Name: "http", AppProtocol: new("mysql")}, nil, protocolTCP},
		"name http":                   {corev1.ServicePort{Name: "http"}, nil, protocolHTTP},
		"name http-admin":             {corev1.ServicePort{Name: "http-admin"}, nil, protocolHTTP},
		"name https":                  {corev1.ServicePort{Name: "https"}, get(number, ""), protocolTCP},
		"name httpx":                  {corev1.ServicePort{Name: "httpx"}, nil, protocolTCP},
		"name grpc-api":               {corev1.ServicePort{Name: "grpc-api"}, nil, protocolH2C},
		"name grpc-web":               {corev1.ServicePort{Name: "grpc-web"}, nil, protocolHTTP},
		"name http2":                  {corev1.ServicePort{Name: "http2"}, nil, protocolH2C},
		"probe, by number":            {corev1.ServicePort{TargetPort: number}, get(number, ""), protocolHTTP},
		"probe by name, target by it": {corev1.ServicePort{TargetPort: name}, get(name, corev1.URISchemeHTTP), protocolHTTP},
		"probe by name, by number":    {corev1.ServicePort{TargetPort: number}, get(name, ""), protocolHTTP},
		"no targetPort":               {corev1.ServicePort{Port: 8080}, get(number, ""), protocolHTTP},
		"probe by HTTPS":              {corev1.ServicePort{TargetPort: number}, get(number, corev1.URISchemeHTTPS), protocolTCP},
		"probe of another port":       {corev1.ServicePort{TargetPort: intstr.FromInt32(9090)}, get(number, ""), protocolTCP},
		"unknown names are not equal": {corev1.ServicePort{TargetPort: intstr.FromString("x")}, get(intstr.FromString("y"), ""), protocolTCP},
	}
	for name, test := range tests {
		var pods []*corev1.Pod
		if test.pod != nil {
			pods = append(pods, test.pod)
		}
		if got := protocolOf(&test.port, pods); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}

// replicas makes some that have as many requests in flight as told.
func replicas(inFlight ...int64) []*endpoint {
	var list []*endpoint
	for _, n := range inFlight {
		p := &pod{}
		p.instance.Store(newInstance(p, func(*instance, int, int) {}))
		e := &endpoint{pod: p}
		e.inFlight.Store(n)
		list = append(list, e)
	}
	return list
}

func TestChoose(t *testing.T) {
	const withdraw, exit, eject = "withdraw", "exit", "eject"
	tests := map[string]struct {
		ready, terminating []int64        // in flight
		state              map[int]string // of those, counted through
		wish               criteria
		tried              []int
		want               int // -1: none
	}{
		"least busy":                            {ready: []int64{2, 1, 3}, want: 1},
		"equally busy, by turn":                 {ready: []int64{1, 1, 1}, wish: criteria{roundRobin: 2}, want: 2},
		"tried ones are left out":               {ready: []int64{0, 5}, tried: []int{0}, want: 1},
		"R199 ready before terminating":         {ready: []int64{9}, terminating: []int64{0}, want: 0},
		"R198 terminating ones last":            {terminating: []int64{0}, want: 0},
		"R199 tried ready ones hold the others": {ready: []int64{0}, terminating: []int64{0}, tried: []int{0}, want: -1},
		"withdrawn":                             {ready: []int64{0, 5}, state: map[int]string{0: withdraw}, want: 1},
		"the last one withdrawn":                {ready: []int64{0}, state: map[int]string{0: withdraw}, want: 0},
		"the last one withdrawn, patient":       {ready: []int64{0}, state: map[int]string{0: withdraw}, wish: criteria{readyOnly: true}, want: -1},
		"withdrawn is like terminating":         {ready: []int64{3}, terminating: []int64{1}, state: map[int]string{0: withdraw}, want: 1},
		"never a dead one":                      {ready: []int64{0}, terminating: []int64{0}, state: map[int]string{0: exit, 1: exit}, want: -1},
		"dead one ready, other terminating":     {ready: []int64{0}, terminating: []int64{0}, state: map[int]string{0: exit}, want: 1},
		"ejected":                               {ready: []int64{0, 5}, state: map[int]string{0: eject}, want: 1},
		"all ejected: tried anyway":             {ready: []int64{1, 0}, state: map[int]string{0: eject, 1: eject}, want: 1},
		"all ejected, patient":                  {ready: []int64{1, 0}, state: map[int]string{0: eject, 1: eject}, wish: criteria{readyOnly: true}, want: -1},
		"ejected is ready: terminating nothing": {ready: []int64{1}, terminating: []int64{0}, state: map[int]string{0: eject}, want: 0},
		"nothing":                               {want: -1},
	}
	for name, test := range tests {
		table := &routingTable{ready: replicas(test.ready...), terminating: replicas(test.terminating...)}
		all := append(append([]*endpoint{}, table.ready...), table.terminating...)
		for i, state := range test.state {
			switch inst := all[i].pod.instance.Load(); state {
			case withdraw:
				inst.inFlight.setFlags(flagWithdrawn)
			case exit:
				inst.end("exited")
			case eject:
				all[i].ejectedIn.Store(inst)
			}
		}
		for _, i := range test.tried {
			test.wish.tried = append(test.wish.tried, all[i])
		}
		got := -1
		e, _ := table.choose(test.wish)
		for i := range all {
			if all[i] == e {
				got = i
			}
		}
		if got != test.want {
			t.Errorf("%s: chose %d, want %d", name, got, test.want)
		}
	}
}

func TestChooseFavourite(t *testing.T) {
	table := &routingTable{ready: replicas(0, 9)}
	want := criteria{sticky: table.ready[1]}
	if e, _ := table.choose(want); e != table.ready[1] {
		t.Error("R202: a client's replica was not chosen because it is busy")
	}
	table.ready[1].pod.instance.Load().inFlight.setFlags(flagWithdrawn)
	if e, _ := table.choose(want); e != table.ready[0] {
		t.Error("R202: a replica that is not usable any more was chosen")
	}
}

func TestAffinityTimeout(t *testing.T) { // R202: sliding
	var a sessionAffinity
	e, client, start := &endpoint{}, netip.MustParseAddr("127.0.0.1"), time.Now()
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	a.remember(client, e, at(0), 10*time.Second)
	if a.endpointOf(client, at(9), 10*time.Second) != e {
		t.Error("forgotten before the timeout")
	}
	a.remember(client, e, at(9), 10*time.Second)
	if a.endpointOf(client, at(18), 10*time.Second) != e {
		t.Error("a request did not start the timeout anew")
	}
	if a.endpointOf(client, at(19), 10*time.Second) != nil {
		t.Error("remembered beyond the timeout")
	}
	for i := range 3 * maxSessions {
		a.remember(netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)}), e, at(20), 10*time.Second)
	}
	if n := len(a.clients); n > maxSessions {
		t.Errorf("%d clients are remembered, at most %d are to be", n, maxSessions)
	}
}

func TestInstanceReportsLosses(t *testing.T) {
	type report struct{ requests, connections int }
	run := func(play func(inst *instance)) (reports []report) {
		p := &pod{}
		inst := newInstance(p, func(_ *instance, requests, connections int) { reports = append(reports, report{requests, connections}) })
		synctest.Test(t, func(*testing.T) { play(inst) })
		return reports
	}
	breakOff := func(inst *instance) {
		inst.inFlight.add(0)
		inst.requestBroke()
		inst.inFlight.done()
	}
	tests := map[string]struct {
		play func(inst *instance)
		want []report
	}{
		"nothing in flight": {func(inst *instance) { inst.end("exited") }, nil},
		"lost before the exit was known": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestLost()
			time.Sleep(500 * time.Millisecond)
			inst.end("exited")
		}, []report{{1, 0}}},
		"lost long before the exit": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestLost()
			time.Sleep(1100 * time.Millisecond)
			inst.end("exited")
		}, nil},
		"answered elsewhere": {func(inst *instance) {
			breakOff(inst)
			inst.brokenRequestNotLost()
			inst.end("exited")
		}, nil},
		"decided after the exit": {func(inst *instance) {
			inst.inFlight.add(0)
			inst.requestBroke()
			inst.inFlight.done()
			inst.end("exited")
			time.Sleep(10 * time.Second)
			inst.brokenRequestLost()
		}, []report{{1, 0}}},
		"one in flight holds the report": {func(inst *instance) {
			inst.inFlight.add(0)
			inst.inFlight.add(0)
			inst.connectionCut()
			inst.inFlight.done()
			inst.end("exited")
			inst.end("exited again")
			time.Sleep(10 * time.Second)
			inst.requestBroke()
			inst.brokenRequestLost()
			inst.inFlight.done()
		}, []report{{1, 1}}},
	}
	for name, test := range tests {
		if diff := cmp.Diff(test.want, run(test.play), cmp.AllowUnexported(report{})); diff != "" {
			t.Errorf("%s: want, got\n%s", name, diff)
		}
	}
}

func TestLossMessage(t *testing.T) {
	tests := map[string]string{
		lossMessage("web-1", "exited with code 0 on SIGTERM", 3, 0): "3 requests were in flight when web-1 exited with code 0 on SIGTERM; they would be lost on a cluster too",
		lossMessage("web-1", "was killed by SIGKILL", 1, 0):         "1 request was in flight when web-1 was killed by SIGKILL; it would be lost on a cluster too",
		lossMessage("web-1", "was killed by SIGKILL", 0, 2):         "2 open connections were cut when web-1 was killed by SIGKILL",
	}
	for got, want := range tests {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestInFlightCountRefusesAfterFlag(t *testing.T) {
	var c inFlightCount
	if !c.add(flagWithdrawn|flagClosed) || !c.add(0) || c.count() != 2 {
		t.Fatal("refused without a flag")
	}
	c.setFlags(flagWithdrawn)
	if c.add(flagWithdrawn | flagClosed) {
		t.Error("counted although withdrawn")
	}
	if !c.add(flagClosed) || c.count() != 3 {
		t.Error("refused for a flag that was not meant")
	}
	c.clearFlags(flagWithdrawn)
	if !c.add(flagWithdrawn) {
		t.Error("refused for a flag that was taken back")
	}
}

func TestNotReady(t *testing.T) {
	waiting := corev1.ContainerStatus{Name: "web", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off 10s"}}}
	waiting.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3}
	running := corev1.ContainerStatus{Name: "web", Started: new(true), State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}
	starting := running
	starting.Started = new(false)
	with := func(statuses ...corev1.ContainerStatus) corev1.Pod {
		return corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: statuses}}
	}
	deleted := with(running)
	deleted.DeletionTimestamp = new(metav1.Now())
	isReady := with(running)
	isReady.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
	tests := map[string]struct {
		pod       corev1.Pod
		unhealthy string
		want      string
	}{
		"crash loop":  {with(waiting), "", "container web is waiting (CrashLoopBackOff): back-off 10s; it ended last with exit code 3"},
		"not ready":   {with(running), "Readiness probe failed: HTTP probe failed with statuscode: 500", "container web is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500"},
		"not started": {with(starting), "", "container web has not started up"},
		"deleted":     {deleted, "", "is terminating"},
		"failed":      {corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodFailed}}, "", "has ended: its phase is Failed"},
		"new":         {corev1.Pod{}, "", "has not started yet"},
		"ready":       {isReady, "", "is ready, but has no endpoint that takes requests: it is being restarted, refuses connections, or lacks the target port"},
	}
	for name, test := range tests {
		if _, got := whyNotReady(&test.pod, test.unhealthy); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestWantsJSON(t *testing.T) {
	for accept, want := range map[string]bool{
		"": false, "*/*": false, "application/json": true, "text/html,application/json": false, "application/json, text/plain, */*": true,
		"application/problem+json": true, "text/plain": false, "nonsense; ;": false,
	} {
		if got := wantsJSON([]string{accept}); got != want {
			t.Errorf("%q: %v, want %v", accept, got, want)
		}
	}
}

func TestCacheIgnoresOlderObjects(t *testing.T) {
	c := cache{services: map[types.NamespacedName]*corev1.Service{}}
	service := func(version string) *corev1.Service {
		return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", ResourceVersion: version}}
	}
	if !keepNewer(c.services, service("12"), "MODIFIED") || keepNewer(c.services, service("9"), "MODIFIED") || keepNewer(c.services, service("12"), "ADDED") {
		t.Error("an object that is not newer replaced one")
	}
	if !keepNewer(c.services, service("100"), "DELETED") || len(c.services) != 0 {
		t.Error("a deletion was ignored")
	}
}
