//go:build unix

package proxy

import "golang.org/x/sys/unix"

// write writes all of p, as room for it comes.
func (w *readyWriter) write(p []byte) error {
	w.left, w.err = p, nil
	err := w.raw.Write(w.attempt)
	if w.left = nil; err != nil {
		return err
	}
	return w.err
}

// tryWrite writes what there is room for, and reports whether that was all, or failed.
func (w *readyWriter) tryWrite(fd uintptr) bool {
	for len(w.left) > 0 {
		n, err := writeNow(fd, w.left)
		if err == unix.EAGAIN {
			return false
		}
		if err != nil {
			w.err = err
			return true
		}
		w.left = w.left[n:]
	}
	return true
}
