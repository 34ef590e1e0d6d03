package live

import (
	"context"
	"os"

	"github.com/probity-run/probity/internal/process"
)

// keyboard is the terminal whose keys are read. In the background it waits: they are the shell's,
// and the kernel stops who reads them.
type keyboard struct {
	*os.File
	window *window
	ctx    context.Context // done when the view ends
}

// Read implements [io.Reader]. After a wait it has read nothing: the shell may have taken the keys
// that were there.
func (k *keyboard) Read(p []byte) (int, error) {
	if !k.window.shared || process.HasForeground(k.File) {
		return k.File.Read(p)
	}
	if !process.WaitForForeground(k.ctx, k.File) {
		return 0, k.ctx.Err()
	}
	return 0, nil
}
