package process

import "bytes"

// lineSplitter cuts a stream of bytes into entries of at most MaxLine bytes. The text given to emit
// is valid during the call only.
type lineSplitter struct {
	pending []byte // the beginning of a line whose end was not seen
}

func (l *lineSplitter) feed(chunk []byte, emit func(text []byte, partial bool)) {
	for len(chunk) > 0 {
		room := MaxLine - len(l.pending)
		end := bytes.IndexByte(chunk[:min(len(chunk), room+1)], '\n')
		switch {
		case end >= 0:
			l.flush(chunk[:end], false, emit)
			chunk = chunk[end+1:]
		case len(chunk) <= room:
			l.pending = append(l.pending, chunk...)
			return
		default:
			l.flush(chunk[:room], true, emit)
			chunk = chunk[room:]
		}
	}
}

// end emits what has no newline.
func (l *lineSplitter) end(emit func(text []byte, partial bool)) {
	if len(l.pending) > 0 {
		l.flush(nil, true, emit)
	}
}

func (l *lineSplitter) flush(text []byte, partial bool, emit func([]byte, bool)) {
	if len(l.pending) > 0 {
		text = append(l.pending, text...)
	}
	emit(text, partial)
	// Not kept for the next line: idle streams shall not hold memory.
	l.pending = nil
}
