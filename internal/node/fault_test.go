package node

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/process"
	"github.com/probity-run/probity/internal/store"
)

// pod is the Pod as it is now.
func (p *realPod) pod() *corev1.Pod {
	p.t.Helper()
	pod, err := store.Get[*corev1.Pod](p.store, "default", "web")
	if err != nil {
		p.t.Fatal(err)
	}
	return pod
}

// ended waits until the container has ended once, and returns how.
func (p *realPod) ended() (end *corev1.ContainerStateTerminated) {
	p.t.Helper()
	p.wait("ended", func(c store.Change) bool {
		status := c.Object.(*corev1.Pod).Status.ContainerStatuses[0]
		if end = status.State.Terminated; end == nil {
			end = status.LastTerminationState.Terminated
		}
		return end != nil
	})
	return end
}

// restarted is a change after which the container runs again.
func restarted(times int32) func(store.Change) bool {
	return func(c store.Change) bool {
		status := c.Object.(*corev1.Pod).Status.ContainerStatuses[0]
		return status.RestartCount == times && status.State.Running != nil
	}
}

// TestInjectMemory: a container that has too much memory ends as a kubelet says it of one that the
// kernel killed, and its next instance may have as much as it likes.
func TestInjectMemory(t *testing.T) {
	p := runReal(t, "x=1234567890123456; while [ ${#x} -lt 40000000 ]; do x=$x$x; done; sleep 1000")
	if _, err := p.node.Inject(p.uid, "app", process.Fault{Kind: process.FaultMemory, Limit: 32 << 20}); err != nil {
		t.Fatal(err)
	}
	if end := p.ended(); end.Reason != "OOMKilled" || end.ExitCode != 137 {
		t.Errorf("it ended with code %d, reason %s, want 137, OOMKilled", end.ExitCode, end.Reason)
	}
}

// TestInjectNobody: what does not run takes no fault.
func TestInjectNobody(t *testing.T) {
	p := runReal(t, "exec sleep 1000")
	stop := process.Fault{Kind: process.FaultStop}
	if _, err := p.node.Inject(p.uid, "other", stop); err == nil || !strings.Contains(err.Error(), "does not run") {
		t.Errorf("another container: %v", err)
	}
	if _, err := p.node.Inject("other", "app", stop); !errors.Is(err, errNotRunning) {
		t.Errorf("another Pod: %v, want %v", err, errNotRunning)
	}
	undo, err := p.node.Inject(p.uid, "app", stop)
	if err != nil {
		t.Fatal(err)
	}
	p.kill()
	if err := undo(); err != nil {
		t.Errorf("undo after the end of the Pod: %v", err)
	}
}

// TestDeadlockCommand: the command of the annotation knows the process.
func TestDeadlockCommand(t *testing.T) {
	command := func(text string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Annotations = map[string]string{manifest.AnnotationDeadlock + "app": text} }
	}
	t.Run("done", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "said")
		p := runReal(t, "exec sleep 1000", command("echo $PID >"+file))
		undo, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		said, err := os.ReadFile(file)
		if want := p.pod().Annotations[AnnotationPID+"app"]; err != nil || strings.TrimSpace(string(said)) != want {
			t.Errorf("PID is %s, %v, want %s", said, err, want)
		}
		if err := undo(); err != nil {
			t.Error(err)
		}
		if end := p.ended(); end.ExitCode != 137 {
			t.Errorf("it ended with code %d, want 137: nothing but a restart undoes what a command has done", end.ExitCode)
		}
		if err := undo(); err != nil {
			t.Errorf("undone twice: %v", err)
		}
	})
	t.Run("restarted", func(t *testing.T) { // by its liveness probe, say: the next process has no fault
		p := runReal(t, "exec sleep 1000", command("kill -KILL $PID"))
		undo, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		p.wait("restarted", restarted(1))
		if err := undo(); err != nil {
			t.Error(err)
		}
		if err := p.node.Signal(p.uid, "app", 0); err != nil || p.pod().Status.ContainerStatuses[0].RestartCount != 1 {
			t.Errorf("its next process: %v, %+v", err, p.pod().Status.ContainerStatuses[0])
		}
	})
	t.Run("its time is over", func(t *testing.T) {
		p := runReal(t, "exec sleep 1000", command("true"))
		if _, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if end := p.ended(); end.ExitCode != 137 {
			t.Errorf("it ended with code %d, want 137", end.ExitCode)
		}
	})
	t.Run("broken off", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, stop)
		p := runReal(t, "exec sleep 1000", command("sleep 1000"))
		if _, err := p.node.Deadlock(ctx, p.pod(), "app", time.Minute); err == nil {
			t.Error("a command that does not end is no error")
		}
		if end := p.ended(); end.ExitCode != 137 {
			t.Errorf("it ended with code %d, want 137", end.ExitCode)
		}
	})
	t.Run("failed", func(t *testing.T) {
		p := runReal(t, "exec sleep 1000", command("echo no such thing >&2; exit 3"))
		_, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Minute)
		const want = "the command of the annotation probity.run/drill.deadlock.app: it ends with exit code 3: no such thing"
		if err == nil || err.Error() != want {
			t.Errorf("Deadlock = %v, want %s", err, want)
		}
	})
}

// TestDeadlockSocket: a program that listens where its environment says is told to hang, for as
// long as the fault lasts.
func TestDeadlockSocket(t *testing.T) {
	p := runReal(t, "exec sleep 1000")
	var out bytes.Buffer
	if _, err := p.node.Exec(t.Context(), p.uid, "app", []string{"sh", "-c", "printf %s $PROBITY_DRILL"}, process.Streams{Stdout: &out}); err != nil {
		t.Fatal(err)
	}
	_, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Minute)
	if _, ok := errors.AsType[*NoDeadlockError](err); !ok {
		t.Errorf("nobody listens: %v, want a NoDeadlockError", err)
	}
	listener, err := net.Listen("unix", out.String())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	answers := []string{"ok loop\n", "ok loop\n", "error: no loop\n", ""}
	held := make(chan string)
	go func() {
		defer close(held)
		for _, answer := range answers {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			lines := bufio.NewReader(conn)
			order, _ := lines.ReadString('\n')
			conn.Write([]byte(answer))
			if strings.HasPrefix(answer, "ok") {
				lines.ReadByte() // until it is over
			}
			conn.Close()
			held <- order
		}
	}()
	undo, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := undo(); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-held; got != "stop\n" {
		t.Errorf("order %q, want stop", got)
	}
	if _, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Millisecond); err != nil {
		t.Fatal(err)
	}
	<-held // its time is over
	for _, want := range []string{`it answers "error: no loop"`, "EOF"} {
		failed := make(chan error, 1)
		go func() { _, err := p.node.Deadlock(t.Context(), p.pod(), "app", time.Minute); failed <- err }()
		<-held
		if err := <-failed; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Deadlock = %v, want %s", err, want)
		}
	}
}

func TestDrillSocket(t *testing.T) {
	if got := drillSocket("", "u", "app"); got != "" {
		t.Errorf("without a folder: %s", got)
	}
	if got := drillSocket(strings.Repeat("x", 100), "u", "app"); got != "" {
		t.Errorf("in a folder with a long name: %s", got)
	}
	if a, b := drillSocket("/d", "u", "a"), drillSocket("/d", "u", "b"); a == b || len(a) != len("/d/")+16 {
		t.Errorf("of two containers: %s and %s", a, b)
	}
}
