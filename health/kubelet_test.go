//go:build kubelet

package health

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// With the tag kubelet, a service with three replicas is run by probity, under the kubelet's rules
// and in real time. It takes about two minutes and needs the repository around this module.
//
//	go test -tags kubelet -run Kubelet -v .
func TestKubelet(t *testing.T) {
	if testing.Short() {
		t.Skip("takes two minutes")
	}
	c := startCluster(t, 30*time.Second)

	begun := time.Now()
	c.until(t, 30*time.Second, "all three run", func() bool { return len(c.pods()) == 3 })
	c.until(t, 60*time.Second, "all three are ready", func() bool { return c.ready() == 3 })
	t.Logf("slow start of 30 s: ready after %v, %d restarts", time.Since(begun).Round(100*time.Millisecond), c.restarts())
	if took := time.Since(begun); took < 25*time.Second {
		t.Errorf("ready after %v, before the start can be over", took)
	}
	if c.restarts() != 0 {
		t.Error("a slow start was killed")
	}

	c.database.Close()
	begun = time.Now()
	c.until(t, 30*time.Second, "all three are unready", func() bool { return c.ready() == 0 })
	t.Logf("database away: unready after %v", time.Since(begun).Round(10*time.Millisecond))
	time.Sleep(10*time.Second - time.Since(begun))
	c.listen(t)
	begun = time.Now()
	c.until(t, 30*time.Second, "all three are ready again", func() bool { return c.ready() == 3 })
	t.Logf("database back: ready after %v, %d restarts", time.Since(begun).Round(10*time.Millisecond), c.restarts())
	if c.restarts() != 0 {
		t.Error("an outage of the database made a restart")
	}

	if err := os.WriteFile(c.hang, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	begun = time.Now()
	c.until(t, 30*time.Second, "the one that hangs is restarted", func() bool { return c.restarts() == 1 })
	t.Logf("loop hangs: restarted after %v", time.Since(begun).Round(10*time.Millisecond))
	c.until(t, 60*time.Second, "all three are ready again", func() bool { return c.ready() == 3 })
	if c.restarts() != 1 {
		t.Errorf("%d restarts, want 1", c.restarts())
	}
}

const kubeletManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: service}
spec:
  replicas: 3
  selector: {matchLabels: {app: service}}
  template:
    metadata: {labels: {app: service}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
        - name: service
          image: service
          command: [%q]
          env:
            - {name: DATABASE, value: %q}
            - {name: HANG, value: %q}
            - {name: SLOW, value: %q}
          ports: [{name: http, containerPort: 8080}]
          startupProbe: {httpGet: {path: /startupz, port: http}, periodSeconds: 1, failureThreshold: 300}
          readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 2, failureThreshold: 1}
          livenessProbe: {httpGet: {path: /livez, port: http}, periodSeconds: 2, failureThreshold: 2}
`

// cluster is a probity that runs the service, and what it has printed of the pods.
type cluster struct {
	database net.Listener
	address  string
	hang     string

	mu    sync.Mutex // guards what follows
	known map[string]pod
}

type pod struct {
	ready    bool
	restarts int
}

func startCluster(t *testing.T, slow time.Duration) *cluster {
	t.Helper()
	dir := t.TempDir()
	c := &cluster{address: freeAddr(t), hang: filepath.Join(dir, "hang"), known: map[string]pod{}}
	c.listen(t)
	probity, service, manifest := filepath.Join(dir, "probity"), filepath.Join(dir, "service"), filepath.Join(dir, "app.yaml")
	for _, args := range [][]string{{"build", "-C", "..", "-o", probity, "./cmd/probity"}, {"build", "-o", service, "./internal/service"}} {
		if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
			t.Fatalf("go %q: %v\n%s", args, err, out)
		}
	}
	text := fmt.Sprintf(kubeletManifest, service, c.address, c.hang, slow)
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(probity, "run", "-o", "json", "--state-dir", filepath.Join(dir, "state"), manifest)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reader sync.WaitGroup
	reader.Go(func() { c.read(bufio.NewScanner(out)) })
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		reader.Wait()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		c.database.Close()
	})
	return c
}

// listen makes the database answer.
func (c *cluster) listen(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.database = listener
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			conn.Close()
		}
	}()
}

func (c *cluster) read(lines *bufio.Scanner) {
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct {
			Type   string
			Object struct {
				Kind     string
				Metadata struct{ Name string }
				Status   struct {
					Conditions        []struct{ Type, Status string }
					ContainerStatuses []struct{ RestartCount int }
				}
			}
		}
		if json.Unmarshal(lines.Bytes(), &event) != nil || event.Object.Kind != "Pod" || !strings.HasPrefix(event.Object.Metadata.Name, "service") {
			continue
		}
		var p pod
		for _, condition := range event.Object.Status.Conditions {
			p.ready = p.ready || condition.Type == "Ready" && condition.Status == "True"
		}
		for _, container := range event.Object.Status.ContainerStatuses {
			p.restarts += container.RestartCount
		}
		c.mu.Lock()
		c.known[event.Object.Metadata.Name] = p
		c.mu.Unlock()
	}
}

func (c *cluster) pods() []pod {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []pod
	for _, p := range c.known {
		all = append(all, p)
	}
	return all
}

func (c *cluster) ready() (n int) {
	for _, p := range c.pods() {
		if p.ready {
			n++
		}
	}
	return n
}

func (c *cluster) restarts() (n int) {
	for _, p := range c.pods() {
		n += p.restarts
	}
	return n
}

func (c *cluster) until(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v: %+v", what, limit, c.pods())
		}
	}
}
