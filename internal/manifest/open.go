package manifest

import (
	"errors"
	"os"
	"syscall"
)

// OpenRegular opens a regular file for reading. It does not wait for the writer of a named pipe,
// and refuses whatever else could keep the caller waiting for ever. The caller closes the file.
func OpenRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = &os.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	case !info.Mode().IsRegular():
		err = errors.New("it is not a regular file")
	default:
		return f, nil
	}
	return nil, errors.Join(err, f.Close())
}
