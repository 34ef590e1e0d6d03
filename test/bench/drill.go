//go:build linux

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/probity-run/probity/internal/relay"
)

// drill measures what a drill costs the machine, and what its relays cost a program.
func (b *bench) drill(w io.Writer, p plan) error {
	fmt.Fprintln(w, "\nPROBITY DRILL\tmeasured\tbar")
	if err := measureRelay(w, p); err != nil {
		return err
	}
	return b.withProbity(p, func(m whole) error { return m.drill(w) })
}

// measureRelay asks the same question directly and through a relay, in turns.
func measureRelay(w io.Writer, p plan) (err error) {
	target, closeTarget, err := answerBytes()
	if err != nil {
		return err
	}
	defer closeTarget()
	through, err := relay.New(relay.Options{Target: target})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, through.Close()) }()
	var direct, relayed []time.Duration
	for range p.rounds {
		for took, to := range map[*[]time.Duration]netip.AddrPort{&direct: target, &relayed: through.Address()} {
			one, err := roundTrip(to, p.window/2)
			if err != nil {
				return err
			}
			*took = append(*took, one)
		}
	}
	slices.Sort(relayed)
	slices.Sort(direct)
	with, without := quantile(relayed, 0.5), quantile(direct, 0.5)
	_, err = fmt.Fprintf(w, "a round trip of 64 bytes through a relay\t%v more than the %v without (%.1f times)\t50 µs\n",
		(with - without).Round(time.Microsecond), without.Round(time.Microsecond), float64(with)/float64(without))
	return err
}

// answerBytes is a server that sends back what it gets.
func answerBytes() (netip.AddrPort, func(), error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, nil, err
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c) // it ends with its client
			})
		}
	})
	return l.Addr().(*net.TCPAddr).AddrPort(), func() { l.Close(); serving.Wait() }, nil
}

// roundTrip is how long a question and its answer take on average.
func roundTrip(to netip.AddrPort, window time.Duration) (time.Duration, error) {
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		return 0, err
	}
	defer c.Close()
	data, n, began := make([]byte, 64), 0, time.Now()
	for ; time.Since(began) < window; n++ {
		if _, err := c.Write(data); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, data); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / time.Duration(n), nil
}

// drill measures the processor time of a drill and its shepherd, at twenty requests a second.
func (m whole) drill(w io.Writer) (err error) {
	file := filepath.Join(m.dir, "drill.yaml")
	if err := os.WriteFile(file, []byte(m.deployment()), 0o600); err != nil {
		return err
	}
	cmd := exec.Command(m.probity, "drill", file, "--fault", "hang+1s", "--repeat", "100", "--request", "GET /healthz")
	cmd.Env = append(os.Environ(), "TMPDIR="+m.dir)
	progress, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, cmd.Process.Signal(syscall.SIGINT))
		_, _ = io.Copy(io.Discard, progress) // until it has ended
		_ = cmd.Wait()                       // that it was interrupted is what was meant
	}()
	lines := bufio.NewScanner(progress)
	for lines.Scan() && !strings.Contains(lines.Text(), "stall of 1s (1 ") {
	}
	pids, err := processAndChildren(cmd.Process.Pid)
	if err != nil {
		return err
	}
	before, err := processTimes(pids)
	if err != nil {
		return err
	}
	began := time.Now()
	time.Sleep(4 * m.window)
	after, err := processTimes(pids)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "CPU of a drill with its shepherd, 2 replicas, 20 requests/s\t%.1f %% of a core\t5 %%\n", float64(after-before)/float64(time.Since(began))*100)
	return err
}

// deployment is a manifest of two replicas behind a Service.
func (m whole) deployment() string {
	return fmt.Sprintf(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replicas: 2
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: bench
        command: [%s, service, ""]
        ports: [{name: http, containerPort: 8080}]
        startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1, failureThreshold: 60}
        livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2}
        readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec:
  selector: {app: app}
  ports: [{name: http, port: 8199, targetPort: http}]
`, m.self)
}
