package formats

import (
	"fmt"
	"io"

	"github.com/probity-run/probity/internal/manifest"
)

// maxFile is how large a file may be that a document names.
const maxFile = 1 << 20

// readFile reads a file that a document names. It waits for nobody: a named pipe is no such file.
func readFile(path string) ([]byte, error) {
	f, err := manifest.OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // only read from: nothing to lose
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}
