//go:build kubectl

package kubectl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	utilexec "k8s.io/client-go/util/exec"
)

// usedPod is a Pod of a run, which runs a script, or the program web without one.
type usedPod struct {
	clients
	name string
}

func use(t *testing.T, script string) usedPod {
	t.Helper()
	if os.Getenv(kubeconfigVariable) != "" {
		t.Skip("a Pod of these tests runs programs of this machine")
	}
	c := connect(t)
	container := corev1.Container{Name: "app", Image: "example.com/app:1", Command: []string{"sh", "-c", script}, Ports: []corev1.ContainerPort{{ContainerPort: 8080}}}
	if script == "" {
		container.Command = []string{"web"}
		container.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}}
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "used"}, Spec: corev1.PodSpec{Containers: []corev1.Container{container}, RestartPolicy: corev1.RestartPolicyNever}}
	must(c.typed.CoreV1().Pods(c.namespace).Create(t.Context(), pod, metav1.CreateOptions{}))(t)
	eventually(t, "the Pod is Ready", func() bool {
		pod, err := c.typed.CoreV1().Pods(c.namespace).Get(t.Context(), "used", metav1.GetOptions{})
		return err == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
		})
	})
	return usedPod{c, "used"}
}

// kubectl is the program, to be run in the namespace of the Pod.
func (p usedPod) kubectl(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(ctx, must(buildPrograms())(t).kubectl, append([]string{"--kubeconfig", p.kubeconfig, "-n", p.namespace}, args...)...)
}

// processes waits until so many processes of the run have a command line.
func (p usedPod) processes(t *testing.T, want int, command string) {
	t.Helper()
	var found int
	if !within(timeout, func() bool {
		found = 0
		for _, process := range processesOf(filepath.Dir(p.kubeconfig)) {
			if process.Command == command {
				found++
			}
		}
		return found == want
	}) {
		t.Fatalf("there are %d processes %q, want %d", found, command, want)
	}
}

// url is that of a part of the Pod.
func (p usedPod) url(part string, options any) *url.URL {
	r := p.typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(p.namespace).Name(p.name).SubResource(part)
	switch o := options.(type) {
	case *corev1.PodExecOptions:
		r = r.VersionedParams(o, scheme.ParameterCodec)
	case *corev1.PodAttachOptions:
		r = r.VersionedParams(o, scheme.ParameterCodec)
	}
	return r.URL()
}

// executors are the ways to open a session.
func (p usedPod) executors(t *testing.T, u *url.URL) map[string]remotecommand.Executor {
	t.Helper()
	return map[string]remotecommand.Executor{
		"WebSocket": must(remotecommand.NewWebSocketExecutor(p.config, "GET", u.String()))(t),
		"SPDY":      must(remotecommand.NewSPDYExecutor(p.config, "POST", u))(t),
	}
}

// sizes are those of a window, as it is resized.
type sizes struct {
	ctx  context.Context
	next chan remotecommand.TerminalSize
}

func (s sizes) Next() *remotecommand.TerminalSize {
	select {
	case size := <-s.next:
		return &size
	case <-s.ctx.Done():
		return nil
	}
}

// screen can be waited for.
type screen struct{ buffer }

func (s *screen) await(t *testing.T, text string) {
	t.Helper()
	if !within(timeout, func() bool { return strings.Contains(s.String(), text) }) {
		t.Fatalf("not within %v: %q in %q", timeout, text, s.String())
	}
}

// TestExec: 20 MB go there and come back, errors and exit code apart.
func TestExec(t *testing.T) {
	p := use(t, "sleep 1000")
	sent := make([]byte, 20<<20)
	chacha := rand.NewChaCha8([32]byte{})
	_, _ = chacha.Read(sent) // it has no errors
	u := p.url("exec", &corev1.PodExecOptions{Command: []string{"sh", "-c", "cat; echo wrong >&2; exit 3"}, Stdin: true, Stdout: true, Stderr: true})
	for name, executor := range p.executors(t, u) {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			err := executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: bytes.NewReader(sent), Stdout: &out, Stderr: &errs})
			if exit, ok := errors.AsType[utilexec.CodeExitError](err); !ok || exit.Code != 3 {
				t.Errorf("error %v, want exit code 3", err)
			}
			if !bytes.Equal(out.Bytes(), sent) || errs.String() != "wrong\n" {
				t.Errorf("%d bytes came back of %d, and %q", out.Len(), len(sent), &errs)
			}
		})
	}
}

// TestTerminal: a terminal has the size of its user's window, also when that changes, and keys that
// are signals.
func TestTerminal(t *testing.T) {
	p := use(t, "sleep 1000")
	u := p.url("exec", &corev1.PodExecOptions{Command: []string{"sh"}, Stdin: true, Stdout: true, TTY: true})
	for name, executor := range p.executors(t, u) {
		t.Run(name, func(t *testing.T) {
			shown, typed, next := &screen{}, make(chan string, 10), make(chan remotecommand.TerminalSize, 1)
			next <- remotecommand.TerminalSize{Width: 100, Height: 40}
			keyboard, keys := io.Pipe()
			var running sync.WaitGroup
			running.Go(func() {
				for text := range typed {
					if _, err := io.WriteString(keys, text); err != nil {
						return
					}
				}
			})
			var err error
			running.Go(func() {
				err = executor.StreamWithContext(t.Context(), remotecommand.StreamOptions{Stdin: keyboard, Stdout: shown, Tty: true, TerminalSizeQueue: sizes{t.Context(), next}})
				keyboard.Close()
			})
			shows := func(size string) {
				t.Helper()
				eventually(t, "the size is "+size, func() bool { // it may come after the first command
					typed <- "stty size\r"
					return strings.Contains(shown.String(), size+"\r\n")
				})
			}
			shows("40 100")
			next <- remotecommand.TerminalSize{Width: 70, Height: 20}
			shows("20 70")
			typed <- "echo on $TERM\r"
			shown.await(t, "on xterm\r\n")
			typed <- "sleep 1003\r"
			p.processes(t, 1, "sleep 1003") // a key that is a signal goes to the shell before
			typed <- "\x03"
			typed <- "exit 7\r"
			close(typed)
			running.Wait()
			if exit, ok := errors.AsType[utilexec.CodeExitError](err); !ok || exit.Code != 7 {
				t.Errorf("error %v, want exit code 7; it shows\n%s", err, shown)
			}
		})
	}
}

// TestAttach: what is printed from now on is shown until the container ends.
func TestAttach(t *testing.T) {
	end := t.TempDir() + "/end"
	p := use(t, "echo before; n=0; until [ -e "+end+" ]; do n=$((n+1)); echo tick $n; echo tock $n >&2; sleep 0.05; done; echo over")
	u := p.url("attach", &corev1.PodAttachOptions{Stdout: true, Stderr: true})
	shown, errs := map[string]*screen{}, map[string]*screen{}
	var running sync.WaitGroup
	for name, executor := range p.executors(t, u) {
		options := remotecommand.StreamOptions{Stdout: &screen{}, Stderr: &screen{}}
		shown[name], errs[name] = options.Stdout.(*screen), options.Stderr.(*screen)
		running.Go(func() {
			if err := executor.StreamWithContext(t.Context(), options); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for name := range shown {
		shown[name].await(t, "tick")
		errs[name].await(t, "tock")
	}
	if err := os.WriteFile(end, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	running.Wait()
	for name, s := range shown {
		if text := s.String(); !strings.HasSuffix(text, "\nover\n") || strings.Contains(text, "tock") {
			t.Errorf("%s shows %q", name, text)
		}
	}
}

// TestPortForward: twenty connections at a time reach the Pod's program, whose port is a private
// one, and a port of nobody is an error.
func TestPortForward(t *testing.T) {
	p := use(t, "")
	u := p.url("portforward", nil)
	roundTripper, upgrader, err := spdy.RoundTripperFor(p.config)
	if err != nil {
		t.Fatal(err)
	}
	ports := []string{"0:8080", "0:9"}
	for name, open := range map[string]func(stop, ready chan struct{}) (*portforward.PortForwarder, error){
		"SPDY": func(stop, ready chan struct{}) (*portforward.PortForwarder, error) {
			dialer := spdy.NewDialer(upgrader, &http.Client{Transport: roundTripper}, "POST", u)
			return portforward.New(dialer, ports, stop, ready, io.Discard, io.Discard)
		},
		"WebSocket": func(stop, ready chan struct{}) (*portforward.PortForwarder, error) {
			dialer := must(portforward.NewSPDYOverWebsocketDialer(u, p.config))(t)
			return portforward.New(dialer, ports, stop, ready, io.Discard, io.Discard)
		},
	} {
		t.Run(name, func(t *testing.T) {
			stop, ready := make(chan struct{}), make(chan struct{})
			forwarder := must(open(stop, ready))(t)
			ended := make(chan error, 1)
			go func() { ended <- forwarder.ForwardPorts() }()
			select {
			case <-ready:
			case err := <-ended:
				t.Fatal(err)
			}
			ports := must(forwarder.GetPorts())(t)
			at := fmt.Sprintf("http://127.0.0.1:%d/", ports[0].Local)
			var running sync.WaitGroup
			for range 20 {
				running.Go(func() {
					if err := get(at); err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			if err := get(fmt.Sprintf("http://127.0.0.1:%d/", ports[1].Local)); err == nil {
				t.Error("somebody answers at a port of nobody")
			}
			if err := <-ended; !errors.Is(err, portforward.ErrLostConnectionToPod) { // as with a cluster
				t.Errorf("ForwardPorts = %v", err)
			}
			close(stop)
		})
	}
}

// get makes a request with a connection of its own.
func get(url string) error {
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close() // it is read to its end
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
