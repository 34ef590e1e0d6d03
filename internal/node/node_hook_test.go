package node

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/probity-run/probity/internal/lifecycle"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/probe"
)

func TestPostStart(t *testing.T) {
	for name, test := range map[string]struct {
		hook  *corev1.LifecycleHandler
		hello behaviour
		fails bool
		want  []string
	}{
		"exec succeeds": {execAction("hello"), behaviour{life: time.Millisecond}, false, []string{"start server", "start hello", "exit hello 0"}},
		"exec fails": {execAction("hello"), behaviour{life: time.Millisecond, code: 1}, true,
			[]string{"start server", "start hello", "exit hello 1", "signal server SIGTERM", "exit server 143"}},
		"exec cannot start": {execAction("hello"), behaviour{startErr: http.ErrServerClosed}, true,
			[]string{"start server", "fail hello", "signal server SIGTERM", "exit server 143"}},
		// R145
		"tcpSocket": {&corev1.LifecycleHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstrOf("http")}}, behaviour{}, true,
			[]string{"start server", "signal server SIGTERM", "exit server 143"}},
		"httpGet of a port that does not exist": {&corev1.LifecycleHandler{HTTPGet: &corev1.HTTPGetAction{Port: intstrOf("admin")}}, behaviour{}, true,
			[]string{"start server", "signal server SIGTERM", "exit server 143"}},
	} {
		t.Run(name, func(t *testing.T) {
			playNode(t, func(t *testing.T, n *testNode) {
				n.starter.program("hello", test.hello)
				n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PostStart: test.hook}), func(p *corev1.Pod) {
					p.Spec.RestartPolicy = corev1.RestartPolicyNever
				}))
				n.at(time.Second)
				n.checkOrder(test.want, "start", "fail", "signal", "exit")
				if failed := len(n.events("FailedPostStartHook")) == 1; failed != test.fails {
					t.Errorf("FailedPostStartHook was reported: %v, want %v", failed, test.fails)
				}
			})
		})
	}
}

func TestPreStopOutlivesItsGrace(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("bye", behaviour{life: time.Hour})
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PreStop: execAction("bye", "$(PORT)")})))
		n.delete(5)
		n.at(time.Minute)
		// the end of the container ends its hook
		n.check([]string{"0s start server", "0s start bye", "5s signal server SIGTERM", "5s exit server 143", "5s kill bye", "5s exit bye 137"},
			"start", "signal", "kill", "exit")
		hook := n.starter.runs("bye")[0].spec
		if diff := cmp.Diff([]string{"bye", "41001"}, hook.Argv); diff != "" {
			t.Error(diff)
		}
		if want := string(n.firstUID()) + "/hook"; hook.Container != want {
			t.Errorf("owner = %q, want %q", hook.Container, want)
		}
	})
}

// Nobody sees the instance before its postStart hook is over, but for its process id.
func TestProcessIDDuringPostStart(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 3}}})))
		if got, want := n.containerPID(), n.starter.runs("server")[0].pid; got != want {
			t.Errorf("pid annotation = %d, want %d", got, want)
		}
		if state := n.pod().Status.ContainerStatuses[0].State; state.Running != nil {
			t.Errorf("state = %+v in the hook", state)
		}
		n.at(4 * time.Second)
		if state := n.pod().Status.ContainerStatuses[0].State; state.Running == nil {
			t.Errorf("state = %+v after the hook, want running", state)
		}
	})
}

func TestSleepHook(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 3}}})))
		n.at(time.Second)
		n.delete(-1)
		n.at(time.Minute)
		n.check([]string{"4s signal server SIGTERM"}, "signal", "kill")
	})
}

func TestSleepHookIsCutOff(t *testing.T) {
	playNode(t, func(t *testing.T, n *testNode) {
		n.starter.program("server", behaviour{listens: "PORT", life: 2 * time.Second})
		n.create(examplePodOf(withLifecycle(corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 20}}})))
		n.at(time.Second)
		n.delete(-1)
		n.at(5 * time.Second)
		n.check([]string{"2s exit server 0"}, "signal", "kill", "exit")
		if pod := n.pod(); pod != nil {
			t.Errorf("the Pod waits for its hook: %+v", pod.Status)
		}
	})
}

// An httpGet hook is the only thing here that needs a real server.
func TestHTTPHook(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusInternalServerError) // any response is a success (R143)
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		scheme corev1.URIScheme
		host   string
		owner  process.Owner
		events int
		err    string // default: success
	}{
		"http":                           {scheme: corev1.URISchemeHTTP, owner: process.Own},
		"http at a host":                 {scheme: corev1.URISchemeHTTP, host: "localhost", owner: process.Stranger},
		"https that is answered in http": {scheme: corev1.URISchemeHTTPS, owner: process.Own, events: 1},
		"a stranger's port":              {scheme: corev1.URISchemeHTTP, owner: process.Stranger, err: "port " + at.Port() + " does not belong to this Pod: process 7 (other) listens there"},
	} {
		t.Run(name, func(t *testing.T) {
			requests.Store(0)
			pod := examplePodOf()
			objects := store.New(store.Options{Kinds: store.Kubernetes()})
			client := &probe.HTTPClient{}
			defer client.Close()
			l := newLoop(func(lifecycle.Event) { t.Error("an event before the hook is done") })
			defer l.end()
			object := &podObject{store: objects, pod: pod}
			// the Pod has an address of its own, and its program listens at that of everybody
			ports := &portMap{private: map[int32]int{8080: port}, confirmed: map[int32]bool{8080: true}, ip: "127.77.0.1"}
			h := &hooks{loop: l, pod: pod, client: client, object: object, ports: &portWatch{
				loop: l, owners: portOwners{fixedOwner{process.Ownership{Addr: loopbackAddr, Owner: test.owner, PID: 7, Command: "other"}}, fakeTree},
				allocation: &allocation{ports: ports}, object: object,
			}}
			action := &corev1.HTTPGetAction{Scheme: test.scheme, Host: test.host, Port: intstrOf("http"), Path: "/bye"}
			if test.host != "" {
				action.Port = intstr.FromInt(port)
			}
			hook := h.handler(&pod.Spec.Containers[0], nil, &corev1.LifecycleHandler{HTTPGet: action})
			wantErr, want := "<nil>", int32(1)
			if test.err != "" {
				wantErr, want = test.err, 0
			}
			if err := hook(t.Context()); fmt.Sprint(err) != wantErr {
				t.Errorf("hook = %v, want %s", err, wantErr)
			}
			if requests.Load() != want {
				t.Errorf("%d requests, want %d", requests.Load(), want)
			}
			for _, do := range l.inbox.take() {
				do()
			}
			events, _ := store.List[*corev1.Event](objects, store.Selector{})
			if len(events) != test.events {
				t.Errorf("Events = %+v, want %d", events, test.events)
			}
			for _, e := range events {
				if want := "request to HTTPS lifecycle hook 127.0.0.1:" + at.Port() + " got HTTP response, retry with HTTP succeeded"; e.Message != want {
					t.Errorf("message = %q, want %q", e.Message, want)
				}
			}
		})
	}
}

// fixedOwner is an [identity] that says the same of every port.
type fixedOwner struct{ ownership process.Ownership }

func (f fixedOwner) Owns(func() ([]int, error), int) (process.Ownership, error) {
	return f.ownership, nil
}
