package manifest

import (
	"fmt"
	"strings"
)

// MaxString is how many bytes one string of a program's arguments or environment may have: Linux
// starts no program with a longer one (MAX_ARG_STRLEN, which counts the NUL at the end).
const MaxString = 128<<10 - 1

// Expand replaces $(NAME) by the value that lookup gives, as the kubelet does in command, args and
// env values. A name that lookup does not know stays as it is written; $$ stands for $, so that
// $$(NAME) becomes $(NAME); every other $ is plain text. What a value contains is not expanded
// again. What would be longer than [MaxString] is an error and is not made: values that are
// references to references grow without bound.
func Expand(s string, lookup func(name string) (value string, ok bool)) (string, error) {
	var b strings.Builder
	// a shorter rest has no ")"; without any, every rest is shorter
	fromClose := len(s) - strings.LastIndexByte(s, ')')
	for {
		before, rest, found := strings.Cut(s, "$")
		b.WriteString(before)
		if b.Len() > MaxString {
			return "", fmt.Errorf("it is longer than %d bytes once $(NAME) is replaced in it, and no program can be started with that: shorten it", MaxString)
		}
		if !found {
			return b.String(), nil
		}
		s = rest
		switch {
		case strings.HasPrefix(rest, "$"):
			b.WriteByte('$')
			s = rest[1:]
		case strings.HasPrefix(rest, "(") && len(rest) >= fromClose:
			name, after, _ := strings.Cut(rest[1:], ")")
			value, ok := lookup(name)
			if !ok {
				value = "$(" + name + ")"
			}
			b.WriteString(value)
			s = after
		default:
			b.WriteByte('$')
		}
	}
}
