//go:build !linux

// Record needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "record: a real kubelet cannot run here: it takes Linux")
	os.Exit(3)
}
