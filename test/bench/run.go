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
	_ = c.cmd.Wait() // "killed" is what is wanted
}

// bench is one run: the farm on the second CPU, and probers one after the other on the first.
type bench struct {
	farm  *child
	ports ports
}

func newBench() (*bench, error) {
	farm, err := startChild(1, "farm")
	if err != nil {
		return nil, err
	}
	b := &bench{farm: farm}
	if err := farm.answer(&b.ports); err != nil {
		farm.end()
		return nil, err
	}
	return b, nil
}

// measured is what a prober process cost and what the farm saw of it in the same window.
type measured struct {
	cost
	arrivals
}

// measure runs one prober process.
func (b *bench) measure(o order) (m measured, err error) {
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
	if _, err := fmt.Fprintln(b.farm.input, "reset"); err != nil {
		return m, err
	}
	if err := p.answer(&m.cost); err != nil {
		return m, err
	}
	if _, err := fmt.Fprintf(b.farm.input, "report %d %d\n", o.Targets, o.Period); err != nil {
		return m, err
	}
	return m, b.farm.answer(&m.arrivals)
}

// achieved returns how many of the asked requests arrived, 1 being all.
func (m measured) achieved(o order) float64 {
	return float64(m.Requests) / (float64(o.Targets) * float64(m.Window) / float64(max(o.Period, time.Nanosecond)))
}
