package healthcall

import "encoding/binary"

// The wire types of protocol buffers.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wireStart  = 3 // of a group
	wireEnd    = 4
	wire32     = 5

	maxField  = 1<<29 - 1 // the highest number of a field
	maxGroups = 10000     // how deep groups may be nested
)

// readServing reads a HealthCheckResponse, and returns the number of its ServingStatus. Fields that
// are not known are skipped; false means that the message is malformed.
func readServing(message []byte) (serving int32, ok bool) {
	for len(message) > 0 {
		field, kind, n := readTag(message)
		if n == 0 {
			return 0, false
		}
		message = message[n:]
		if field == 1 && kind == wireVarint {
			value, n := binary.Uvarint(message)
			if n <= 0 {
				return 0, false
			}
			serving, message = int32(value), message[n:]
			continue
		}
		if n = valueSize(message, field, kind, maxGroups); n < 0 {
			return 0, false
		}
		message = message[n:]
	}
	return serving, true
}

// readTag reads what stands before a value. n is its size, or 0 if it is malformed.
func readTag(data []byte) (field uint64, kind byte, n int) {
	tag, n := binary.Uvarint(data)
	if field = tag >> 3; n <= 0 || field == 0 || field > maxField {
		return 0, 0, 0
	}
	return field, byte(tag & 7), n
}

// valueSize returns the size of a field's value, or -1 if that is malformed.
func valueSize(data []byte, field uint64, kind byte, depth int) int {
	size := -1
	switch kind {
	case wireVarint:
		if _, n := binary.Uvarint(data); n > 0 {
			return n
		}
	case wire64:
		size = 8
	case wire32:
		size = 4
	case wireBytes:
		length, n := binary.Uvarint(data)
		if n <= 0 || length > uint64(len(data)) {
			return -1
		}
		size = n + int(length)
	case wireStart:
		return groupSize(data, field, depth)
	}
	if size > len(data) {
		return -1
	}
	return size
}

// groupSize returns the size of a group up to and with its end, or -1 if that is malformed.
func groupSize(data []byte, group uint64, depth int) int {
	if depth == 0 {
		return -1
	}
	for at := 0; ; {
		field, kind, n := readTag(data[at:])
		if n == 0 {
			return -1
		}
		at += n
		if kind == wireEnd {
			if field != group {
				return -1
			}
			return at
		}
		if n = valueSize(data[at:], field, kind, depth-1); n < 0 {
			return -1
		}
		at += n
	}
}
