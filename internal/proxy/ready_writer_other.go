//go:build !unix

package proxy

// write writes all of p.
func (w *readyWriter) write(p []byte) error {
	_, err := w.conn.Write(p)
	return err
}

// tryWrite is for systems that tell when there is room.
func (w *readyWriter) tryWrite(uintptr) bool { return true }
