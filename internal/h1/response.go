package h1

import "bytes"

// Response is the head of an answer. The zero value is ready for Parse. What its methods return
// belongs to the buffer that was parsed, which must not change as long as it is used.
type Response struct {
	head
	// Status is the status code, 100 to 999.
	Status int
	// Framing is how the body ends, Length its length if that is ByLength.
	Framing Framing
	Length  int64
	// KeepAlive means that the replica takes another request over the connection (RFC 9112, 9.3).
	KeepAlive bool

	reason   []byte // with the space before it
	anew     bool   // the status line is written anew
	cuts     bool   // some line does not go on as it is
	lengths  int
	codings  int
	http10   bool
	switches bool // to a protocol that the request asked for
}

// Parse reads a head with its empty line, as [HeadEnd] finds it: the answer to r. The error is an
// [*Error]; then nothing else of the answer may be used.
func (p *Response) Parse(whole []byte, r *Request) error {
	*p = Response{head: head{bytes: whole, fields: p.fields[:0]}}
	textTo, next := p.line(0)
	if err := p.parseLine(whole[:textTo]); err != nil {
		return err
	}
	p.anew = p.anew || next-textTo < len("\r\n")
	for next < len(whole) {
		from := next
		if textTo, next = p.line(from); textTo == from {
			p.anew = p.anew || next-textTo < len("\r\n")
			break
		}
		if err := p.parseField(from, textTo, next); err != nil {
			return err
		}
	}
	for i := range p.fields {
		if err := p.take(&p.fields[i]); err != nil {
			return err
		}
	}
	return p.decide(r)
}

// parseLine reads the status line (RFC 9112, 4). Some servers leave the space before an empty
// reason out.
func (p *Response) parseLine(line []byte) error {
	const start = "HTTP/1.1 200"
	if len(line) < len(start) || !isVersion(line[:8]) || line[5] != '1' || line[8] != ' ' || len(line) > len(start) && line[len(start)] != ' ' {
		return errBadStatusLine
	}
	for _, c := range line[9:12] {
		if !isDigit(c) {
			return errBadStatusLine
		}
		p.Status = p.Status*10 + int(c-'0')
	}
	p.reason = line[len(start):]
	if p.Status < 100 || !all(p.reason, classValue) {
		return errBadStatusLine
	}
	p.http10, p.anew = line[7] == '0', line[7] != '1' // RFC 9110, 6.2: a hop says its own version
	return nil
}

// parseField reads a field line, or the rest of one that is folded. What is odd, but can be read in
// one way alone, is written anew: an answer is not refused for its looks (RFC 9112, 5.1 and 5.2).
func (p *Response) parseField(from, textTo, next int) error {
	text := p.bytes[from:textTo]
	if !all(text, classValue) { // RFC 9110, 5.5: CR, LF and NUL are dangerous, and the others no use
		return errBadAnswerField
	}
	if text[0] == ' ' || text[0] == '\t' {
		if len(p.fields) == 0 {
			return errBadAnswerField
		}
		return p.unfold(&p.fields[len(p.fields)-1], from, textTo, next)
	}
	colon := bytes.IndexByte(text, ':')
	if colon < 0 {
		return errBadAnswerField
	}
	_, nameTo := trim(p.bytes, from, from+colon)
	name := p.bytes[from:nameTo]
	if !isToken(name) {
		return errBadAnswerField
	}
	valueFrom, valueTo := trim(p.bytes, from+colon+1, textTo)
	p.fields = append(p.fields, field{
		kind: kindOf(name), from: int32(from), to: int32(next), nameTo: int32(nameTo), valueFrom: int32(valueFrom), valueTo: int32(valueTo),
		odd: nameTo < from+colon || next-textTo < len("\r\n"),
	})
	return nil
}

// unfold adds a line to the field that it continues. A field that a hop reads is not folded by
// anybody who means well.
func (p *Response) unfold(f *field, from, textTo, next int) error {
	if f.kind != kindOther {
		return errBadAnswerField
	}
	f.to, f.odd = int32(next), true
	valueFrom, valueTo := trim(p.bytes, from, textTo)
	switch {
	case valueFrom == valueTo:
	case f.valueFrom == f.valueTo:
		f.valueFrom, f.valueTo = int32(valueFrom), int32(valueTo)
	default:
		f.valueTo = int32(valueTo)
	}
	return nil
}

// take notes what a field says, and whether it goes on.
func (p *Response) take(f *field) error {
	switch f.kind {
	case kindConnection, kindHop, kindUpgrade, kindTE:
		f.cut = true
	case kindContentLength:
		length, ok := parseLength(p.value(f))
		if !ok {
			return errAnswerLength
		}
		if p.lengths++; p.lengths > 1 && length != p.Length { // RFC 9112, 6.3: equal ones are one
			return errAnswerLengths
		}
		p.Length, f.cut = length, p.lengths > 1
	case kindTransferEncoding:
		if p.codings++; p.codings > 1 || !equalFold(p.value(f), "chunked") {
			return errAnswerCoding
		}
		f.cut = true // written anew
	}
	p.cuts = p.cuts || f.cut || f.odd
	return nil
}

// decide concludes from all fields what becomes of the connection (RFC 9112, 9.3) and how the body
// ends, by the first rule of RFC 9112, 6.3 that applies.
func (p *Response) decide(r *Request) error {
	p.KeepAlive = !p.http10
	closes := false
	if p.options(func(option []byte) {
		switch {
		case equalFold(option, "close"):
			closes = true
		case equalFold(option, "keep-alive"):
			p.KeepAlive = true
		case equalFold(option, "upgrade"):
		default:
			p.cutNamed(option)
		}
	}) {
		return errAnswerManyNames
	}
	p.KeepAlive = p.KeepAlive && !closes
	switch {
	case p.Status == 101:
		p.switches = r.Upgrade && p.choosesFrom(r)
		if !p.switches { // RFC 9110, 15.2.2
			return errUnaskedSwitch
		}
	case p.Status < 200 || p.Status == 204 || p.Status == 304 || string(r.method) == "HEAD": // RFC 9112, 6.3
	case p.codings > 0:
		p.Framing = ByChunks
		p.KeepAlive = p.KeepAlive && p.lengths == 0 && !p.http10 // RFC 9112, 6.1 and 6.3
	case p.lengths > 0:
		if p.Length > 0 {
			p.Framing = ByLength
		}
	default:
		p.Framing, p.KeepAlive = ByClose, false
	}
	if p.codings > 0 && p.lengths > 0 { // RFC 9112, 6.3: the length goes
		for i := range p.fields {
			p.fields[i].cut = p.fields[i].cut || p.fields[i].kind == kindContentLength
		}
	}
	return nil
}

// choosesFrom reports whether every protocol that the answer changes to was offered.
func (p *Response) choosesFrom(r *Request) bool {
	n := 0
	for i := range p.fields {
		f := &p.fields[i]
		if f.kind != kindUpgrade {
			continue
		}
		for protocol := range elements(p.value(f)) {
			if n++; n > maxOptions || !r.offers(protocol) {
				return false
			}
		}
	}
	return n > 0
}

// offers reports whether a request offers a protocol.
func (r *Request) offers(protocol []byte) bool {
	for i := range r.fields {
		if r.fields[i].kind != kindUpgrade {
			continue
		}
		for offered := range elements(r.value(&r.fields[i])) {
			if bytes.EqualFold(offered, protocol) {
				return true
			}
		}
	}
	return false
}

// Passage is how an answer goes on to its client.
type Passage struct {
	// Close tells the client that the connection ends with the answer.
	Close bool
	// KeepAlive tells a client of HTTP/1.0 that it does not.
	KeepAlive bool
	// Decode means that chunks are not passed on as such, because the client speaks HTTP/1.0.
	Decode bool
}

// IsUnchanged reports whether the head goes on as it came.
func (p *Response) IsUnchanged(as Passage) bool { return !p.anew && !p.cuts && as == Passage{} }

// AppendForward appends the head that the client gets.
func (p *Response) AppendForward(dst []byte, as Passage) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = append(dst, byte('0'+p.Status/100), byte('0'+p.Status/10%10), byte('0'+p.Status%10))
	if len(p.reason) == 0 {
		dst = append(dst, ' ')
	}
	dst = append(dst, p.reason...)
	dst = append(dst, "\r\n"...)
	dst = p.appendKept(dst)
	if p.codings > 0 && !as.Decode && p.Status >= 200 && p.Status != 204 {
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	// 426 says which protocols there are (RFC 9110, 15.5.22)
	if p.switches || p.Status == 426 {
		n := len(dst)
		for i := range p.fields {
			if f := &p.fields[i]; f.kind == kindUpgrade {
				dst = appendField(dst, "Upgrade: ", p.value(f))
			}
		}
		switch {
		case len(dst) == n:
		case as.Close:
			return append(dst, "Connection: Upgrade, close\r\n\r\n"...)
		default:
			return append(dst, "Connection: Upgrade\r\n\r\n"...)
		}
	}
	switch {
	case as.Close:
		dst = append(dst, "Connection: close\r\n"...)
	case as.KeepAlive:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, "\r\n"...)
}
