//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "rollouts: a real kubelet cannot run here: it takes Linux")
	os.Exit(3)
}
