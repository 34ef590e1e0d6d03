//go:build !unix

package proxy

// wait reads with a buffer that is borrowed for as long as that takes.
func (r *readyReader) wait() {
	r.buffer = r.buffers.Get()
	r.n, r.err = r.conn.Read(r.buffer)
	if r.n == 0 {
		r.buffers.Put(r.buffer)
		r.buffer = nil
	}
}

// tryRead is for systems that tell when something can be read.
func (r *readyReader) tryRead(uintptr) bool { return true }
