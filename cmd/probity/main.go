// Command probity runs a service under Kubernetes probes. All it does itself is to translate
// arguments, streams and exit codes.
package main

import (
	"context"
	"os"

	"github.com/probity-run/probity/internal/cli"
	"github.com/probity-run/probity/internal/process"
)

func main() {
	if process.IsShepherd(os.Args) {
		os.Exit(process.ShepherdMain())
	}
	main := cli.Main
	switch {
	case cli.IsPlugin(os.Args[0]):
		main = cli.PluginMain
	case cli.IsPluginCompletion(os.Args[0]):
		main = cli.PluginCompletionMain
	}
	os.Exit(main(context.Background(), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:]))
}
