package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/probity-run/probity/test/differential/ledger"
	"github.com/probity-run/probity/test/differential/script"
)

// do is an exec probe or hook. A step is one or more of these, joined by +:
//
//	N             exit with this code
//	print:TEXT    write to standard output
//	eprint:TEXT   write to standard error
//	big:N         write N bytes to standard output
//	args          write the remaining arguments, each in brackets
//	sleep:D       wait
//	stubborn      ignore SIGTERM from here on
//	kill          be killed by a signal
//	child         leave a process behind that holds the standard output for 5 s
func do(args []string) int {
	flags := flag.NewFlagSet("do", flag.ContinueOnError)
	container := flags.String("name", "app", "")
	if err := flags.Parse(args); err != nil || flags.NArg() < 2 {
		return 64
	}
	b, err := openRecorder(*container, false)
	if err == nil && flags.Arg(0) == "postStart" {
		b, err = b.awaitStart(flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "player:", err)
		return 70
	}
	name := flags.Arg(0)
	step := b.nextStep(ledger.Exec, name, script.OfInstance(flags.Arg(1), b.instance))
	code := 0
	for part := range strings.SplitSeq(step, "+") {
		if code, err = act(part, flags.Args()[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "player:", err)
			return 70
		}
	}
	b.mustRecord(ledger.Done, name, "")
	return code
}

// act does one part of a step.
func act(part string, args []string) (code int, err error) {
	what, arg, _ := strings.Cut(part, ":")
	switch what {
	case "print":
		fmt.Fprint(os.Stdout, arg)
	case "eprint":
		fmt.Fprint(os.Stderr, arg)
	case "args":
		fmt.Printf("%q", args)
	case "big":
		n, err := strconv.Atoi(arg)
		if err != nil {
			return 0, err
		}
		_, err = os.Stdout.Write(bytes.Repeat([]byte("x"), n))
		return 0, err
	case "sleep":
		d, err := time.ParseDuration(arg)
		if err != nil {
			return 0, err
		}
		time.Sleep(d)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "kill":
		return 0, syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "child":
		child := exec.Command("/proc/self/exe", "do", "child", "sleep:5s")
		child.Stdout = os.Stdout
		return 0, child.Start()
	default:
		return strconv.Atoi(what)
	}
	return 0, nil
}
