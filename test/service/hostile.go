package service

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// self is this program's file, however it was called.
const self = "/proc/self/exe"

// hostile is what a program may do to make the work of its supervisor hard.
type hostile struct {
	spawn []string
	join  bool
	eat   int
	close bool
	write string
	exec  string
	stop  bool

	eaten []byte
}

func (h *hostile) flags(flags *flag.FlagSet) {
	flags.Func("spawn", "", func(text string) error {
		h.spawn = append(h.spawn, text)
		return nil
	})
	flags.BoolVar(&h.join, "join", false, "")
	flags.IntVar(&h.eat, "eat", 0, "")
	flags.BoolVar(&h.close, "close", false, "")
	flags.StringVar(&h.write, "write", "", "")
	flags.StringVar(&h.exec, "exec", "", "")
	flags.BoolVar(&h.stop, "stop", false, "")
}

// act does what the flags say. note is called when everything is written.
func (h *hostile) act(note func(format string, args ...any)) error {
	for i, text := range h.spawn {
		first, err := spawn(text)
		if err != nil {
			return err
		}
		if i == 0 && h.join {
			if err := syscall.Setpgid(0, first); err != nil {
				return fmt.Errorf("cannot join the group: %w", err)
			}
		}
	}
	h.eaten = bytes.Repeat([]byte("x"), h.eat<<20) // written to, or the kernel would not provide it
	if h.close {
		for fd := range 3 {
			if err := syscall.Close(fd); err != nil {
				return err
			}
		}
	}
	if h.write != "" {
		go func() { note("written %v", write(os.Stdout, h.write)) }()
	}
	if h.exec != "" {
		return syscall.Exec(self, append([]string{"service"}, strings.Fields(h.exec)...), os.Environ())
	}
	return nil
}

// spawn starts what "KIND[*N] ARGS" asks for and returns the first process id.
func spawn(text string) (first int, err error) {
	words := strings.Fields(text)
	kind, count, ok := strings.Cut(words[0], "*")
	n := 1
	if ok {
		if n, err = strconv.Atoi(count); err != nil {
			return 0, err
		}
	}
	args := append([]string{"service", "-port=0"}, words[1:]...)
	attr := &syscall.SysProcAttr{}
	switch kind {
	case "child":
	case "group":
		attr.Setpgid = true
	case "session":
		attr.Setsid = true
	case "daemon":
		attr.Setsid = true
		args = []string{"service", "-port=0", "-life=1ns:0", "-spawn=child " + strings.Join(args[1:], " ")}
	default:
		return 0, fmt.Errorf("cannot spawn %q", kind)
	}
	for range n {
		cmd := &exec.Cmd{Path: self, Args: args, Stdout: os.Stdout, Stderr: os.Stderr, SysProcAttr: attr}
		if err := cmd.Start(); err != nil {
			return 0, fmt.Errorf("cannot spawn: %w", err)
		}
		if first == 0 {
			first = cmd.Process.Pid
		}
		go func() { _ = cmd.Wait() }() // reaps it, however it ends
	}
	return first, nil
}

// write writes what "KIND:MB" asks for.
func write(w io.Writer, text string) error {
	kind, size, _ := strings.Cut(text, ":")
	megabytes, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	switch kind {
	case "lines":
		for i := 99; i < len(chunk); i += 100 {
			chunk[i] = '\n'
		}
	case "binary":
		rand.Read(chunk)
	}
	for i := 0; megabytes == 0 || i < megabytes; i++ {
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	if kind == "line" {
		_, err = io.WriteString(w, "\n")
	}
	return err
}
