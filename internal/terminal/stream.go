package terminal

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/probity-run/probity/internal/printable"
)

// tty is a terminal, as a stream of text that others wrote.
type tty struct {
	*printable.Writer
	file *os.File // to draw on
}

// Stream returns the writer for what people read at a stream: if that is a terminal, one that lets
// nothing pass which it would obey, else the stream itself, as a file or a pipe gets every byte as
// it is.
func Stream(w io.Writer) io.Writer {
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &tty{printable.NewWriter(file), file}
	}
	return w
}

// File is the file behind a writer of [Stream], nil if there is none.
func File(w io.Writer) *os.File {
	switch w := w.(type) {
	case *os.File:
		return w
	case *tty:
		return w.file
	}
	return nil
}
