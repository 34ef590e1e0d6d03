//go:build kubelet && linux

package deploy

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/workload"
	"github.com/probity-run/probity/test/differential/trace"
)

// TestCalculator: the example comes up, and a second deployment changes nothing.
func TestCalculator(t *testing.T) {
	t.Parallel()
	in, file := namespace(t, "calculator"), write(t, "calculator.yaml", calculator(t))
	for _, text := range []string{"created", "unchanged"} {
		wants(t, 0, []string{"context x, server https://", "namespace calculator, set calculator", "check: ", "plan: ", "service/calculator " + text, "deployment/calculator " + text,
			"up: deployment/calculator 3 of 3", "service/calculator 3 ready endpoints"}, file, "-n", in)
	}
	serves(t, in, 3)
}

// TestUndo: the verdict and the log come first, then what served before serves again.
func TestUndo(t *testing.T) {
	t.Parallel()
	// one answer that a busy machine delays is not to take an old Pod out of service
	in, good := namespace(t, "undo"), calculator(t, "replicas: 3", "replicas: 2", "failureThreshold: 1", "failureThreshold: 10")
	wants(t, 0, []string{"up: deployment/calculator 2 of 2"}, write(t, "calculator.yaml", good), "-n", in)
	bad := strings.Replace(good, "args: [-weights-size, 4MiB]", "args: [-weights-size, 4MB]", 1)
	wants(t, 1, []string{
		"deployment/calculator configured", "failed: deployment undo/calculator: container calculator exits with 1", "2 Pods of an older revision still serve",
		"log of calculator, previous instance:", "4MB", "undoing: ", "deployment/calculator restored",
	}, write(t, "calculator.yaml", bad), "-n", in, "--undo-on-failure")
	wants(t, 0, []string{"deployment/calculator unchanged", "up: deployment/calculator 2 of 2"}, write(t, "calculator.yaml", good), "-n", in)
	serves(t, in, 2)
}

// serves asks each ready Pod of a namespace for a computation.
func serves(t *testing.T, namespace string, want int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	var mu sync.Mutex // guards pods
	pods := map[string]bool{}
	var watching sync.WaitGroup
	watching.Go(func() {
		defer stop()
		err := site.Watch(ctx, namespace, func(o trace.Observation) {
			pod, ok := o.Object.(*corev1.Pod)
			if !ok {
				return
			}
			if _, ready := workload.ReadySince(pod); !ready || pod.DeletionTimestamp != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			pods[pod.Status.PodIP] = true
			if len(pods) == want {
				stop()
			}
		})
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	watching.Wait()
	if len(pods) != want {
		t.Errorf("%d Pods are ready, want %d", len(pods), want)
	}
	for ip := range pods {
		answer, err := http.Post("http://"+ip+":8080/compute", "application/json", strings.NewReader(`{"x": [1, 2, 3]}`))
		if err != nil {
			t.Error(err)
			continue
		}
		if answer.StatusCode != http.StatusCreated {
			t.Errorf("%s answers %s", ip, answer.Status)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestHowTo follows docs/how-to/deploy-to-a-cluster.md command by command, with the calculator.
func TestHowTo(t *testing.T) {
	t.Parallel()
	in, file := namespace(t, "shop"), write(t, "app.yaml", calculator(t, single...))
	page, err := os.ReadFile(filepath.Join(root, "docs/how-to/deploy-to-a-cluster.md"))
	if err != nil {
		t.Fatal(err)
	}
	played := 0
	for block := range strings.SplitSeq(string(page), "```sh\n") {
		commands, _, ok := strings.Cut(block, "```\n")
		if !ok || !strings.HasPrefix(commands, "probity ") {
			continue
		}
		for text := range strings.Lines(commands) {
			played++
			cmd := exec.CommandContext(t.Context(), "sh", "-c", text)
			cmd.Dir = filepath.Dir(file)
			cmd.Env = append(os.Environ(), "KUBECONFIG="+site.Kubeconfig(), "PATH="+filepath.Dir(site.probity)+string(filepath.ListSeparator)+os.Getenv("PATH"))
			says, err := cmd.CombinedOutput()
			if code := exitCode(t, err); code != 0 && (code != 1 || !strings.Contains(text, "--diff")) {
				t.Errorf("%s ends with %d:\n%s", strings.TrimSpace(text), code, says)
			}
		}
	}
	if played < 6 {
		t.Errorf("the page has %d commands", played)
	}
	serves(t, in, 1)
}
