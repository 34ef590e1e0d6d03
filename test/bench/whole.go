//go:build linux

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// whole measures probity run as a whole: everything that it does, with its shepherd.
type whole struct {
	probity string // the program
	self    string // this program, which is the service of the Pods
	dir     string
	plan
}

// product measures the whole product and prints its part of the table.
func (b *bench) product(w io.Writer, p plan) error {
	return b.withProbity(p, func(m whole) error {
		fmt.Fprintln(w, "\nPROBITY RUN, WITH ITS SHEPHERD\tmeasured\tbar\tprocess-compose")
		for _, part := range []func(io.Writer) error{m.memory, m.cpu, m.manyPods, m.firstProcess, m.replacement} {
			if err := part(w); err != nil {
				return err
			}
		}
		return nil
	})
}

// withProbity builds probity in a folder that is there as long as do runs.
func (b *bench) withProbity(p plan, do func(whole) error) error {
	dir, err := os.MkdirTemp("", "probity-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	m := whole{dir: dir, plan: p}
	if m.self, err = os.Executable(); err != nil {
		return err
	}
	if m.probity, err = build(dir); err != nil {
		return err
	}
	return do(m)
}

// pods is a manifest of Pods with a liveness and a readiness probe each.
func (m whole) pods(n int, period time.Duration, arguments ...string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `---
apiVersion: v1
kind: Pod
metadata: {name: pod-%d}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: bench
    command: [%s]
    ports: [{containerPort: 8080}]
    startupProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1, failureThreshold: 60}
    livenessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: %d, failureThreshold: 1}
    readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: %d}
`, i, strings.Join(append([]string{m.self, "service"}, arguments...), ", "), int(period.Seconds()), int(period.Seconds()))
	}
	return text.String()
}

// steady runs Pods until all are Ready and a little longer, and calls do then.
func (m whole) steady(pods int, do func(*product) error) error { return m.steadyWith(pods, nil, do) }

// steadyWith is steady with more flags.
func (m whole) steadyWith(pods int, flags []string, do func(*product) error) (err error) {
	p, err := startProduct(m.probity, m.dir, m.pods(pods, time.Second), flags...)
	if err != nil {
		return err
	}
	defer func() {
		if ended := p.end(); err == nil {
			err = ended
		}
	}()
	if _, err := p.untilReady(pods); err != nil {
		return err
	}
	p.drain()
	time.Sleep(m.window)
	return do(p)
}

func (m whole) memory(w io.Writer) error {
	return m.steady(50, func(p *product) error {
		// long enough for a few garbage collections, as they use pages again that were not used
		// since the start
		time.Sleep(5 * m.window)
		pids, err := p.processes()
		if err != nil {
			return err
		}
		var all memory
		for i, pid := range pids {
			one, err := memoryOf(pid)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "  %s\t%s\n", []string{"probity", "shepherd"}[i], one)
			all = all.plus(one)
		}
		fmt.Fprintf(w, "memory, 50 Pods, liveness and readiness at 1 s\t%s\t30 MB\t65 MB\n", all)
		return nil
	})
}

func (m whole) cpu(w io.Writer) error {
	return m.steady(100, func(p *product) error {
		pids, err := p.processes()
		if err != nil {
			return err
		}
		before, err := runTimes(pids)
		if err != nil {
			return err
		}
		began := time.Now()
		time.Sleep(4 * m.window)
		after, err := runTimes(pids)
		if err != nil {
			return err
		}
		core := func(used time.Duration) float64 { return float64(used) / float64(time.Since(began)) * 100 }
		fmt.Fprintf(w, "CPU, 200 HTTP probes/s (100 Pods)\t%.1f %% of a core (shepherd %.1f)\t4 %%\t8.7 %%\n",
			core(after[0]-before[0]+after[1]-before[1]), core(after[1]-before[1]))
		return nil
	})
}

func (m whole) manyPods(w io.Writer) error {
	const pods = 200
	var text strings.Builder
	for i := range pods {
		fmt.Fprintf(&text, `---
apiVersion: v1
kind: Pod
metadata: {name: pod-%d}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: app, image: bench, command: [sleep, "3600"]}]
`, i)
	}
	var took []time.Duration
	for range m.rounds {
		p, err := startProduct(m.probity, m.dir, text.String())
		if err != nil {
			return err
		}
		d, err := p.untilRunning(pods)
		if ended := p.end(); err == nil {
			err = ended
		}
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	fmt.Fprintf(w, "200 Pods (sleep), start to all Running\t%v\t2 s\t2.1 s\n", medianAndMax(took))
	return nil
}

// firstProcess measures from the start of probity until the first instructions of the first
// container's program, in turn with the Kubernetes API and without it.
func (m whole) firstProcess(w io.Writer) error {
	var with, without []time.Duration
	for range 3 * m.rounds {
		for took, flags := range map[*[]time.Duration][]string{&with: nil, &without: {"--no-api"}} {
			began, notes, err := m.one(1, func(string) error { return nil }, flags...)
			if err != nil {
				return err
			}
			*took = append(*took, notes[0].began.Sub(began))
		}
	}
	fmt.Fprintf(w, "start to the first instruction of the first program\t%v\t50 ms\t\n", medianAndMax(with))
	fmt.Fprintf(w, "the same without the Kubernetes API (--no-api)\t%v\t\t\n", medianAndMax(without))
	return nil
}

// replacement measures the time from when a service begins to fail its probes until its replacement
// listens, less failureThreshold × period (1 s), and less the time that the replacement needs to
// start.
func (m whole) replacement(w io.Writer) error {
	var took []time.Duration
	for i := range 3 * m.rounds {
		var bad time.Time
		_, notes, err := m.one(2, func(address string) error {
			// at another time within the probe's period in each round
			time.Sleep(time.Duration(i) * 110 * time.Millisecond)
			bad = time.Now()
			answer, err := http.Get("http://" + address + "/break")
			if err != nil {
				return err
			}
			return answer.Body.Close()
		})
		if err != nil {
			return err
		}
		took = append(took, notes[1].listens.Sub(bad)-time.Second-notes[1].listens.Sub(notes[1].began))
	}
	fmt.Fprintf(w, "endpoint bad to replacement serving, beyond threshold × period and its start-up\t%v\t300 ms\t1.3 s\n", medianAndMax(took))
	return nil
}

// one runs one Pod until its program was started as often as instances says. act is called with its
// address when it is Ready for the first time. began is the start of probity.
func (m whole) one(instances int, act func(address string) error, flags ...string) (began time.Time, notes []note, err error) {
	file := filepath.Join(m.dir, "notes")
	if err := os.RemoveAll(file); err != nil {
		return began, nil, err
	}
	p, err := startProduct(m.probity, m.dir, m.pods(1, time.Second, file), flags...)
	if err != nil {
		return began, nil, err
	}
	defer func() {
		if ended := p.end(); err == nil {
			err = ended
		}
	}()
	pods, err := p.untilReady(1)
	if err != nil {
		return began, nil, err
	}
	p.drain()
	_, port, _ := strings.Cut(pods[0].Annotations["probity.run/private-ports.app"], ":")
	if err := act("127.0.0.1:" + port); err != nil {
		return began, nil, err
	}
	for range 1000 {
		if notes, err = readNotes(file); err != nil || len(notes) >= instances {
			return p.began, notes, err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return began, nil, fmt.Errorf("the program was started %d times, not %d", len(notes), instances)
}

// medianAndMax is the text for a row of the table.
func medianAndMax(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("%v, at most %v", quantile(all, 0.5).Round(time.Millisecond), quantile(all, 1).Round(time.Millisecond))
}
