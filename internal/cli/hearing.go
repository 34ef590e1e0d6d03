package cli

import (
	"fmt"

	"github.com/probity-run/probity/internal/printable"
)

// hearing tells on stderr that a server is not heard which lasts, such as a cluster's, and that it
// is again: each once, however many watches find out. It belongs to one goroutine.
type hearing struct {
	streams Streams
	lost    map[string]bool // the watches that do not hear it
}

// note takes what a watch has found: why it does not hear the server, or nil.
func (h *hearing) note(watch string, err error) {
	before := len(h.lost)
	switch {
	case err == nil:
		delete(h.lost, watch)
	case h.lost == nil:
		h.lost = map[string]bool{watch: true}
	default:
		h.lost[watch] = true
	}
	switch after := len(h.lost); {
	case before == 0 && after > 0:
		fmt.Fprintf(h.streams.Err, "probity: the server does not answer, and is asked again: %s\n", printable.Line(err.Error()))
	case before > 0 && after == 0:
		fmt.Fprintln(h.streams.Err, "probity: the server answers again")
	}
}
