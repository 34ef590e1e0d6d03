package engine

import "bytes"

// readChunks reads a chunked body. Extensions, trailers and long sizes are unsupported, as is
// whatever is wrong.
func (h *httpHead) readChunks(rest []byte) httpReply {
	var body []byte
	for {
		size, after, state := chunkSize(rest)
		if state != decided {
			return httpReply{stage: state}
		}
		rest = after
		if size == 0 {
			return h.lastChunk(body, rest)
		}
		room := bodyLimit - len(body)
		body = append(body, rest[:min(size, len(rest), room)]...)
		switch {
		case len(body) == bodyLimit && size > room:
			return httpReply{stage: decided, status: h.status, body: body}
		case len(body) == bodyLimit:
			// Whether net/http checks what follows depends on what it has in its buffer.
			return httpReply{stage: unsupported}
		case len(rest) < size+2:
			return httpReply{stage: partial(rest[min(size, len(rest)):])}
		case rest[size] != '\r' || rest[size+1] != '\n':
			return httpReply{stage: unsupported}
		}
		rest = rest[size+2:]
	}
}

// lastChunk expects the end of the body.
func (h *httpHead) lastChunk(body, rest []byte) httpReply {
	if len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n' {
		return httpReply{stage: decided, status: h.status, body: body}
	}
	return httpReply{stage: partial(rest)}
}

// partial returns what an incomplete or wrong line end amounts to.
func partial(end []byte) stage {
	if len(end) == 0 || (len(end) == 1 && end[0] == '\r') {
		return inBody
	}
	return unsupported
}

// chunkSize reads the line before a chunk.
func chunkSize(rest []byte) (size int, after []byte, state stage) {
	end := bytes.IndexByte(rest, '\n')
	if end < 0 && len(rest) <= 7 {
		return 0, nil, inBody
	}
	if end < 2 || end > 7 || rest[end-1] != '\r' {
		return 0, nil, unsupported
	}
	for _, c := range rest[:end-1] {
		switch {
		case '0' <= c && c <= '9':
			size = size<<4 + int(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			size = size<<4 + int(c|0x20-'a') + 10
		default:
			return 0, nil, unsupported
		}
	}
	return size, rest[end+1:], decided
}
