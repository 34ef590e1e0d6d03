// Command prober is the smallest user of package probe: it makes HTTP attempts only.
package main

import (
	"context"
	"fmt"

	"github.com/probity-run/probity/probe"
)

func main() {
	fmt.Println(probe.HTTPGet{Port: 8080, Path: "/readyz"}.Probe(context.Background()))
}
