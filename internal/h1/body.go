package h1

import "math"

// Body follows the body of a message to its end. The zero value is a body that has ended.
type Body struct {
	framing Framing
	left    int64
	chunks  Chunks
}

// Begin begins a body. If decode is true, chunks are not passed on as such.
func (b *Body) Begin(framing Framing, length int64, decode bool) {
	*b = Body{framing: framing, chunks: Chunks{Decode: decode}}
	switch framing {
	case ByLength: // else a length is not about this message: that of an answer to HEAD, say
		b.left = length
	case ByClose:
		b.left = math.MaxInt64
	}
}

// Ended reports whether nothing is left of the body.
func (b *Body) Ended() bool {
	if b.framing == ByChunks {
		return b.chunks.state == atEnd
	}
	return b.left == 0
}

// Filter takes the next bytes of the connection: used of them belong to the body, and out, which is
// at the beginning of p, is what of them goes on. The error is an [*Error]; then nothing may
// follow.
func (b *Body) Filter(p []byte) (out []byte, used int, err error) {
	switch b.framing {
	case ByChunks:
		out, used, _, err = b.chunks.Filter(p)
		return out, used, err
	case ByClose:
		return p, len(p), nil
	}
	used = int(min(b.left, int64(len(p))))
	b.left -= int64(used)
	return p[:used], used, nil
}

// Plain is how many of the next bytes go on whatever they are.
func (b *Body) Plain() int64 {
	switch {
	case b.framing != ByChunks:
		return b.left
	case b.chunks.state == inData:
		return b.chunks.left
	}
	return 0
}

// Skip takes bytes that are Plain, without having seen them.
func (b *Body) Skip(n int64) {
	switch b.framing {
	case ByChunks:
		if b.chunks.left -= n; b.chunks.left == 0 {
			b.chunks.state = inDataEnd
		}
	case ByLength:
		b.left -= n
	}
}

// EndOfConnection takes the end of the connection, and reports whether the body is whole by that.
func (b *Body) EndOfConnection() bool {
	if b.framing == ByClose {
		b.left = 0
	}
	return b.Ended()
}
