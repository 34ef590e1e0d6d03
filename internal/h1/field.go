package h1

import "bytes"

// kind is what a field means to a hop.
type kind uint8

const (
	kindOther kind = iota
	kindHost
	kindConnection
	kindContentLength
	kindTransferEncoding
	kindTE
	kindTrailer
	kindUpgrade
	kindExpect
	// kindHop is a field that ends at each hop, whether Connection names it or not (RFC 9110,
	// 7.6.1 and 11.7).
	kindHop
	kindForwarded
	kindForwardedFor
	kindForwardedHost
	kindForwardedProto
	kindIdempotencyKey
)

// kinds are the names that a hop knows: those of RFC 9110 and RFC 9112 that frame a message or end
// at a hop, HTTP2-Settings (RFC 7540, 3.2.1), Forwarded (RFC 7239), and what no RFC has but
// everybody uses.
var kinds = [...]struct {
	name string
	kind kind
}{
	{"te", kindTE}, {"host", kindHost}, {"expect", kindExpect}, {"upgrade", kindUpgrade}, {"trailer", kindTrailer}, {"forwarded", kindForwarded},
	{"connection", kindConnection}, {"keep-alive", kindHop}, {"content-length", kindContentLength}, {"http2-settings", kindHop},
	{"x-forwarded-for", kindForwardedFor}, {"idempotency-key", kindIdempotencyKey}, {"x-forwarded-host", kindForwardedHost}, {"proxy-connection", kindHop},
	{"transfer-encoding", kindTransferEncoding}, {"x-forwarded-proto", kindForwardedProto}, {"x-idempotency-key", kindIdempotencyKey},
	{"proxy-authenticate", kindHop}, {"proxy-authorization", kindHop},
}

// kindOf looks a name up. Most names differ from all that are known by length or first letter.
func kindOf(name []byte) kind {
	for i := range kinds {
		known := kinds[i].name
		if len(known) == len(name) && name[0]|0x20 == known[0] && equalFold(name, known) {
			return kinds[i].kind
		}
	}
	return kindOther
}

// mayBeNamed reports whether Connection can end a field of this kind here. A client must not strip
// by it what frames or routes its request, or says where it comes from or how it may be treated.
func (k kind) mayBeNamed() bool { return k == kindOther }

// mayBeTrailer reports whether a trailer may have a field of this kind: none that frames or routes
// a message, or is about the connection (RFC 9110, 6.5.1).
func (k kind) mayBeTrailer() bool { return k == kindOther || k == kindIdempotencyKey }

// field is a line of a head, by its places in the buffer.
type field struct {
	kind               kind
	cut                bool // ends here, or is written anew
	odd                bool // means the same as an ordinary line, and is written as one
	from, to           int32
	nameTo             int32
	valueFrom, valueTo int32
}

// head is what requests and answers have in common: a buffer with a first line and field lines.
type head struct {
	bytes  []byte
	fields []field
}

func (h *head) name(f *field) []byte  { return h.bytes[f.from:f.nameTo] }
func (h *head) value(f *field) []byte { return h.bytes[f.valueFrom:f.valueTo] }

// line finds the line that begins at a place: where its text ends and where the next one begins.
func (h *head) line(from int) (textTo, next int) {
	end := bytes.IndexByte(h.bytes[from:], '\n')
	if end < 0 {
		return len(h.bytes), len(h.bytes)
	}
	textTo, next = from+end, from+end+1
	if textTo > from && h.bytes[textTo-1] == '\r' {
		textTo--
	}
	return textTo, next
}

// appendKept appends the field lines that go on, in their order. (RFC 9110, 5.3)
func (h *head) appendKept(dst []byte) []byte {
	from, to := int32(0), int32(0) // lines that go on as they are
	for i := range h.fields {
		f := &h.fields[i]
		switch {
		case !f.cut && !f.odd && f.from == to:
			to = f.to
		case !f.cut && !f.odd:
			dst = append(dst, h.bytes[from:to]...)
			from, to = f.from, f.to
		case !f.cut:
			dst = append(dst, h.bytes[from:to]...)
			from, to = 0, 0
			dst = h.appendAnew(dst, f)
		}
	}
	return append(dst, h.bytes[from:to]...)
}

// appendAnew appends an odd line as an ordinary one. Line ends within the value, which only a
// folded line has, become spaces (RFC 9112, 5.2).
func (h *head) appendAnew(dst []byte, f *field) []byte {
	dst = append(dst, h.name(f)...)
	dst = append(dst, ": "...)
	for _, c := range h.value(f) {
		if c == '\r' || c == '\n' {
			c = ' '
		}
		dst = append(dst, c)
	}
	return append(dst, "\r\n"...)
}

// maxOptions is how many options of Connection are read. More are no use but to whoever wants to
// cost time.
const maxOptions = 32

// options calls f for each option of the Connection fields, and reports whether there were too
// many.
func (h *head) options(f func(option []byte)) (tooMany bool) {
	n := 0
	for i := range h.fields {
		if h.fields[i].kind != kindConnection {
			continue
		}
		for option := range elements(h.value(&h.fields[i])) {
			if n++; n > maxOptions {
				return true
			}
			f(option)
		}
	}
	return false
}

// cutNamed cuts the fields that an option of Connection names (RFC 9110, 7.6.1).
func (h *head) cutNamed(option []byte) {
	for i := range h.fields {
		f := &h.fields[i]
		if f.kind.mayBeNamed() && bytes.EqualFold(h.name(f), option) {
			f.cut = true
		}
	}
}

// hasElement reports whether the fields of a kind list an element, which is in lower case.
func (h *head) hasElement(k kind, lower string) bool {
	for i := range h.fields {
		if h.fields[i].kind != k {
			continue
		}
		for element := range elements(h.value(&h.fields[i])) {
			if equalFold(element, lower) {
				return true
			}
		}
	}
	return false
}
