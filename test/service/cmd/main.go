// Command cmd is the scripted service as a program of its own: see [service.Main].
package main

import (
	"os"

	"github.com/probity-run/probity/test/service"
)

func main() { os.Exit(service.Main(os.Args[1:])) }
