package h1

// Chunks reads a chunked body as it comes (RFC 9112, 7.1): strictly, because where it ends the next
// message begins. The zero value is at the beginning of a body.
type Chunks struct {
	// Decode keeps nothing but the data.
	Decode bool

	state  chunkState
	digits int
	left   int64 // bytes until the end of the chunk
	extra  int   // bytes of extensions and trailers so far
	name   [maxKnownName]byte
	nameAt int
}

const (
	// maxExtra is how much the extensions and trailers of a body may be.
	maxExtra = 64 << 10
	// maxSizeDigits keeps sizes within an int64.
	maxSizeDigits = 15
	// maxKnownName is longer than any name that no trailer may have.
	maxKnownName = 24
)

type chunkState uint8

const (
	inSize chunkState = iota
	inSpace
	inExtension
	inSizeEnd
	inData
	inDataEnd
	inDataEnd2
	inTrailers // at the beginning of a line
	inTrailerName
	inTrailerValue
	inTrailerEnd
	inBodyEnd
	atEnd
)

// Filter takes the next bytes of the connection. used is how many of them belong to the body; out
// is what of them goes on, which is at the beginning of p: extensions, which nobody reads and
// everybody reads differently, do not. done means that the body has ended. The error is an
// [*Error]; then nothing may follow.
func (c *Chunks) Filter(p []byte) (out []byte, used int, done bool, err error) {
	kept := 0
	for used < len(p) && c.state != atEnd {
		if c.state == inData {
			n := int(min(c.left, int64(len(p)-used)))
			if kept != used {
				copy(p[kept:], p[used:used+n])
			}
			kept, used = kept+n, used+n
			if c.left -= int64(n); c.left == 0 {
				c.state = inDataEnd
			}
			continue
		}
		keep, err := c.take(p[used])
		if err != nil {
			return p[:kept], used, false, err
		}
		if keep && !c.Decode {
			p[kept] = p[used]
			kept++
		}
		used++
	}
	return p[:kept], used, c.state == atEnd, nil
}

// take takes a byte that is not data, and reports whether it goes on.
func (c *Chunks) take(b byte) (keep bool, err error) {
	switch c.state {
	case inSize:
		return c.takeSize(b)
	case inSpace, inExtension:
		return c.takeExtension(b)
	case inSizeEnd:
		next := inData
		if c.left == 0 {
			next = inTrailers
		}
		c.digits = 0
		return c.expect(b, '\n', next)
	case inDataEnd:
		return c.expect(b, '\r', inDataEnd2)
	case inDataEnd2:
		return c.expect(b, '\n', inSize)
	case inBodyEnd:
		return c.expect(b, '\n', atEnd)
	}
	return c.takeTrailer(b)
}

func (c *Chunks) expect(b, want byte, next chunkState) (keep bool, err error) {
	if b != want {
		return false, errBadChunk
	}
	c.state = next
	return true, nil
}

// takeSize takes a byte of the size of a chunk: hexadecimal digits, and at least one. A size that
// overflows the next hop's number would end elsewhere there (RFC 9112, 7.1), so there are few.
func (c *Chunks) takeSize(b byte) (keep bool, err error) {
	digit := int64(-1)
	switch {
	case b >= '0' && b <= '9':
		digit = int64(b - '0')
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		digit = int64(b|0x20-'a') + 10
	}
	switch {
	case digit >= 0:
		if c.digits++; c.digits > maxSizeDigits {
			return false, errBadChunk
		}
		if c.digits == 1 {
			c.left = 0
		}
		c.left = c.left<<4 | digit
		return true, nil
	case c.digits == 0:
		return false, errBadChunk
	}
	c.state = inSpace
	return c.takeExtension(b)
}

// takeExtension takes a byte after the size: white space, extensions, or the end of the line (RFC
// 9112, 7.1.1). A CR ends it even within quotes, as no quoted string may have one (RFC 9110,
// 5.6.4), and nothing but LF may follow: whoever takes a bare LF or CR for an end would begin the
// data elsewhere.
func (c *Chunks) takeExtension(b byte) (keep bool, err error) {
	switch {
	case b == '\r':
		c.state = inSizeEnd
		return true, nil
	case c.state == inSpace && b == ';':
		c.state = inExtension
	case c.state == inSpace && b != ' ' && b != '\t', classes[b]&classValue == 0:
		return false, errBadChunk
	}
	if c.extra++; c.extra > maxExtra {
		return false, errBadChunk
	}
	return false, nil
}

// takeTrailer takes a byte after the last chunk (RFC 9112, 7.1.2). A reader must not take a trailer
// for what frames or routes the message (RFC 9110, 6.5.1).
func (c *Chunks) takeTrailer(b byte) (keep bool, err error) {
	if c.extra++; c.extra > maxExtra {
		return false, errBadTrailer
	}
	switch {
	case c.state == inTrailers && b == '\r':
		c.state = inBodyEnd
	case c.state == inTrailerEnd && b == '\n':
		c.state = inTrailers
	case c.state == inTrailerValue && b == '\r':
		c.state = inTrailerEnd
	case c.state == inTrailerValue && classes[b]&classValue != 0:
	case c.state == inTrailers && classes[b]&classToken != 0:
		c.state, c.nameAt = inTrailerName, 0
		c.addToName(b)
	case c.state == inTrailerName && classes[b]&classToken != 0:
		c.addToName(b)
	case c.state == inTrailerName && b == ':':
		if c.nameAt < maxKnownName && !kindOf(c.name[:c.nameAt]).mayBeTrailer() {
			return false, errBadTrailer
		}
		c.state = inTrailerValue
	default:
		return false, errBadTrailer
	}
	return true, nil
}

// addToName keeps a name as far as it may be one that is known.
func (c *Chunks) addToName(b byte) {
	if c.nameAt < maxKnownName {
		c.name[c.nameAt] = b
		c.nameAt++
	}
}
