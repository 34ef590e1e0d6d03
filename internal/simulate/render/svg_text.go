package render

import "strings"

// How wide a character is about, in pixels. Fonts differ, so it is rather too much.
const (
	smallChar = 6.2 // 11 pixels high
	factChar  = 6.7 // 12
	titleChar = 9.2 // 16, bold
)

// textWidth is about how wide a text is in the small style.
func textWidth(s string) float64 { return smallChar * float64(len([]rune(s))) }

// wrapped gives the lines of a text that is as wide as the picture in the style of that class. A
// word that is too long for a line is cut into several.
func wrapped(s, class string) (lines []string) {
	char := factChar
	if class == "title" {
		char = titleChar
	}
	room := int((svgWidth - 2*svgMargin) / char)
	var line []rune
	for word := range strings.SplitSeq(s, " ") {
		next := []rune(word)
		if len(line) > 0 && len(line)+1+len(next) > room {
			lines, line = append(lines, string(line)), nil
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, next...)
		for len(line) > room {
			lines, line = append(lines, string(line[:room])), line[room:]
		}
	}
	return append(lines, string(line))
}
