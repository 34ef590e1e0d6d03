//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// product is a probity process that runs a manifest.
type product struct {
	cmd    *exec.Cmd
	began  time.Time
	output io.ReadCloser
	lines  *bufio.Scanner
}

// build builds probity as a user would. The working folder is the one of this program's sources.
func build(dir string) (string, error) {
	probity := filepath.Join(dir, "probity")
	out, err := exec.Command("go", "-C", "../..", "build", "-o", probity, "./cmd/probity").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot build probity (call this as go -C test/bench run .): %w\n%s", err, out)
	}
	return probity, nil
}

// startProduct runs a manifest with probity.
func startProduct(probity, dir, manifest string, flags ...string) (*product, error) {
	file := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		return nil, err
	}
	p := &product{}
	arguments := append([]string{"run", "-o", "json", "--max-pods", "1000", "--state-dir", filepath.Join(dir, "state"), file}, flags...)
	p.cmd = exec.Command(probity, arguments...)
	p.cmd.Stderr = io.Discard // lists the fields that are not applied here
	var err error
	if p.output, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	p.began = time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.lines = bufio.NewScanner(p.output)
	p.lines.Buffer(nil, 1<<20)
	return p, nil
}

// untilRunning reads the output until so many Pods run, and returns how long that took from the
// start of probity.
func (p *product) untilRunning(pods int) (time.Duration, error) {
	running := map[string]bool{}
	for len(running) < pods {
		pod, err := p.nextPod()
		if err != nil {
			return 0, err
		}
		if pod.Status.Phase == corev1.PodRunning {
			running[pod.Name] = true
		}
	}
	return time.Since(p.began), nil
}

// untilReady reads the output until so many Pods are Ready, and returns them.
func (p *product) untilReady(pods int) ([]*corev1.Pod, error) {
	ready := map[string]*corev1.Pod{}
	for len(ready) < pods {
		pod, err := p.nextPod()
		if err != nil {
			return nil, err
		}
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				ready[pod.Name] = pod
			}
		}
	}
	return slices.Collect(maps.Values(ready)), nil
}

// nextPod reads until the next change of a Pod.
func (p *product) nextPod() (*corev1.Pod, error) {
	for p.lines.Scan() {
		var change struct{ Object json.RawMessage }
		if err := json.Unmarshal(p.lines.Bytes(), &change); err != nil {
			return nil, err
		}
		pod := &corev1.Pod{}
		if err := json.Unmarshal(change.Object, pod); err != nil {
			return nil, err
		}
		if pod.Kind == "Pod" {
			return pod, nil
		}
	}
	return nil, errors.Join(errors.New("probity ended early"), p.lines.Err())
}

// drain discards the rest of the output.
func (p *product) drain() { go io.Copy(io.Discard, p.output) }

// processes are probity and its shepherd.
func (p *product) processes() ([]int, error) {
	pids, err := processAndChildren(p.cmd.Process.Pid)
	if err == nil && len(pids) != 2 {
		err = fmt.Errorf("probity has %d children, not one shepherd", len(pids)-1)
	}
	return pids, err
}

// end stops probity; a second interrupt does not wait for grace periods.
func (p *product) end() error {
	for range 2 {
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.drain()
	return p.cmd.Wait()
}
