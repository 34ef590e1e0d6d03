package proxy

import "sync"

// bufferPool lends buffers to reverse proxies, for copying answers. The zero value is ready.
type bufferPool struct{ pool sync.Pool }

// bufferSize is the one of httputil.
const bufferSize = 32 << 10

// Get implements [httputil.BufferPool].
func (b *bufferPool) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return new([bufferSize]byte)[:]
}

// Put implements [httputil.BufferPool].
func (b *bufferPool) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }
