// Player is the program of the differential tests: as the only file of a container image for the
// kubelet, and as a process for Probity, it answers probes by a script, and writes down in a ledger
// what happens to it. It is also the exec probes and hooks, and the pause program of Pods'
// sandboxes.
//
//	player serve FLAGS         a service; see serve.go
//	player do -name C NAME STEPS   an exec probe or hook called NAME of the container C; see do.go
//	player pause               nothing, until SIGTERM
//
// A step may end in xN, which means N times; the last one goes on for ever. Scripts of several
// instances stand side by side, separated by |, and the last one goes on for ever too:
// "500x2,200|200" fails twice on the first instance.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: player serve|do|pause …")
		os.Exit(64)
	}
	switch os.Args[1] {
	case "serve":
		os.Exit(serve(os.Args[2:]))
	case "do":
		os.Exit(do(os.Args[2:]))
	case "pause":
		pause()
	default:
		fmt.Fprintf(os.Stderr, "player: cannot %q\n", os.Args[1])
		os.Exit(64)
	}
}

// pause is what holds the namespaces of a Pod: it reaps what is left to it, and ends on SIGTERM.
func pause() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
