package healthcall

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http2/hpack"
)

// headerLimit is how large the headers of a response may be.
const headerLimit = 16 << 20

// headerBlock reads the header blocks of a connection. All blocks share the decoder, because it
// keeps a table.
type headerBlock struct {
	decoder *hpack.Decoder
	stream  uint32 // of the block that is not complete, or 0
	ends    bool   // the block ends its stream
	ignored bool   // the block is malformed, on a stream that does not matter

	fields  []hpack.HeaderField // of the block, as far as they matter
	size    int                 // of all fields
	regular bool                // a field without a colon has come
	invalid error               // the first thing that is wrong with the block
}

// begin makes the reader ready for the next block.
func (b *headerBlock) begin(f frame) {
	if b.decoder == nil {
		b.decoder = hpack.NewDecoder(4096, b.field)
		b.decoder.SetMaxStringLength(headerLimit)
	}
	b.decoder.SetEmitEnabled(true)
	b.stream, b.ends, b.ignored = f.stream, f.has(flagEndStream), false
	b.fields, b.size, b.regular, b.invalid = nil, 0, false, nil
}

// field takes in a field of the block.
func (b *headerBlock) field(field hpack.HeaderField) {
	if b.invalid == nil {
		b.invalid = b.check(field)
	}
	b.size += int(field.Size())
	if b.invalid != nil || b.size > headerLimit {
		b.decoder.SetEmitEnabled(false)
		return
	}
	if matters(field.Name) {
		b.fields = append(b.fields, field)
	}
}

// matters reports whether a call depends on the field.
func matters(name string) bool {
	switch name {
	case "content-type", "grpc-encoding", "grpc-status", "grpc-message":
		return true
	}
	return strings.HasPrefix(name, ":") || strings.HasSuffix(name, binarySuffix)
}

// check returns what is wrong with a field.
func (b *headerBlock) check(field hpack.HeaderField) (invalid error) {
	if strings.ContainsFunc(field.Value, isControl) {
		invalid = fmt.Errorf("invalid header field value for %q", field.Name)
	}
	switch {
	case strings.HasPrefix(field.Name, ":"):
		if b.regular {
			invalid = errors.New("pseudo header field after regular")
		}
	default:
		b.regular = true
		if field.Name == "" || strings.ContainsFunc(field.Name, isNoNameRune) {
			invalid = fmt.Errorf("invalid header field name %q", field.Name)
		}
	}
	return invalid
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// isNoNameRune reports whether a field's name must not have r.
func isNoNameRune(r rune) bool {
	isName := 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	return !isName
}

// checkPseudo returns what is wrong with the fields whose names have a colon: a response has one,
// its status.
func (b *headerBlock) checkPseudo() error {
	var requests, responses int
	for i, field := range b.fields {
		switch field.Name {
		case ":method", ":path", ":scheme", ":authority", ":protocol":
			requests++
		case ":status":
			responses++
		default:
			if !strings.HasPrefix(field.Name, ":") {
				continue
			}
			return fmt.Errorf("invalid pseudo-header %q", field.Name)
		}
		if slices.ContainsFunc(b.fields[:i], func(earlier hpack.HeaderField) bool { return earlier.Name == field.Name }) {
			return fmt.Errorf("duplicate pseudo-header %q", field.Name)
		}
	}
	if requests > 0 && responses > 0 {
		return errors.New("mix of request and response pseudo headers")
	}
	return nil
}

// header takes in a part of a header block. The block counts when it is complete.
func (c *connection) header(f frame) finding {
	b, fragment := &c.block, f.payload
	switch {
	case f.kind == frameHeaders:
		b.begin(f)
		var found finding
		if fragment, found = f.fragment(); found.state == over && f.stream != stream {
			b.ignored = true
		} else if found.state != open {
			return found
		}
	case b.invalid != nil, b.size > headerLimit:
		return failed(protocolError)
	}
	if !b.ignored {
		if _, err := b.decoder.Write(fragment); err != nil {
			return failed(compressionError)
		}
	}
	if !f.has(flagEndHeaders) {
		return finding{}
	}
	b.stream = 0
	if err := b.decoder.Close(); err != nil {
		return failed(compressionError)
	}
	if f.stream != stream {
		return finding{}
	}
	return c.response.header(b)
}

// fragment returns the part of a header block that HEADERS have.
func (f frame) fragment() ([]byte, finding) {
	padding, fragment := 0, f.payload
	if f.has(flagPadded) {
		if len(fragment) == 0 {
			return nil, cutShort()
		}
		padding, fragment = int(fragment[0]), fragment[1:]
	}
	if f.has(flagPriority) {
		const size = 5
		if len(fragment) < size {
			return nil, cutShort()
		}
		fragment = fragment[size:]
	}
	if padding > len(fragment) {
		return nil, endedBy(codeInternal, "received invalid frame")
	}
	return fragment[:len(fragment)-padding], finding{}
}
