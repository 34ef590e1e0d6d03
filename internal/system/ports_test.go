package system

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/store"
	"github.com/probity-run/probity/test/ports"
)

// needsAddresses skips a test where the machine has no addresses but 127.0.0.1, as macOS.
func needsAddresses(t *testing.T) {
	t.Helper()
	if !canListen(netip.MustParseAddr("127.64.0.1")) {
		t.Skip("127.0.0.1 is the only loopback address here")
	}
}

// ampleTurn is for how long a port number is left to programs that take it as soon as they run:
// even a busy machine has started this test binary by then. It is more than [hangs], so that a
// Service that waits for longer than it has to is noticed.
const ampleTurn = 2 * hangs

// testProgram is a Pod with one program, and the Service in front of it, if it has a port.
type testProgram struct {
	name    string
	listens string // address
	port    int    // containerPort
	service int    // port of the Service, 0 for none
	extra   string // of the container
}

// manifestOf writes a manifest file of programs.
func manifestOf(t *testing.T, programs ...testProgram) string {
	t.Helper()
	var text strings.Builder
	for _, p := range programs {
		if p.service != 0 {
			fmt.Fprintf(&text, "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {selector: {app: %[1]s}, ports: [{name: http, port: %d, targetPort: %d}]}\n---\n", p.name, p.service, p.port)
		}
		fmt.Fprintf(&text, `apiVersion: v1
kind: Pod
metadata: {name: %[1]s, labels: {app: %[1]s}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: app
    command: [%[2]q]
    env: [{name: %[3]s, value: %[4]q}, {name: NAME, value: %[1]s}]
    ports: [{containerPort: %[5]d}]%[6]s
---
`, p.name, os.Args[0], asServer, p.listens, p.port, p.extra)
	}
	path := filepath.Join(folder(t), "programs.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func serviceOf(t *testing.T, s *System, name string) *corev1.Service {
	t.Helper()
	service, err := store.Get[*corev1.Service](s.Store(), "default", name)
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// servedAt waits until a Service is served somewhere.
func servedAt(t *testing.T, s *System, name string, port int) (address string) {
	t.Helper()
	eventually(t, "an address of "+name, func() bool {
		service, err := store.Get[*corev1.Service](s.Store(), "default", name)
		if err != nil {
			return false
		}
		address = service.Annotations[manifest.AnnotationAddress+fmt.Sprint(port)]
		return address != ""
	})
	return address
}

// checkRuns waits until a Pod's program listens, and checks that it was started once.
func checkRuns(t *testing.T, s *System, name string) {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, "where "+name+" listens", func() bool {
		var err error
		pod, err = store.Get[*corev1.Pod](s.Store(), "default", name)
		return err == nil && (pod.Annotations[manifest.AnnotationBound] != "" || pod.Annotations[manifest.AnnotationListening] != "")
	})
	time.Sleep(100 * time.Millisecond) // nothing tells that something does not happen
	if status := pod.Status.ContainerStatuses[0]; status.RestartCount != 0 || status.State.Running == nil {
		t.Errorf("%s was restarted: %+v", name, status)
	}
}

// TestServiceAtItsOwnAddress has a Service whose port is the containerPort of its only Pod. It is
// served at its own address, whatever the program does about PORT.
func TestServiceAtItsOwnAddress(t *testing.T) {
	needsAddresses(t)
	const probe = "\n    readinessProbe: {periodSeconds: 1, httpGet: {path: /, port: %d}}"
	for name, tt := range map[string]struct {
		listens  string
		extra    string
		straight bool
	}{
		"reads PORT, has a probe":         {listens: "127.0.0.1:$PORT", extra: probe},
		"reads PORT, has no probe":        {listens: ":$PORT"},
		"ignores PORT, at one address":    {listens: "127.0.0.1:%d", extra: probe},
		"ignores PORT, has a probe":       {listens: ":%d", extra: probe, straight: true},
		"ignores PORT, has none":          {listens: "0.0.0.0:%d", straight: true},
		"ignores PORT, and says so":       {listens: ":%d", extra: "\n  hostNetwork: true", straight: true},
		"says that it is fixed, and is":   {listens: "127.0.0.1:%d", extra: "\n  hostNetwork: true"},
		"is told by the manifest's $PORT": {listens: "127.0.0.1:$(PORT)"},
	} {
		t.Run(name, func(t *testing.T) {
			port := ports.Free(t)
			number := func(text string) string { return strings.ReplaceAll(text, "%d", fmt.Sprint(port)) }
			s := started(t, context.Background(), Options{
				Manifests: []string{manifestOf(t, testProgram{"web", number(tt.listens), port, port, number(tt.extra)})}, PortPatience: ampleTurn,
			})
			want := fmt.Sprintf("%s:%d", serviceOfEventually(t, s, "web").Spec.ClusterIP, port)
			if got := servedAt(t, s, "web", port); got != want {
				t.Errorf("the Service is at %s, want %s", got, want)
			}
			eventually(t, "the Pod's answer", func() bool { return answerOf(want) == "200 from web<nil>" })
			checkRuns(t, s, "web")
			if got := serviceOf(t, s, "web").Annotations[manifest.AnnotationUnnamed]; got != "" {
				t.Errorf("unnamed: %s", got)
			}
			if got := answerOf(fmt.Sprintf("127.0.0.1:%d", port)); got != "200 from web<nil>" {
				t.Errorf("at 127.0.0.1: %s", got)
			}
			straight := fmt.Sprintf("web:%d goes straight to Pod web at %s, Ready or not", port, want)
			if said := strings.Contains(strings.Join(eventsOf(s, "Listening"), "\n"), straight); said != tt.straight {
				t.Errorf("Events %q", eventsOf(s, "Listening"))
			}
		})
	}
}

func serviceOfEventually(t *testing.T, s *System, name string) (service *corev1.Service) {
	t.Helper()
	eventually(t, "Service "+name, func() bool {
		var err error
		service, err = store.Get[*corev1.Service](s.Store(), "default", name)
		return err == nil
	})
	return service
}

// TestServicesOnOnePort: Services that declare one number do not collide, and each leads to its own
// Pod. The programs obey PORT, but nothing in the manifest shows it.
func TestServicesOnOnePort(t *testing.T) {
	needsAddresses(t)
	port := ports.Free(t)
	var programs []testProgram
	for i, name := range []string{"red", "green", "blue"} {
		programs = append(programs, testProgram{name, []string{":$PORT", "127.0.0.1:$PORT", "[::1]:$PORT"}[i], port, port, ""})
	}
	s := started(t, context.Background(), Options{Manifests: []string{manifestOf(t, programs...)}, PortPatience: ampleTurn})
	seen := map[string]bool{}
	for _, p := range programs {
		address := serviceOfEventually(t, s, p.name).Spec.ClusterIP
		if seen[address] || !netip.MustParseAddr(address).IsLoopback() {
			t.Errorf("%s is at %s, as another one", p.name, address)
		}
		seen[address] = true
		want := fmt.Sprintf("%s:%d", address, port)
		if got := servedAt(t, s, p.name, port); got != want {
			t.Errorf("%s is at %s, want %s", p.name, got, want)
		}
		eventually(t, "the answer of "+p.name, func() bool { return answerOf(want) == "200 from "+p.name+"<nil>" })
		checkRuns(t, s, p.name)
	}
	if taken := eventsOf(s, "PortTaken"); len(taken) > 0 {
		t.Errorf("Events %q", taken)
	}
}

// TestProgramThatIgnoresPORT runs a program that listens at every address, whatever PORT says,
// before and after a Service on its number, its own one and another one. It runs as without
// Services: it is started once. Nobody else answers at a Service's name.
func TestProgramThatIgnoresPORT(t *testing.T) {
	needsAddresses(t)
	for _, order := range []string{"before", "after", "at once"} {
		for _, whose := range []string{"own", "other"} {
			t.Run(order+", "+whose, func(t *testing.T) {
				port := ports.Free(t)
				web := testProgram{"web", fmt.Sprintf(":%d", port), port, 0, ""}
				other := testProgram{"other", "127.0.0.1:$PORT", port, port, ""}
				if whose == "own" {
					web.service, other.service = port, ports.Free(t)
					other.port = other.service
				}
				first, second := manifestOf(t, web), manifestOf(t, other)
				if order == "after" {
					first, second = second, first
				}
				files := []string{first}
				if order == "at once" {
					files = append(files, second)
				}
				s := started(t, context.Background(), Options{Manifests: files, PortPatience: ampleTurn})
				if order == "before" {
					checkRuns(t, s, "web")
				}
				if order == "after" {
					checkRuns(t, s, "other")
					eventually(t, "the Service's answer", func() bool { return answerOf(servedAt(t, s, "other", other.service)) == "200 from other<nil>" })
				}
				if order != "at once" {
					if _, err := s.Apply(context.Background(), []string{second}); err != nil {
						t.Fatal(err)
					}
				}
				checkRuns(t, s, "web")
				checkRuns(t, s, "other")
				eventually(t, "the other Service's own answer", func() bool { return answerOf(servedAt(t, s, "other", other.service)) == "200 from other<nil>" })
				unnamed := serviceOf(t, s, "other").Annotations[manifest.AnnotationUnnamed]
				if whose == "own" {
					if got, want := servedAt(t, s, "web", port), fmt.Sprintf("%s:%d", serviceOf(t, s, "web").Spec.ClusterIP, port); got != want || answerOf(got) != "200 from web<nil>" {
						t.Errorf("web is at %s, want %s: %s", got, want, answerOf(got))
					}
					if unnamed != "" {
						t.Errorf("unnamed: %s", unnamed)
					}
					return
				}
				if want := fmt.Sprintf("port %d belongs to Pod web, which listens there whatever PORT says", port); unnamed != want {
					t.Errorf("unnamed: %q, want %q: the name would lead to web", unnamed, want)
				}
			})
		}
	}
}

// TestObedienceIsRemembered: what a program did about PORT in one run, it is taken to do in the
// next, so that its Service is open from the start; and not if the program was changed.
func TestObedienceIsRemembered(t *testing.T) {
	needsAddresses(t)
	port, state := ports.Free(t), filepath.Join(folder(t), "state")
	path := manifestOf(t, testProgram{"web", "127.0.0.1:$PORT", port, port, ""})
	for run, tt := range []struct{ listens, want string }{
		{"127.0.0.1:$PORT", "reserved"}, {"127.0.0.1:$PORT", "open"}, {":$PORT", "reserved"}, {":$PORT", "open"},
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if run > 0 {
			text = []byte(strings.ReplaceAll(string(text), "127.0.0.1:$PORT", tt.listens))
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		s := started(t, context.Background(), Options{Manifests: []string{path}, StateDir: state, PortPatience: ampleTurn})
		servedAt(t, s, "web", port)
		checkRuns(t, s, "web")
		got := "open"
		if len(eventsOf(s, "PortReserved")) > 0 {
			got = "reserved"
		}
		if got != tt.want {
			t.Errorf("run %d: the port was %s, want %s", run, got, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPodOfAHeadlessService: it is reached at its own address and the port that it declares, where
// a cluster would have it.
func TestPodOfAHeadlessService(t *testing.T) {
	needsAddresses(t)
	port := ports.Free(t)
	for name, listens := range map[string]string{"reads PORT": "127.0.0.1:$PORT", "at 127.0.0.1": fmt.Sprintf("127.0.0.1:%d", port), "at every address": fmt.Sprintf(":%d", port)} {
		t.Run(name, func(t *testing.T) {
			path := manifestOf(t, testProgram{"db", listens, port, port, ""})
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(strings.Replace(string(text), "spec: {selector", "spec: {clusterIP: None, selector", 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			s := started(t, context.Background(), Options{Manifests: []string{path}, PortPatience: ampleTurn})
			checkRuns(t, s, "db")
			if got := serviceOf(t, s, "db").Spec.ClusterIP; got != corev1.ClusterIPNone {
				t.Errorf("clusterIP %s", got)
			}
			pod, err := store.Get[*corev1.Pod](s.Store(), "default", "db")
			if err != nil {
				t.Fatal(err)
			}
			at := net.JoinHostPort(pod.Status.PodIP, fmt.Sprint(port))
			eventually(t, "an answer at "+at, func() bool { return answerOf(at) == "200 from db<nil>" })
		})
	}
}
