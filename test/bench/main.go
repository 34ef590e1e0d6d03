//go:build linux

// Command bench measures what probing costs with package engine, and in the same run what it costs
// when done as the kubelet does it, and prints a table of ratios. docs/benchmarks.md describes the
// method.
//
//	go -C test/bench run .          about five minutes
//	go -C test/bench run . -quick   a minute: shorter windows, one round
//
// It is a module of its own, because the kubelet's way of gRPC takes grpc-go.
//
// All traffic stays on loopback. The program starts itself as server ("targets") and as prober, and
// ends both.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/probity-run/probity/internal/process"
)

func main() {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	quick := flag.Bool("quick", false, "shorter windows and one round: for a look, not for figures")
	only := flag.String("only", "", "one part of the table: "+strings.Join(partNames(), ", "))
	flag.Parse()
	var err error
	switch flag.Arg(0) {
	case "":
		err = table(os.Stdout, *quick, *only)
	case "targets":
		err = serveTargets(os.Stdin, os.Stdout)
	case "prober":
		var o proberOptions
		if err = json.Unmarshal([]byte(flag.Arg(1)), &o); err == nil {
			err = prober(o, os.Stdout)
		}
	case "replicas":
		var size int
		if size, err = strconv.Atoi(flag.Arg(1)); err == nil {
			err = replicas(size, os.Stdout)
		}
	case "client":
		err = serveClient(flag.Arg(1), flag.Arg(2), flag.Arg(3), flag.Arg(4))
	case "front", "httputil":
		err = serve(flag.Arg(0), flag.Arg(1), flag.Arg(2))
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

// serve runs this program as one of the proxies.
func serve(role, port, list string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	replicas, err := addresses(list)
	if err != nil {
		return err
	}
	if role == "front" {
		return serveFront(number, replicas)
	}
	return serveBare(number, replicas)
}

// serveClient runs this program as the client of a proxy.
func serveClient(address, window, size, kind string) error {
	d, err := time.ParseDuration(window)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	return client(address, d, frontLoad{n, kind}, os.Stdout)
}
