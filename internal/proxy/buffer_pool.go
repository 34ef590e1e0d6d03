package proxy

import "sync"

// lender lends buffers. What Get returns, Put takes back.
type lender interface {
	Get() []byte
	Put(buffer []byte)
}

// bufferPool lends buffers for bodies. It implements [httputil.BufferPool], too. The zero value is
// ready.
type bufferPool struct{ pool sync.Pool }

// bufferSize is the one of httputil. With twice as much, pieces would not stay in the processor's
// cache.
const bufferSize = 32 << 10

// Get implements [lender].
func (b *bufferPool) Get() []byte {
	if buffer, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return buffer[:]
	}
	return new([bufferSize]byte)[:]
}

// Put implements [lender].
func (b *bufferPool) Put(buffer []byte) { b.pool.Put((*[bufferSize]byte)(buffer)) }

// headPool lends buffers for the heads of requests, which are smaller, because a request keeps its
// own until it is answered. The zero value is ready.
type headPool struct{ pool sync.Pool }

// headSize holds nearly all heads, and the beginnings of bodies that come with them.
const headSize = 8 << 10

// Get implements [lender].
func (b *headPool) Get() []byte {
	if buffer, ok := b.pool.Get().(*[headSize]byte); ok {
		return buffer[:]
	}
	return new([headSize]byte)[:]
}

// Put implements [lender]. A buffer that was replaced by a larger one is left to the collector.
func (b *headPool) Put(buffer []byte) {
	if cap(buffer) == headSize {
		b.pool.Put((*[headSize]byte)(buffer[:headSize]))
	}
}
