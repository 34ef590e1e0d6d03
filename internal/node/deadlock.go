package node

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/probity-run/probity/internal/manifest"
	"github.com/probity-run/probity/internal/printable"
	"github.com/probity-run/probity/internal/process"
)

// drillVariable tells a program of the socket on which it can be told to have a loop hang. Package
// health listens there.
const drillVariable = "PROBITY_DRILL"

// maxSocketPath is what fits into a socket's address.
const maxSocketPath = 107

// drillSocket is the socket of a container's instances; "" if there is none.
func drillSocket(dir string, pod types.UID, container string) string {
	if dir == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(string(pod) + "/" + container))
	path := filepath.Join(dir, hex.EncodeToString(sum[:8]))
	if len(path) > maxSocketPath {
		return ""
	}
	return path
}

// NoDeadlockError says that nobody has said how a container is to be made to hang by itself.
type NoDeadlockError struct{ Container string }

func (e *NoDeadlockError) Error() string {
	return fmt.Sprintf("nothing says how container %s can be made to hang by itself: annotate the Pod with %s%s and a command such as kill -USR1 $PID, or register a loop with Live of Probity's package health",
		e.Container, manifest.AnnotationDeadlock, e.Container)
}

// Deadlock makes the program of a container that runs hang by itself: by the command of the
// annotation [manifest.AnnotationDeadlock], or else by telling the program's package health, at the
// socket of [Options.DrillDir], to hear no beat of its first loop. undo lets the loop be heard
// again, as do the time limit and the end of this process. Nothing takes back what a command has
// done but a restart: undo and the time limit kill the process, if it still is the same. The error
// is a [*NoDeadlockError] if there is neither.
func (n *Node) Deadlock(ctx context.Context, pod *corev1.Pod, container string, limit time.Duration) (undo func() error, err error) {
	r := n.runner(pod.UID)
	if r == nil {
		return nil, errNotRunning
	}
	inst, err := ask(r, func() (*instance, error) { return r.instance(container) })
	if err != nil {
		return nil, err
	}
	if command := pod.Annotations[manifest.AnnotationDeadlock+container]; command != "" {
		return n.deadlockBy(ctx, pod.UID, r, inst, container, command, limit)
	}
	conn, err := holdLoop(ctx, drillSocket(n.opts.DrillDir, pod.UID, container))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) { // it does not listen, or an earlier one did
		return nil, &NoDeadlockError{container}
	}
	if err != nil {
		return nil, err
	}
	end := sync.OnceFunc(func() { conn.Close() }) // closing is the message, and cannot fail
	timer := time.AfterFunc(limit, end)
	return func() error { timer.Stop(); end(); return nil }, nil
}

// deadlockBy runs the command of an annotation. If nobody wants it any more while it runs, it may
// have been done already, and is undone at once.
func (n *Node) deadlockBy(ctx context.Context, pod types.UID, r *runner, inst *instance, container, command string, limit time.Duration) (undo func() error, err error) {
	kill := sync.OnceValue(func() error { return r.kill(container, inst) })
	if err := n.runDeadlock(ctx, pod, container, inst.process.PID(), command); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(err, kill())
		}
		return nil, err
	}
	timer := time.AfterFunc(limit, func() { _ = kill() }) // whoever undoes it later gets the error
	return func() error { timer.Stop(); return kill() }, nil
}

// kill kills an instance of a container, unless it has ended already.
func (r *runner) kill(container string, inst *instance) error {
	_, err := ask(r, func() (struct{}, error) {
		if r.running[container] != inst {
			return struct{}{}, nil
		}
		return struct{}{}, inst.process.Signal(syscall.SIGKILL)
	})
	if errors.Is(err, errNotRunning) {
		return nil
	}
	return err
}

// maxComplaint bounds what is kept of what a command prints.
const maxComplaint = 500

// runDeadlock runs the command of an annotation beside the container.
func (n *Node) runDeadlock(ctx context.Context, pod types.UID, container string, pid int, command string) error {
	var said bytes.Buffer
	both := &lockedWriter{to: &said}
	argv := []string{"sh", "-c", "PID=" + strconv.Itoa(pid) + "; export PID; " + command}
	code, err := n.Exec(ctx, pod, container, argv, process.Streams{Stdout: both, Stderr: both})
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil && code != 0 {
		err = fmt.Errorf("it ends with exit code %d: %s", code, printable.CutMiddle(strings.TrimSpace(said.String()), maxComplaint))
	}
	if err != nil {
		return fmt.Errorf("the command of the annotation %s%s: %w", manifest.AnnotationDeadlock, container, err)
	}
	return nil
}

// lockedWriter takes what two streams write.
type lockedWriter struct {
	mu sync.Mutex
	to *bytes.Buffer // guarded by mu
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.to.Write(p[:min(len(p), max(0, maxComplaint-w.to.Len()))])
	return len(p), nil
}

// holdTime is how long a program may take to answer.
const holdTime = 2 * time.Second

// holdLoop tells a program to hear no beat of its first loop, until the connection ends.
func holdLoop(ctx context.Context, socket string) (net.Conn, error) {
	if socket == "" {
		return nil, fs.ErrNotExist
	}
	ctx, cancel := context.WithTimeout(ctx, holdTime)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("cannot tell the program to hang: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	_, err = conn.Write([]byte("stop\n"))
	var answer string
	if err == nil {
		answer, err = bufio.NewReader(conn).ReadString('\n')
	}
	if err == nil && !strings.HasPrefix(answer, "ok ") {
		err = fmt.Errorf("it answers %s", printable.Quote(strings.TrimSpace(answer)))
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot tell the program to hang: %w", err)
	}
	return conn, nil
}
