package timeline

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// charWidth is about how wide a character of 11 pixels is. Fonts differ, so it is rather too much.
const charWidth = 6.2

// textWidth is about how wide a text is.
func textWidth(s string) float64 { return charWidth * float64(len([]rune(s))) }

// fitted cuts a text so that it is no wider.
func fitted(s string, width float64) string {
	r := []rune(s)
	room := int(width / charWidth)
	if len(r) <= room {
		return s
	}
	if room < 4 {
		return ""
	}
	return string(r[:room-1]) + "…"
}

func escaped(s string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a builder does not fail
	}
	return b.String()
}

// Offset writes a time since the beginning: 0 s, 40 s, 1:20, 1:02:00, 3d 4:00:00.
func Offset(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	const day = 24 * time.Hour
	days, rest := d/day, d%day
	h, m, s := rest/time.Hour, rest/time.Minute%60, rest/time.Second%60
	fraction := ""
	if tenths := rest % time.Second / (time.Second / 10); tenths > 0 && d < time.Hour {
		fraction = fmt.Sprintf(".%d", tenths)
	}
	switch {
	case days > 0 && rest == 0:
		return fmt.Sprintf("%s%d d", sign, days)
	case days > 0:
		return fmt.Sprintf("%s%d d %d:%02d:%02d", sign, days, h, m, s)
	case h > 0:
		return fmt.Sprintf("%s%d:%02d:%02d", sign, h, m, s)
	case m > 0:
		return fmt.Sprintf("%s%d:%02d%s", sign, m, s, fraction)
	}
	return fmt.Sprintf("%s%d%s s", sign, s, fraction)
}
