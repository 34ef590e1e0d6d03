//go:build !js

package main

import (
	"fmt"
	"io"
	"os"

	"github.com/probity-run/probity/internal/playground"
)

// main answers the question on standard input. By it the site is written, which has the answers
// about its example from the beginning.
func main() {
	if err := answer(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

func answer(in io.Reader, out io.Writer) error {
	question, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	page, err := playground.Answer(string(question))
	if err != nil {
		return err
	}
	_, err = out.Write(page)
	return err
}
