package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

const mebibyte byteSize = 1 << 20

// byteSize is a flag: a number of bytes, or of bytes a second, written as 1048576, 64MiB or
// 20MiB/s.
type byteSize int64

// units are the suffixes a size may have; the longer ones end in the last.
var units = []struct {
	suffix string
	bytes  int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// String returns the size in the largest unit that needs no fraction.
func (b byteSize) String() string {
	for _, unit := range units {
		if b != 0 && int64(b)%unit.bytes == 0 && unit.bytes > 1 {
			return strconv.FormatInt(int64(b)/unit.bytes, 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// Set reads a size.
func (b *byteSize) Set(text string) error {
	number, factor := strings.TrimSuffix(text, "/s"), int64(1)
	for _, unit := range units {
		if rest, ok := strings.CutSuffix(number, unit.suffix); ok {
			number, factor = rest, unit.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is no size: write a whole number and KiB, MiB or GiB, such as 64MiB", text)
	}
	*b = byteSize(n * factor)
	return nil
}
