package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// errNobodyToAsk says that standard input is no terminal.
var errNobodyToAsk = errors.New("standard input is no terminal")

// ask asks a question that is answered by y or n, which is the default. The error is
// [errNobodyToAsk], or that of the terminal.
func ask(ctx context.Context, streams Streams, question string) (yes bool, err error) {
	in, ok := streams.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return false, errNobodyToAsk
	}
	if _, err := io.WriteString(streams.Err, question+" [y/N] "); err != nil {
		return false, err
	}
	answer := make(chan string, 1)
	go func() { // it ends with the program: nothing interrupts the reading of a terminal
		line, _ := bufio.NewReader(in).ReadString('\n') // no answer is no
		answer <- line
	}()
	select {
	case <-ctx.Done():
		return false, nil
	case line := <-answer:
		word := strings.ToLower(strings.TrimSpace(line))
		return word == "y" || word == "yes", nil
	}
}
