//go:build !linux

// Command bench measures what probing costs. It needs Linux.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: the figures need Linux: epoll, 127.0.0.0/8 and process accounting")
	os.Exit(1)
}
