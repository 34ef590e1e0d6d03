//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// child is a process of this program in another role. It ends when its input is closed, or is
// killed.
type child struct {
	cmd     *exec.Cmd
	input   io.WriteCloser
	answers *bufio.Scanner
}

// startChild starts this program again, on one CPU.
func startChild(cpu int, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, args...)}
	c.cmd.Stderr = os.Stderr
	if c.input, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.answers = bufio.NewScanner(output)
	if err := onCPU(cpu%runtime.NumCPU(), c.cmd.Start); err != nil {
		return nil, fmt.Errorf("cannot start %q: %w", args, err)
	}
	return c, nil
}

// answer decodes the next line that the process prints.
func (c *child) answer(into any) error {
	if !c.answers.Scan() {
		return errors.Join(errors.New("a process of the benchmark ended early"), c.answers.Err())
	}
	return json.Unmarshal(c.answers.Bytes(), into)
}

// end kills the process and waits for it.
func (c *child) end() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait() // its error says that it was killed
}

// bench is one run: the server of the targets on the second CPU, and probers on the first, one
// after the other.
type bench struct {
	targets *child
	ports   targetPorts
}

func newBench() (*bench, error) {
	targets, err := startChild(1, "targets")
	if err != nil {
		return nil, err
	}
	b := &bench{targets: targets}
	if err := targets.answer(&b.ports); err != nil {
		targets.end()
		return nil, err
	}
	return b, nil
}

// measured is what a prober process cost, and which of its requests arrived in the same window.
type measured struct {
	cost
	arrivals
}

// measure runs one prober process.
func (b *bench) measure(o proberOptions) (m measured, err error) {
	o.Port = b.ports.HTTP
	if o.What == "grpc" {
		o.Port = b.ports.GRPC
	}
	text, err := json.Marshal(o)
	if err != nil {
		return m, err
	}
	p, err := startChild(0, "prober", string(text))
	if err != nil {
		return m, err
	}
	defer p.end()
	if !p.answers.Scan() {
		return m, errors.New("the prober process did not begin")
	}
	if _, err := fmt.Fprintln(b.targets.input, "reset"); err != nil {
		return m, err
	}
	if err := p.answer(&m.cost); err != nil {
		return m, err
	}
	if _, err := fmt.Fprintf(b.targets.input, "report %d %d\n", o.Targets, o.Period); err != nil {
		return m, err
	}
	err = b.targets.answer(&m.arrivals)
	return m, err
}

// achieved returns the share of the requests that were due which arrived.
func (m measured) achieved(o proberOptions) float64 {
	return float64(m.Requests) / (float64(o.Targets) * float64(m.Window) / float64(max(o.Period, time.Nanosecond)))
}
