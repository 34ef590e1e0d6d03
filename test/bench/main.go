//go:build linux

// Command bench measures what probing costs with package engine, beside a re-creation of the kubelet's way in the same
// run, and prints a table of ratios. docs/benchmarks.md describes the method.
//
//	go run ./test/bench          about five minutes
//	go run ./test/bench -quick   a minute: shorter windows, one round
//
// All traffic stays on loopback. The program starts itself as server ("farm") and as prober, and ends both.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	quick := flag.Bool("quick", false, "shorter windows and one round: for a look, not for figures")
	only := flag.String("only", "", "one part of the table: "+strings.Join(partNames(), ", "))
	flag.Parse()
	var err error
	switch flag.Arg(0) {
	case "":
		err = table(os.Stdout, *quick, *only)
	case "farm":
		err = farm(os.Stdin, os.Stdout)
	case "prober":
		var o order
		if err = json.Unmarshal([]byte(flag.Arg(1)), &o); err == nil {
			err = prober(o, os.Stdout)
		}
	case "service":
		err = service(flag.Arg(1))
	default:
		err = fmt.Errorf("unknown role %q: call it without arguments", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
