package h1

import "bytes"

// Framing is how the end of a body is found (RFC 9112, 6.3).
type Framing uint8

const (
	// NoBody: the message ends with its head.
	NoBody Framing = iota
	// ByLength: the body has the length that Content-Length says.
	ByLength
	// ByChunks: the body ends with its last chunk.
	ByChunks
	// ByClose: the body of an answer ends with the connection.
	ByClose
)

// Request is the head of a request. The zero value is ready for Parse. What its methods return
// belongs to the buffer that was parsed, which must not change as long as it is used.
type Request struct {
	head
	// Framing is how the body ends, Length its length if that is ByLength.
	Framing Framing
	Length  int64
	// HTTP10 means that the client speaks HTTP/1.0.
	HTTP10 bool
	// KeepAlive means that the client does not want the connection to be closed after the answer
	// (RFC 9112, 9.3).
	KeepAlive bool
	// Upgrade means that the client offers other protocols (RFC 9110, 7.8).
	Upgrade bool
	// Continue means that the client waits for 100 before it sends its body (RFC 9110, 10.1.1).
	Continue bool
	// Keyed means that the request has an Idempotency-Key.
	Keyed bool

	method, target []byte
	authority      []byte // of a target in absolute form; nil if there is none
	absolute       bool
	hosts          int
	trailers       bool // the client takes trailers
}

// Method is the method in the case that the client sent.
func (r *Request) Method() []byte { return r.method }

// Accept calls f with the value of each Accept field.
func (r *Request) Accept(f func(value []byte)) {
	for i := range r.fields {
		if equalFold(r.name(&r.fields[i]), "accept") {
			f(r.value(&r.fields[i]))
		}
	}
}

// Parse reads a head with its empty line, as [HeadEnd] finds it. The error is an [*Error]; then
// nothing else of the request may be used, and nothing that follows it is a request.
func (r *Request) Parse(whole []byte) error {
	*r = Request{head: head{bytes: whole, fields: r.fields[:0]}}
	textTo, next := r.line(0)
	if err := r.parseLine(whole[:textTo]); err != nil {
		return err
	}
	for next < len(whole) {
		from := next
		if textTo, next = r.line(from); textTo == from {
			break
		}
		f, err := r.parseField(from, textTo, next)
		if err != nil {
			return err
		}
		r.fields = append(r.fields, f)
	}
	return r.decide()
}

// parseLine reads the request line: three parts with one space between them (RFC 9112, 3).
func (r *Request) parseLine(line []byte) error {
	method, rest, _ := bytes.Cut(line, []byte{' '})
	target, version, ok := bytes.Cut(rest, []byte{' '})
	switch {
	case string(method) == "PRI":
		return errBadPreface // RFC 9113, 3.4: it is for HTTP/2 alone, and was not whole
	case !ok || !isToken(method) || !isVersion(version):
		return errBadLine
	case version[len("HTTP/")] != '1':
		return errVersion
	case string(method) == "CONNECT":
		return errConnect
	}
	r.method, r.HTTP10 = method, version[len("HTTP/1.")] == '0'
	return r.parseTarget(target)
}

// isVersion reports whether text is the name of a version (RFC 9112, 2.3).
func isVersion(text []byte) bool {
	const name = "HTTP/1.1"
	return len(text) == len(name) && string(text[:5]) == name[:5] && isDigit(text[5]) && text[6] == '.' && isDigit(text[7])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// parseTarget decides what the replica gets as the target (RFC 9112, 3.2): bytes as they came, but
// an absolute form becomes an origin form and a Host (3.2.2). A space or a control character would
// let another reader end the target, or the line, before we do.
func (r *Request) parseTarget(target []byte) error {
	for _, c := range target {
		if c <= ' ' || c == 0x7f {
			return errBadTarget
		}
	}
	switch {
	case len(target) == 0:
		return errBadTarget
	case target[0] == '/', string(target) == "*" && string(r.method) == "OPTIONS":
		r.target = target
		return nil
	}
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !equalFold(scheme, "http") && !equalFold(scheme, "https") {
		return errBadTarget
	}
	end := bytes.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	r.absolute, r.authority, r.target = true, rest[:end], rest[end:]
	if len(r.authority) == 0 || !all(r.authority, classHost) { // also if it has user information
		return errBadTarget
	}
	return nil
}

// parseField reads a field line strictly (RFC 9112, 5): whoever reads it less strictly must not
// find another field in it.
func (r *Request) parseField(from, textTo, next int) (f field, err error) {
	text := r.bytes[from:textTo]
	if text[0] == ' ' || text[0] == '\t' {
		return f, errFolded // RFC 9112, 5.2
	}
	colon := bytes.IndexByte(text, ':')
	if colon < 0 || !isToken(text[:colon]) || !all(text[colon+1:], classValue) {
		return f, errBadField
	}
	valueFrom, valueTo := trim(r.bytes, from+colon+1, textTo)
	f = field{
		kind: kindOf(text[:colon]), from: int32(from), to: int32(next), nameTo: int32(from + colon), valueFrom: int32(valueFrom), valueTo: int32(valueTo),
		odd: next-textTo < len("\r\n"), // RFC 9112, 2.2: a bare LF may end a line, but not the next hop's
	}
	err = r.take(&f)
	return f, err
}

// take notes what a field says, and whether it goes on.
func (r *Request) take(f *field) error {
	value := r.value(f)
	switch f.kind {
	case kindHost:
		if r.hosts++; r.hosts > 1 {
			return errTwoHosts
		}
		f.cut = r.absolute // RFC 9112, 3.2.2
		if !all(value, classHost) {
			return errBadHost
		}
	case kindContentLength:
		return r.takeLength(value)
	case kindTransferEncoding:
		if r.Framing == ByChunks {
			return errTwoCodings
		}
		r.Framing = ByChunks
		f.cut = true // RFC 9112, 6.1: written anew, so that there is one spelling
	case kindExpect:
		if f.cut = r.HTTP10; f.cut {
			return nil // RFC 9110, 10.1.1
		}
		if r.Continue || !equalFold(value, "100-continue") {
			return errExpect
		}
		r.Continue = true
	case kindTE:
		f.cut = true // RFC 9110, 10.1.4: what the next hop may send, this one decides
	case kindConnection, kindHop, kindUpgrade, kindForwardedFor:
		f.cut = true
	case kindIdempotencyKey:
		r.Keyed = true
	}
	return nil
}

// takeLength reads a Content-Length. Two of them are refused even if they are equal (RFC 9112,
// 6.3).
func (r *Request) takeLength(value []byte) error {
	if r.hasLength() || bytes.IndexByte(value, ',') >= 0 {
		return errTwoLengths
	}
	length, ok := parseLength(value)
	if !ok {
		return errBadLength
	}
	r.Length = length + 1 // until decide, so that 0 means that there was none
	return nil
}

func (r *Request) hasLength() bool { return r.Length > 0 }

// decide concludes from all fields what the order of them leaves open: how the body is framed (RFC
// 9112, 6.3), and what becomes of the connection (9.3).
func (r *Request) decide() error {
	switch {
	case r.hosts == 0 && !r.HTTP10: // RFC 9112, 3.2
		return errNoHost
	case r.Framing == ByChunks && r.HTTP10: // RFC 9112, 6.1
		return errHTTP10Coding
	case r.Framing == ByChunks && r.hasLength(): // RFC 9112, 6.3: it may be an attempt at smuggling
		return errTwoFramings
	case r.Framing == ByChunks && !r.isChunked():
		return errCoding
	case r.hasLength():
		if r.Length--; r.Length > 0 {
			r.Framing = ByLength
		}
	}
	r.trailers = r.hasElement(kindTE, "trailers")
	r.KeepAlive = !r.HTTP10
	tooMany := r.options(func(option []byte) {
		switch {
		case equalFold(option, "close"):
			r.KeepAlive = false
		case equalFold(option, "upgrade"):
			r.Upgrade = !r.HTTP10
		case r.HTTP10 && equalFold(option, "keep-alive"):
			r.KeepAlive = !r.hasElement(kindConnection, "close")
		default:
			r.cutNamed(option)
		}
	})
	if tooMany {
		return errManyOptions
	}
	upgrade := false
	for i := range r.fields {
		upgrade = upgrade || r.fields[i].kind == kindUpgrade
	}
	// h2c is served as HTTP/1.1 (RFC 9113, 3.1, has withdrawn it)
	r.Upgrade = r.Upgrade && upgrade && !r.hasElement(kindUpgrade, "h2c")
	return nil
}

// isChunked reports whether the only Transfer-Encoding is chunked.
func (r *Request) isChunked() bool {
	for i := range r.fields {
		if f := &r.fields[i]; f.kind == kindTransferEncoding {
			return equalFold(r.value(f), "chunked")
		}
	}
	return false
}

// Origin is what a replica is told of where a request comes from and goes to.
type Origin struct {
	// Client is the client's address.
	Client string
	// Service is the address of the Service, for clients that name no Host.
	Service string
}

// AppendForward appends the head that the replica gets.
func (r *Request) AppendForward(dst []byte, o Origin) []byte {
	dst = append(dst, r.method...)
	dst = append(dst, ' ')
	switch {
	case r.absolute && len(r.target) == 0 && string(r.method) == "OPTIONS":
		dst = append(dst, '*') // RFC 9112, 3.2.4
	case r.absolute && (len(r.target) == 0 || r.target[0] != '/'):
		dst = append(dst, '/')
	}
	dst = append(dst, r.target...)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = r.appendKept(dst)
	if r.absolute {
		dst = appendField(dst, "Host: ", r.authority)
	} else if r.hosts == 0 {
		dst = append(append(append(dst, "Host: "...), o.Service...), "\r\n"...)
	}
	if r.Framing == ByChunks {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	dst = r.appendConnection(dst)
	return append(r.appendForwarded(dst, o), "\r\n"...)
}

// appendConnection appends what is said to the next hop alone.
func (r *Request) appendConnection(dst []byte) []byte {
	if r.Upgrade {
		for i := range r.fields {
			if f := &r.fields[i]; f.kind == kindUpgrade {
				dst = appendField(dst, "Upgrade: ", r.value(f))
			}
		}
	}
	if r.trailers {
		dst = append(dst, "TE: trailers\r\n"...)
	}
	switch { // RFC 9110, 7.6.1: fields for the next hop are named
	case r.Upgrade && r.trailers:
		return append(dst, "Connection: Upgrade, TE\r\n"...)
	case r.Upgrade:
		return append(dst, "Connection: Upgrade\r\n"...)
	case r.trailers:
		return append(dst, "Connection: TE\r\n"...)
	}
	return dst
}

// appendForwarded appends who sent the request, to what others have said of that, and the rest only
// if nobody has said it.
func (r *Request) appendForwarded(dst []byte, o Origin) []byte {
	dst = append(dst, "X-Forwarded-For: "...)
	var host []byte
	hostSaid, protoSaid := false, false
	for i := range r.fields {
		switch f := &r.fields[i]; f.kind {
		case kindForwardedFor:
			if value := r.value(f); len(value) > 0 {
				dst = append(append(dst, value...), ", "...)
			}
		case kindForwardedHost:
			hostSaid = true
		case kindForwardedProto:
			protoSaid = true
		case kindHost:
			host = r.value(f)
		}
	}
	dst = append(append(dst, o.Client...), "\r\n"...)
	if r.absolute {
		host = r.authority
	}
	if !hostSaid && len(host) > 0 {
		dst = appendField(dst, "X-Forwarded-Host: ", host)
	}
	if !protoSaid {
		dst = append(dst, "X-Forwarded-Proto: http\r\n"...)
	}
	return dst
}

func appendField(dst []byte, name string, value []byte) []byte {
	return append(append(append(dst, name...), value...), "\r\n"...)
}
