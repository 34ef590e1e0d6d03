//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/probity-run/probity/probe"
	"github.com/probity-run/probity/probe/engine"
)

// proberOptions is what a prober process has to do.
type proberOptions struct {
	Way     string // "engine", "kubelet", or for exec "fork"
	What    string // "http", "tcp", "grpc", "exec"
	Port    int
	Targets int
	Period  time.Duration // 0: as fast as possible, with 64 in flight
	Settle  time.Duration // before the window
	Window  time.Duration
}

// cost is what a prober process reports.
type cost struct {
	Attempts, Failed int
	CPU              time.Duration // of this process; for exec with its children
	Window           time.Duration // as it was
	Resident         int           // MB at the end of the window
}

// perAttempt returns the CPU time of an attempt in microseconds.
func (c cost) perAttempt() float64 {
	return float64(c.CPU) / float64(time.Microsecond) / float64(max(1, c.Attempts))
}

// resultCount counts results.
type resultCount struct{ attempts, failed atomic.Int64 }

func (t *resultCount) add(r probe.Result) {
	t.attempts.Add(1)
	if r.Outcome != probe.Success {
		t.failed.Add(1)
	}
}

// prober probes, prints "begin" when the window of the measurement begins, and the cost when it is
// over. Then the process ends.
func prober(o proberOptions, out io.Writer) error {
	var t resultCount
	if err := o.start(&t); err != nil {
		return err
	}
	time.Sleep(o.Settle)
	if _, err := fmt.Fprintln(out, "begin"); err != nil {
		return err
	}
	begin := time.Now()
	attempts, failed, cpu := t.attempts.Load(), t.failed.Load(), cpuTime(o.What == "exec")
	time.Sleep(o.Window)
	c := cost{
		Attempts: int(t.attempts.Load() - attempts),
		Failed:   int(t.failed.Load() - failed),
		CPU:      cpuTime(o.What == "exec") - cpu,
		Window:   time.Since(begin),
		Resident: resident(),
	}
	return json.NewEncoder(out).Encode(c)
}

// start begins the attempts, which go on until the process ends.
func (o proberOptions) start(t *resultCount) error {
	switch {
	case o.What == "exec":
		o.startExec(t)
		return nil
	case o.Way == "kubelet":
		o.startKubelet(t)
		return nil
	}
	e, err := engine.New(engine.Options{})
	if err != nil {
		return err
	}
	if o.Period == 0 {
		o.closedLoop(e, t)
		return nil
	}
	for i := range o.Targets {
		phase := engine.Phase(fmt.Sprint("target-", i), o.Period)
		e.Every(o.prober(i), o.Period, phase, func(r engine.Report) { t.add(r.Result) })
	}
	return nil
}

// closedLoop keeps inFlight attempts of the engine going.
func (o proberOptions) closedLoop(e *engine.Engine, t *resultCount) {
	for i := range inFlight {
		p := e.Prepare(o.prober(i))
		var next func(probe.Result)
		next = func(r probe.Result) {
			t.add(r)
			e.Go(p, next)
		}
		e.Go(p, next)
	}
}

const inFlight = 64

// prober returns the handler for a target.
func (o proberOptions) prober(target int) probe.Prober {
	switch o.What {
	case "tcp":
		return probe.TCPSocket{Host: host(target), Port: o.Port}
	case "grpc":
		return probe.GRPC{Port: o.Port}
	}
	return probe.HTTPGet{Host: host(target), Port: o.Port, Path: "/healthz"}
}

func host(target int) string {
	return net.IPv4(127, 10, byte(target>>8), byte(target)).String()
}

// startExec runs a command again and again, one at a time: as an attempt of package probe, or only
// by fork, exec and wait.
func (o proberOptions) startExec(t *resultCount) {
	var loop sync.WaitGroup
	loop.Go(func() {
		for {
			if o.Way == "engine" {
				t.add(probe.Exec{Command: []string{"/bin/true"}, Timeout: time.Minute}.Probe(background()))
				continue
			}
			t.add(forkExec())
		}
	})
}

// forkExec runs /bin/true with its streams on /dev/null.
func forkExec() probe.Result {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return probe.Result{Err: err}
	}
	defer null.Close()
	pid, err := syscall.ForkExec("/bin/true", []string{"/bin/true"}, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{null.Fd(), null.Fd(), null.Fd()},
		Sys:   &syscall.SysProcAttr{Setpgid: true},
	})
	if err != nil {
		return probe.Result{Err: err}
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || status.ExitStatus() != 0 {
		return probe.Result{Outcome: probe.Failure, Err: err}
	}
	return probe.Result{Outcome: probe.Success}
}
