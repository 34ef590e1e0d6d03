//go:build kubectl

package kubectl

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// watched is a program of a script of which something is waited for.
type watched struct {
	cmd    *exec.Cmd
	output buffer // both streams
	ended  chan struct{}
}

// startWatched starts a program with the environment and in the folder of a script.
func startWatched(ts *testscript.TestScript, argv []string) *watched {
	path, err := exec.LookPath(argv[0])
	if argv[0] == "kubectl" {
		path, err = ts.Value(script{}).(*script).kubectl, nil
	}
	ts.Check(err)
	w := &watched{cmd: exec.Command(path, argv[1:]...), ended: make(chan struct{})}
	w.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "KUBECONFIG", "KUBECTL_REMOTE_COMMAND_WEBSOCKETS", "KUBECTL_PORT_FORWARD_WEBSOCKETS"} {
		if value := ts.Getenv(name); value != "" {
			w.cmd.Env = append(w.cmd.Env, name+"="+value)
		}
	}
	w.cmd.Stdout, w.cmd.Stderr = &w.output, &w.output
	ts.Check(w.cmd.Start())
	go func() {
		defer close(w.ended)
		_ = w.cmd.Wait() // it is interrupted, which is an error
	}()
	return w
}

// await waits until the program has printed something, and returns what a group of it matches.
func (w *watched) await(wanted *regexp.Regexp) ([]string, error) {
	var found []string
	if !within(timeout, func() bool {
		found = wanted.FindStringSubmatch(w.output.String())
		return found != nil || w.hasEnded()
	}) || found == nil {
		return nil, fmt.Errorf("no match for %s in what %q printed within %v:\n%s", wanted, w.cmd.Args, timeout, w.output.String())
	}
	return found, nil
}

func (w *watched) hasEnded() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// interrupt ends the program as Ctrl-C does.
func (w *watched) interrupt() {
	_ = w.cmd.Process.Signal(os.Interrupt) // it may have ended
	<-w.ended
}

func showsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: shows REGEXP COMMAND...")
	}
	wanted, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	w := startWatched(ts, args[1:])
	defer w.interrupt()
	_, err = w.await(wanted)
	ts.Check(err)
}

func forwardCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: forward NUMBER TARGET PORT")
	}
	connections, err := strconv.Atoi(args[0])
	ts.Check(err)
	w := startWatched(ts, []string{"kubectl", "port-forward", args[1], ":" + args[2]})
	defer w.interrupt()
	at, err := w.await(regexp.MustCompile(`Forwarding from 127\.0\.0\.1:(\d+) `))
	ts.Check(err)
	errs := make([]error, connections)
	var running sync.WaitGroup
	for i := range connections {
		running.Go(func() { errs[i] = get("http://127.0.0.1:" + at[1]) })
	}
	running.Wait()
	for _, err := range errs {
		ts.Check(err)
	}
	if w.hasEnded() || strings.Contains(w.output.String(), "error") {
		ts.Fatalf("kubectl said:\n%s", w.output.String())
	}
}
