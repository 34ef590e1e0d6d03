package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/websocket"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// fakeRunner notes what it is asked, and does as little as possible.
type fakeRunner struct {
	code int
	err  error
	hold chan struct{} // not nil: what ends a command gives it two values before

	mu    sync.Mutex
	asked []string // guarded by mu
}

func (f *fakeRunner) ask(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
}

func (f *fakeRunner) OpenLog(*corev1.Pod, string, int) *process.LogReader { return nil }

func (f *fakeRunner) Exec(ctx context.Context, pod types.UID, container string, command []string, s process.Streams) (int, error) {
	f.ask("exec %s %s %q stdin %v stdout %v stderr %v terminal %v %v", pod, container, command, s.Stdin != nil, s.Stdout != nil, s.Stderr != nil, s.Terminal, s.Size)
	if s.Stdin != nil {
		if _, err := io.Copy(s.Stdout, s.Stdin); err != nil && ctx.Err() == nil {
			return 0, err
		}
	}
	if f.hold != nil {
		f.hold <- struct{}{}
		f.hold <- struct{}{}
	}
	return f.code, f.err
}

func (f *fakeRunner) Attach(_ context.Context, pod types.UID, container string, stdout, stderr io.Writer) error {
	f.ask("attach %s %s stdout %v stderr %v", pod, container, stdout != nil, stderr != nil)
	if stdout != nil {
		fmt.Fprintln(stdout, "out")
	}
	if stderr != nil {
		fmt.Fprintln(stderr, "err")
	}
	return f.err
}

func (f *fakeRunner) DialPort(_ context.Context, pod types.UID, port int32) (net.Conn, error) {
	f.ask("dial %s %d", pod, port)
	return nil, errors.New("nobody is there")
}

// newStreamClient has a Pod that runs, one that waits, and one that has completed, all with the
// containers app and side.
func newStreamClient(t *testing.T, f *fakeRunner) *client {
	c := newClient(t, func(o *Options) { o.Runner = f })
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}}
	ended := corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}
	for name, status := range map[string]corev1.PodStatus{
		"web":  {Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: running}, {Name: "side", State: ended}}},
		"wait": {Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: waiting}}},
		"done": {Phase: corev1.PodSucceeded, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: ended}}},
	} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", UID: types.UID("uid-" + name)}, Status: status}
		pod.Spec.Containers = []corev1.Container{{Name: "app"}, {Name: "side"}}
		if _, err := store.Create(c.store, pod); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// podUID is the UID that the store has given to a Pod.
func (c *client) podUID(name string) string {
	pod, err := store.Get[*corev1.Pod](c.store, "default", name)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(pod.UID)
}

const pods = "/api/v1/namespaces/default/pods/"

// TestStreamsRefused: what cannot be done is refused before the connection is upgraded, by both
// methods.
func TestStreamsRefused(t *testing.T) {
	c := newStreamClient(t, &fakeRunner{})
	upgrade := []string{"Connection: Upgrade", "Upgrade: websocket"}
	for name, test := range map[string]struct {
		path   string
		code   int
		reason metav1.StatusReason
		text   string
		header []string
	}{
		"no Pod":                     {"nope/exec?command=true&stdout=true", 404, metav1.StatusReasonNotFound, `pods "nope" not found`, upgrade},
		"completed":                  {"done/exec?command=true&stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "completed", upgrade},
		"waiting":                    {"wait/exec?command=true&stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "does not run: it is waiting: CrashLoopBackOff", upgrade},
		"ended":                      {"web/exec?command=true&stdout=true&container=side", 400, metav1.StatusReasonBadRequest, `container "side" in pod "web" does not run`, upgrade},
		"no status":                  {"wait/exec?command=true&stdout=true&container=side", 400, metav1.StatusReasonBadRequest, "not available", upgrade},
		"no such container":          {"web/exec?command=true&stdout=true&container=other", 400, metav1.StatusReasonBadRequest, "other is not valid", upgrade},
		"which container":            {"web/exec?command=true&stdout=true", 400, metav1.StatusReasonBadRequest, "a container name must be specified", upgrade},
		"no command":                 {"web/exec?stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "command", upgrade},
		"no streams":                 {"web/exec?command=true&container=app", 400, metav1.StatusReasonBadRequest, "at least 1 of stdin, stdout, stderr", upgrade},
		"not true":                   {"web/exec?command=true&stdout=maybe&container=app", 400, metav1.StatusReasonBadRequest, `stdout: "maybe" must be true or false`, upgrade},
		"no upgrade":                 {"web/exec?command=true&stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "Upgrade request required", nil},
		"no upgrade to attach":       {"web/attach?stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "Upgrade request required", nil},
		"no upgrade to forward":      {"web/portforward", 400, metav1.StatusReasonBadRequest, "Upgrade request required", nil},
		"unknown protocol":           {"web/exec?command=true&stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "", append([]string{"Sec-WebSocket-Protocol: channel.k8s.io"}, upgrade...)},
		"typing to a program":        {"web/attach?stdin=true&stdout=true&container=app", 400, metav1.StatusReasonBadRequest, "reads /dev/null", upgrade},
		"forward to a completed Pod": {"done/portforward", 400, metav1.StatusReasonBadRequest, "completed", upgrade},
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{"GET", "POST"} {
				c.fails(test.code, test.reason, test.text, method, pods+test.path, "", test.header...)
			}
		})
	}
}

// connect opens a WebSocket.
func (c *client) connect(path string, protocol string) *websocket.Conn {
	c.t.Helper()
	config, err := websocket.NewConfig(strings.Replace(c.url, "http", "ws", 1)+pods+path, c.url)
	if err != nil {
		c.t.Fatal(err)
	}
	config.Protocol = []string{protocol}
	ws, err := config.DialContext(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return ws
}

// session sends messages and returns what comes back, by channel.
func (c *client) session(path string, messages ...string) map[byte]string {
	c.t.Helper()
	ws := c.connect(path, "v5.channel.k8s.io")
	defer ws.Close() // it is read to its end
	for _, message := range messages {
		if err := websocket.Message.Send(ws, []byte(message)); err != nil {
			c.t.Fatal(err)
		}
	}
	got := map[byte]string{}
	for {
		var message []byte
		if err := websocket.Message.Receive(ws, &message); err != nil {
			return got
		}
		got[message[0]] += string(message[1:])
	}
}

// TestExec: the runner is asked for what the client wants, and the client is told how it ended.
func TestExec(t *testing.T) {
	for name, test := range map[string]struct {
		query    string
		code     int
		err      error
		messages []string
		asked    string
		output   string
		status   metav1.Status
	}{
		"success": {
			query: "command=sh&command=-c&command=a+b&stdout=true&stderr=true", asked: `exec UID app ["sh" "-c" "a b"] stdin false stdout true stderr true terminal false {0 0}`,
			status: metav1.Status{Status: "Success"},
		},
		"input": {
			query: "command=cat&stdin=1&stdout=1", messages: []string{"\x00typed", "\xff\x00"},
			asked: `exec UID app ["cat"] stdin true stdout true stderr false terminal false {0 0}`, output: "typed", status: metav1.Status{Status: "Success"},
		},
		"exit code": {
			query: "command=false&stdout=true", code: 3, asked: `exec UID app ["false"] stdin false stdout true stderr false terminal false {0 0}`,
			status: metav1.Status{
				Status: "Failure", Reason: "NonZeroExitCode", Message: "command terminated with non-zero exit code: 3",
				Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: "ExitCode", Message: "3"}}},
			},
		},
		"terminal": {
			query: "command=sh&stdin=true&stdout=true&stderr=true&tty=true", messages: []string{"\x04" + `{"Width":100,"Height":40}`, "\xff\x00"},
			asked: `exec UID app ["sh"] stdin true stdout true stderr false terminal true {100 40}`, status: metav1.Status{Status: "Success"},
		},
		"trouble": {
			query: "command=sh&stdout=true", err: errors.New("no room"), asked: `exec UID app ["sh"] stdin false stdout true stderr false terminal false {0 0}`,
			status: metav1.Status{
				TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}, Status: "Failure", Code: 500, Message: "no room",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRunner{code: test.code, err: test.err}
			c := newStreamClient(t, f)
			got := c.session("web/exec?container=app&"+test.query, test.messages...)
			c.api.Wait() // for what the runner was asked
			if want := []string{strings.ReplaceAll(test.asked, "UID", c.podUID("web"))}; !cmp.Equal(want, f.asked) {
				t.Errorf("asked %q, want %q", f.asked, want)
			}
			if got[1] != test.output {
				t.Errorf("output %q, want %q", got[1], test.output)
			}
			var status metav1.Status
			if err := json.Unmarshal([]byte(got[3]), &status); err != nil {
				t.Fatalf("%v in %q", err, got[3])
			}
			if diff := cmp.Diff(test.status, status); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAttach: each stream arrives on its channel; a terminal has one, and needs whole ends of
// lines.
func TestAttach(t *testing.T) {
	for query, want := range map[string]map[byte]string{
		"stdout=true&stderr=true": {1: "out\n", 2: "err\n"},
		"stderr=true":             {2: "err\n"},
		"stdout=true&tty=true":    {1: "out\r\nerr\r\n"},
	} {
		c := newStreamClient(t, &fakeRunner{})
		got := c.session("web/attach?container=app&" + query)
		if !strings.Contains(got[3], "Success") {
			t.Errorf("%s: status %q", query, got[3])
		}
		delete(got, 3)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// TestStreamsEnd: the end of their requests' context ends upgraded connections, which net/http does
// not know, and the server can wait for them; then none begins any more.
func TestStreamsEnd(t *testing.T) {
	f := &fakeRunner{hold: make(chan struct{})}
	c := newStreamClient(t, f)
	ctx, stop := context.WithCancel(t.Context())
	s := httptest.NewUnstartedServer(c.api)
	s.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	s.Start()
	defer s.Close()
	c.url = s.URL
	ws := c.connect("web/exec?container=app&command=cat&stdin=true&stdout=true", "v5.channel.k8s.io")
	defer ws.Close() // it is over
	if err := websocket.Message.Send(ws, []byte("\x00typed")); err != nil {
		t.Fatal(err)
	}
	var echo []byte
	if err := websocket.Message.Receive(ws, &echo); err != nil {
		t.Fatal(err)
	}
	stop()
	waited := make(chan struct{})
	go func() {
		c.api.Wait()
		close(waited)
	}()
	<-f.hold
	select {
	case <-waited:
		t.Error("nobody waits for the end of a command")
	default:
	}
	<-f.hold
	<-waited
	c.fails(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable, "being stopped", "GET",
		pods+"web/exec?container=app&command=true&stdout=true", "", "Connection: Upgrade", "Upgrade: websocket")
}
