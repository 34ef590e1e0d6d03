//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// livePods is how many Pods the live view is measured with; each is probed twice a second.
const livePods = 50

// settleTime is how long a run is left alone before it is measured: until all Pods are ready, and
// for a few garbage collections.
const settleTime = 12 * time.Second

// terminalWindow is a terminal with somebody who reads it.
type terminalWindow struct{ person, terminal *os.File }

func openWindow(columns, rows uint16) (w terminalWindow, err error) {
	if w.person, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return w, err
	}
	fd := int(w.person.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return w, err
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return w, err
	}
	if w.terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		return w, err
	}
	return w, unix.IoctlSetWinsize(int(w.terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
}

// startLive runs a manifest with the live view on a window, or with a line per change if there is
// none.
func startLive(probity, dir, manifest string, w *terminalWindow) (*product, error) {
	file := filepath.Join(dir, "live.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		return nil, err
	}
	p := &product{}
	p.cmd = exec.Command(probity, "run", "--state-dir", filepath.Join(dir, "live-state"), file)
	p.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "PROBITY_THEME=dark", "LANG=C.UTF-8")
	if w == nil {
		var err error
		if p.output, err = p.cmd.StdoutPipe(); err != nil {
			return nil, err
		}
	} else {
		p.output = w.person
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = w.terminal, w.terminal, w.terminal
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.drain()
	return p, nil
}

// used is what a run costs.
type used struct {
	anonymous int     // kB of memory that belongs to no file
	core      float64 // percent of a core
}

// cost measures a run of livePods Pods after it has settled, in a window or without one.
func (m whole) cost(w *terminalWindow) (u used, err error) {
	p, err := startLive(m.probity, m.dir, m.pods(livePods, time.Second), w)
	if err != nil {
		return u, err
	}
	defer func() {
		for range 2 {
			_ = p.cmd.Process.Signal(syscall.SIGINT) // it may have ended
			time.Sleep(600 * time.Millisecond)
		}
		if ended := p.cmd.Wait(); ended != nil && err == nil {
			if _, ok := ended.(*exec.ExitError); !ok {
				err = ended
			}
		}
	}()
	time.Sleep(settleTime)
	pids, err := p.processes()
	if err != nil {
		return u, err
	}
	before, err := runTimes(pids)
	if err != nil {
		return u, err
	}
	began := time.Now()
	time.Sleep(4 * m.window)
	after, err := runTimes(pids)
	if err != nil {
		return u, err
	}
	for i := range after {
		u.core += float64(after[i]-before[i]) / float64(time.Since(began)) * 100
	}
	u.anonymous, err = anonymousOf(pids[0])
	return u, err
}

// anonymousOf is how many kB of a process's memory belong to no file.
func anonymousOf(pid int) (kb int, err error) {
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(rollup)) {
		if value, ok := strings.CutPrefix(line, "Anonymous:"); ok {
			_, err = fmt.Sscan(value, &kb)
		}
	}
	return kb, err
}

// live measures what an open live view adds to a run, and prints its part of the table.
func (b *bench) live(w io.Writer, p plan) error {
	return b.withProbity(p, func(m whole) error { return m.liveView(w) })
}

// liveView measures a run without the live view, and with it in two windows.
func (m whole) liveView(w io.Writer) error {
	fmt.Fprintln(w, "\nTHE LIVE VIEW, COMPARED WITH LINES IN A PIPE\tmeasured\tbar")
	without, err := m.cost(nil)
	if err != nil {
		return err
	}
	for _, size := range []struct {
		columns, rows uint16
		bar           string
	}{{80, 24, "4 MB, 1 %"}, {200, 50, "8 MB, 1 %"}} {
		window, err := openWindow(size.columns, size.rows)
		if err != nil {
			return err
		}
		with, err := m.cost(&window)
		if err != nil {
			return err
		}
		window.terminal.Close()
		window.person.Close()
		fmt.Fprintf(w, "open at %dx%d, %d Pods, 100 probes/s\t%+.1f MB anonymous, %+.1f %% of a core (%.1f MB, %.1f %% in all)\t%s\n", size.columns, size.rows, livePods,
			float64(with.anonymous-without.anonymous)/1024, with.core-without.core, float64(with.anonymous)/1024, with.core, size.bar)
	}
	return nil
}
