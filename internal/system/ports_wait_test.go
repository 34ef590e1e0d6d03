package system

import (
	"context"
	"fmt"
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

// TestDependencyOnADeclaredPort: a Pod that declares the number of a Service and does not listen
// before that answers makes nobody wait for ever.
func TestDependencyOnADeclaredPort(t *testing.T) {
	needsAddresses(t)
	const app = "  containers:\n  - {name: app, image: app, command: [sh, -c, %q], ports: [{containerPort: %d}]}\n"
	for name, tt := range map[string]struct{ script, init string }{
		"its program exits":         {script: "exit 1"},
		"its program never listens": {script: "sleep 100"},
		"its init container waits":  {script: "sleep 100", init: "  initContainers:\n  - {name: wait, image: wait, command: [sleep, '100']}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port := ports.Free(t)
			path := manifestOf(t, testProgram{"store", "127.0.0.1:$(PORT)", port, port, ""})
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			frontend := "apiVersion: v1\nkind: Pod\nmetadata: {name: frontend}\nspec:\n  terminationGracePeriodSeconds: 1\n" + tt.init + fmt.Sprintf(app, tt.script, port)
			if err := os.WriteFile(path, append(text, frontend...), 0o600); err != nil {
				t.Fatal(err)
			}
			s := started(t, context.Background(), Options{Manifests: []string{path}, PortPatience: time.Second})
			address := fmt.Sprintf("%s:%d", serviceOfEventually(t, s, "store").Spec.ClusterIP, port)
			eventually(t, "the Service's answer", func() bool { return answerOf(address) == "200 from store<nil>" })
			if e := eventsOf(s, "PortUnused"); len(e) == 0 || !strings.Contains(e[0], "Pod frontend declares it") {
				t.Errorf("Events %q", e)
			}
		})
	}
}

// TestSlowProgramThatIgnoresPORT: a program that takes longer to listen than its number is left to
// it fails once, and then it has it.
func TestSlowProgramThatIgnoresPORT(t *testing.T) {
	needsAddresses(t)
	t.Parallel()
	port := ports.Free(t)
	path := manifestOf(t, testProgram{"store", "127.0.0.1:$(PORT)", port, port, ""}, testProgram{"slow", fmt.Sprintf(":%d", port), port, 0, ""})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// its first turn ends before it listens; at its second start it has nothing to wait for
	taken := filepath.Join(folder(t), "taken")
	slow := fmt.Sprintf("command: [sh, -c, %q]", "until test -e "+taken+"; do sleep 0.1; done; exec "+os.Args[0])
	at := strings.LastIndex(string(text), "command: [")
	end := at + strings.Index(string(text[at:]), "\n")
	if err := os.WriteFile(path, []byte(string(text[:at])+slow+string(text[end:])), 0o600); err != nil {
		t.Fatal(err)
	}
	s := started(t, context.Background(), Options{Manifests: []string{path}, PortPatience: 15 * time.Second})
	address := fmt.Sprintf("%s:%d", serviceOfEventually(t, s, "store").Spec.ClusterIP, port)
	eventually(t, "the Service's answer", func() bool { return answerOf(address) == "200 from store<nil>" })
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		pod, err := store.Get[*corev1.Pod](s.Store(), "default", "slow")
		if err == nil && pod.Annotations[manifest.AnnotationBound] != "" {
			if restarts := pod.Status.ContainerStatuses[0].RestartCount; restarts != 1 {
				t.Errorf("%d restarts", restarts)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the program does not listen: Pod %+v, error %v", pod, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
