package manifest

import "strings"

// Expand replaces $(NAME) by the value that lookup gives, as the kubelet does in command, args and
// env values. A name that lookup does not know stays as it is written; $$ stands for $, so that
// $$(NAME) becomes $(NAME); every other $ is plain text. What a value contains is not expanded
// again.
func Expand(s string, lookup func(name string) (value string, ok bool)) string {
	var b strings.Builder
	// a shorter rest has no ")"; without any, every rest is shorter
	fromClose := len(s) - strings.LastIndexByte(s, ')')
	for {
		before, rest, found := strings.Cut(s, "$")
		b.WriteString(before)
		if !found {
			return b.String()
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
